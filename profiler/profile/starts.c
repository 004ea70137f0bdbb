/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/starts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/profile.h"

enum {
	MAX_ROUNDS = 4, /* starters that call starters */
	MAX_LEARNED = 256,
	MIN_SAMPLES = 2,          /* of a goroutine whose samples are evidence */
	MANY_SAMPLES = 64,        /* more of one goroutine count as this many */
	MIXED_SHARE = 20,         /* one sample of this many may be of another function */
	OWN_TIME_SHARE = 10,      /* and of this many, one of the starter itself */
	MIN_SPAN_NS = 1000000000, /* from a goroutine's first to its last sample */
};

static const double CHANCE = 1e-4;

struct starts {
	struct strtab *learned; /* names of starters */
};

/* What a string of a profile says as the name of a function. */
enum { CHECKED = 1, STARTER = 2, PLUMBING = 4 };

/* The beginning of a goroutine's stack, from its root to a call. */
struct beginning {
	enum {
		OTHER,   /* not the stack of a goroutine, or it does not tell */
		PENDING, /* only starters so far */
		RUNS,    /* `runs` is known */
		CALLS,   /* and `calls`, what that called first */
	} state;
	uint32_t runs, calls; /* strings of the profile */
	uint32_t starter;     /* the last one; 0: none */
	uint32_t site;        /* frame of runs */
	bool ended;           /* what follows tells nothing */
};

/* Samples of one goroutine in which `runs` was the first function, and `calls` the next
 * one, called at site; calls 0: it was the leaf. */
struct evidence {
	uint32_t runs, calls;   /* strings in names */
	uint32_t goroutine;     /* counted over all profiles */
	uint32_t profile, site; /* index; frame of that profile */
	uint64_t samples, first_ns, last_ns;
};

struct reader {
	const struct starts *s;
	const struct profile *p;
	uint8_t *flags;               /* per string */
	struct beginning *beginnings; /* per call */
};

static bool ends_in(const char *s, size_t n, const char *end)
{
	size_t len = strlen(end);

	return n >= len && !memcmp(s + n - len, end, len);
}

/* "main.main.gowrap3", "main.main·dwrap·1": what the compiler makes of a go statement. */
static bool is_go_wrapper(const char *name)
{
	size_t n = strlen(name);

	while (n && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	return ends_in(name, n, ".gowrap") || ends_in(name, n, "·dwrap·");
}

/* The length of "main.f" in "main.f.func1" and "main.f.func1.2"; 0: not a closure. */
static size_t closure_parent(const char *name)
{
	size_t n = strlen(name), end = n;

	while (n && ((name[n - 1] >= '0' && name[n - 1] <= '9') || name[n - 1] == '.'))
		n--;
	return n < end && ends_in(name, n, ".func") ? n - strlen(".func") : 0;
}

static bool is_known(const char *name)
{
	static const char *const known[] = {
		"sync.(*WaitGroup).Go.func1",
		"runtime/pprof.Do",
		"testing.tRunner",
		"golang.org/x/sync/errgroup.(*Group).Go.func1",
		"golang.org/x/sync/errgroup.(*Group).TryGo.func1",
		"golang.org/x/sync/errgroup.(*Group).add.func1",
		"github.com/sourcegraph/conc.(*WaitGroup).Go.func1",
		"github.com/sourcegraph/conc/panics.(*Catcher).Try",
	};
	const char *vendored = strstr(name, "/vendor/");

	name = vendored ? vendored + strlen("/vendor/") : name;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(name, known[i]))
			return true;
	return is_go_wrapper(name);
}

static bool is_learned(const struct starts *s, const char *name)
{
	for (uint32_t i = 1; i < strtab_count(s->learned); i++)
		if (!strcmp(strtab_get(s->learned, i), name))
			return true;
	return false;
}

/* Functions that starters call beside the one that they were handed. */
static bool is_plumbing(const char *name)
{
	return !strncmp(name, "runtime.", 8) || !strncmp(name, "runtime/pprof.", 14) ||
	       !strncmp(name, "sync.", 5) || !strncmp(name, "sync/atomic.", 12) ||
	       !strncmp(name, "internal/", 9) || strstr(name, "/x/sync/errgroup.");
}

static uint8_t string_flags(struct reader *r, uint32_t id)
{
	const char *name = profile_string(r->p, id);

	if (!r->flags[id]) {
		r->flags[id] = CHECKED;
		if (is_known(name) || is_learned(r->s, name))
			r->flags[id] |= STARTER;
		else if (is_plumbing(name))
			r->flags[id] |= PLUMBING;
	}
	return r->flags[id];
}

/* Is func a closure of the function that the starter is a closure of? A deferred one says
 * nothing of what the starter was handed. */
static bool is_beside(const struct reader *r, uint32_t starter, uint32_t func)
{
	const char *a = profile_string(r->p, starter), *b = profile_string(r->p, func);
	size_t n = closure_parent(a);

	return n && !strncmp(a, b, n) && !strncmp(b + n, ".func", 5);
}

/* What a call adds to the beginning of its caller's stack. */
static struct beginning go_on(struct reader *r, struct beginning b, uint32_t frame,
			      bool root)
{
	const struct frame *f = &r->p->frames[frame];
	uint8_t flags;

	if (f->kind == FRAME_GOEXIT && root)
		return (struct beginning){ .state = PENDING };
	if (b.state == OTHER || b.state == CALLS || b.ended || f->kind == FRAME_WRAPPER)
		return b;
	flags = f->kind == FRAME_GO && f->func ? string_flags(r, f->func) : PLUMBING;
	if (flags & STARTER) {
		b.starter = f->func;
		return b;
	}
	if (b.state == PENDING && is_beside(r, b.starter, f->func))
		flags |= PLUMBING;
	if (b.state == PENDING && !(flags & PLUMBING)) {
		b.state = RUNS;
		b.runs = f->func;
		b.site = frame;
	} else if (b.state == RUNS && !(flags & PLUMBING)) {
		b.state = CALLS;
		b.calls = f->func;
	} else {
		b.ended = true;
	}
	return b;
}

static void reader_open(struct reader *r, const struct starts *s, const struct profile *p)
{
	r->s = s;
	r->p = p;
	r->flags = mem_zalloc(strtab_count(p->strings));
	r->beginnings = mem_zalloc(p->n_calls * sizeof(*r->beginnings));
	for (uint32_t i = 1; i < p->n_calls; i++) {
		const struct call *c = &p->calls[i];

		r->beginnings[i] = go_on(r, r->beginnings[c->parent], c->frame, !c->parent);
	}
}

static void reader_close(struct reader *r)
{
	free(r->flags);
	free(r->beginnings);
}

/* Rows that differ in labels are one goroutine: for each row the id of its goroutine. */
static uint32_t *goroutine_ids(const struct profile *p, uint32_t *n)
{
	uint32_t *ids = mem_zalloc(p->n_goroutines * sizeof(*ids));
	struct pairs set = { 0 };

	for (uint32_t i = 1; i < p->n_goroutines; i++)
		ids[i] = pairs_add(&set, p->goroutines[i].process, p->goroutines[i].goid);
	*n = set.n;
	pairs_release(&set);
	return ids;
}

/* Learning. */

static int by_runs(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;

	return ascending(x->runs, y->runs) ?: ascending(x->goroutine, y->goroutine) ?: ascending(x->calls, y->calls);
}

struct evidences {
	struct evidence *rows;
	uint32_t n, cap;
	struct strtab *names;
	uint32_t n_profiles, n_goroutines; /* so far */
};

static void evidence_of(struct evidences *e, const struct starts *s,
			const struct profile *p)
{
	struct reader r;
	struct pairs set = { 0 };
	struct evidence *rows = mem_zalloc(p->n_events * sizeof(*rows)), *to;
	uint32_t n_goroutines, *ids = goroutine_ids(p, &n_goroutines);

	reader_open(&r, s, p);
	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct event *ev = &p->events[i];
		const struct beginning *b = &r.beginnings[ev->call];

		if (!ev->goroutine || b->state < RUNS)
			continue;
		to = &rows[pairs_add(&set, (uint64_t)b->runs << 32 | b->calls,
				     (uint64_t)ids[ev->goroutine] << 32 | b->site)];
		if (!to->samples++)
			to->first_ns = to->last_ns = ev->time_ns;
		to->first_ns = ev->time_ns < to->first_ns ? ev->time_ns : to->first_ns;
		to->last_ns = ev->time_ns > to->last_ns ? ev->time_ns : to->last_ns;
	}
	for (uint32_t i = 0; i < set.n; i++) {
		const struct pair *pair = &set.rows[i];

		to = table_add(e->rows, e->n, e->cap);
		*to = rows[i];
		to->runs = strtab_add(e->names,
				      profile_string(p, (uint32_t)(pair->a >> 32)));
		to->calls = strtab_add(e->names, profile_string(p, (uint32_t)pair->a));
		to->goroutine = e->n_goroutines + (uint32_t)(pair->b >> 32);
		to->profile = e->n_profiles;
		to->site = (uint32_t)pair->b;
	}
	e->n_profiles++;
	e->n_goroutines += n_goroutines;
	reader_close(&r);
	pairs_release(&set);
	free(rows);
	free(ids);
}

/* What the goroutines that run one function say of it. */
struct judgement {
	uint64_t samples, told; /* told: with the next function */
	bool mixed;             /* a goroutine goes on in several functions */
	struct pairs calls;     /* functions that goroutines go on in */
	uint32_t *n_of_calls;   /* goroutines, per id in calls */
	uint32_t n, cap;
	uint32_t n_of_samples[MANY_SAMPLES + 1]; /* goroutines with so many samples */
};

/* rows are those of one goroutine. */
static void judge_goroutine(struct judgement *j, const struct evidence *rows, uint32_t n)
{
	uint64_t told = 0, of_calls = 0, most = 0, first_ns = UINT64_MAX, last_ns = 0;
	uint32_t id, calls = 0;

	for (uint32_t i = 0; i < n; i++) {
		j->samples += rows[i].samples;
		if (!rows[i].calls)
			continue;
		told += rows[i].samples;
		first_ns = rows[i].first_ns < first_ns ? rows[i].first_ns : first_ns;
		last_ns = rows[i].last_ns > last_ns ? rows[i].last_ns : last_ns;
		of_calls = i && rows[i].calls == rows[i - 1].calls ? of_calls : 0;
		of_calls += rows[i].samples;
		if (of_calls > most) {
			most = of_calls;
			calls = rows[i].calls;
		}
	}
	j->told += told;
	j->mixed |= (told - most) * MIXED_SHARE > told;
	if (told < MIN_SAMPLES || last_ns - first_ns < MIN_SPAN_NS)
		return;
	id = pairs_add(&j->calls, calls, 0);
	if (id == j->n)
		(void)table_add(j->n_of_calls, j->n, j->cap);
	j->n_of_calls[id]++;
	j->n_of_samples[told < MANY_SAMPLES ? told : MANY_SAMPLES]++;
}

/* In each profile one place calls all functions. rows are those of one function. */
static bool has_one_site(const struct evidence *rows, uint32_t n, uint32_t n_profiles)
{
	struct pairs sites = { 0 };
	uint64_t *samples = mem_zalloc(n * sizeof(*samples)), told = 0, most = 0;
	uint64_t *of_profile = mem_zalloc(n_profiles * sizeof(*of_profile));

	for (uint32_t i = 0; i < n; i++) {
		if (!rows[i].calls)
			continue;
		told += rows[i].samples;
		samples[pairs_add(&sites, rows[i].profile, rows[i].site)] +=
			rows[i].samples;
	}
	for (uint32_t i = 0; i < sites.n; i++)
		if (samples[i] > of_profile[sites.rows[i].a])
			of_profile[sites.rows[i].a] = samples[i];
	for (uint32_t i = 0; i < n_profiles; i++)
		most += of_profile[i];
	pairs_release(&sites);
	free(samples);
	free(of_profile);
	return (told - most) * MIXED_SHARE <= told;
}

/*
 * The logarithm of the probability that each goroutine goes on in one function only, if
 * each of its samples were one of the functions by chance: the product over the goroutines
 * of the sum over the functions of share ^ samples.
 */
static double log_chance(const struct judgement *j)
{
	double n_goroutines = 0, sum = 0;

	for (uint32_t i = 0; i < j->n; i++)
		n_goroutines += j->n_of_calls[i];
	for (int samples = MIN_SAMPLES; samples <= MANY_SAMPLES; samples++) {
		double same = 0;

		if (!j->n_of_samples[samples])
			continue;
		for (uint32_t i = 0; i < j->n; i++)
			same += pow(j->n_of_calls[i] / n_goroutines, samples);
		sum += j->n_of_samples[samples] * log(same);
	}
	return sum;
}

/* rows are those of one function. */
static bool is_starter(const struct evidence *rows, uint32_t n, uint32_t n_profiles)
{
	struct judgement j = { 0 };
	uint32_t first = 0;
	bool ret;

	for (uint32_t i = 1; i <= n; i++) {
		if (i < n && rows[i].goroutine == rows[first].goroutine)
			continue;
		judge_goroutine(&j, rows + first, i - first);
		first = i;
	}
	ret = !j.mixed && j.n > 1 && (j.samples - j.told) * OWN_TIME_SHARE <= j.samples &&
	      log_chance(&j) < log(CHANCE) && has_one_site(rows, n, n_profiles);
	pairs_release(&j.calls);
	free(j.n_of_calls);
	return ret;
}

/* False: there is no further starter. */
static bool learn(struct starts *s, const struct evidences *e)
{
	uint32_t n = strtab_count(s->learned), first = 0;

	for (uint32_t i = 1; i <= e->n; i++) {
		const char *name = strtab_get(e->names, e->rows[first].runs);

		if (i < e->n && e->rows[i].runs == e->rows[first].runs)
			continue;
		if (strtab_count(s->learned) < MAX_LEARNED && closure_parent(name) &&
		    !origin_is_standard(name) &&
		    is_starter(e->rows + first, i - first, e->n_profiles))
			strtab_add(s->learned, name);
		first = i;
	}
	return strtab_count(s->learned) > n;
}

struct starts *starts_new(const struct profile *const *profiles, uint32_t n)
{
	struct starts *s = mem_zalloc(sizeof(*s));
	bool more = true;

	s->learned = strtab_new();
	for (int round = 0; round < MAX_ROUNDS && more; round++) {
		struct evidences e = { .names = strtab_new() };

		for (uint32_t i = 0; i < n; i++)
			evidence_of(&e, s, profiles[i]);
		table_sort(e.rows, e.n, by_runs);
		more = learn(s, &e);
		strtab_free(e.names);
		free(e.rows);
	}
	return s;
}

void starts_free(struct starts *s)
{
	if (!s)
		return;
	strtab_free(s->learned);
	free(s);
}

/* Naming. */

/* What one goroutine runs, by its samples. */
struct runs {
	uint32_t most; /* string */
	uint64_t samples, most_samples;
};

uint32_t *starts_of(const struct starts *s, const struct profile *p)
{
	struct reader r;
	struct pairs set = { 0 };
	uint64_t *samples = mem_zalloc(p->n_events * sizeof(*samples));
	uint32_t n, *ids = goroutine_ids(p, &n);
	uint32_t *ret = mem_zalloc(p->n_goroutines * sizeof(*ret));
	struct runs *runs = mem_zalloc(n * sizeof(*runs));

	reader_open(&r, s, p);
	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct beginning *b = &r.beginnings[p->events[i].call];

		if (p->events[i].goroutine && b->state >= RUNS)
			samples[pairs_add(&set, ids[p->events[i].goroutine], b->runs)]++;
	}
	for (uint32_t i = 0; i < set.n; i++) {
		struct runs *to = &runs[set.rows[i].a];

		to->samples += samples[i];
		if (samples[i] > to->most_samples) {
			to->most_samples = samples[i];
			to->most = (uint32_t)set.rows[i].b;
		}
	}
	for (uint32_t i = 1; i < p->n_goroutines; i++) {
		const struct runs *of = &runs[ids[i]];
		bool mixed = (of->samples - of->most_samples) * MIXED_SHARE > of->samples;

		ret[i] = of->most && !mixed ? of->most : p->goroutines[i].start;
	}
	reader_close(&r);
	pairs_release(&set);
	free(samples);
	free(runs);
	free(ids);
	return ret;
}
