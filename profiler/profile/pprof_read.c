/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/pprof_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/profile.h"

enum {
	MAX_BYTES = 64 << 20,
	MAX_SAMPLES = 10000000,
	CHUNK = 1 << 16,
	MAX_LABELS = 64, /* of a sample */
};

/* protobuf-c may take many times the bytes that it reads: an empty message has two. */
#define MAX_MEMORY ((size_t)384 << 20)

struct reader {
	const Pprof__Profile *in;
	struct profile *p;
	int cpu, count; /* indexes of values; count -1: there is none */
	int64_t unit;   /* ns that a value of cpu stands for */
	int64_t period; /* in ns; 0: not known */
	struct pairs mappings, functions, locations; /* ids; by their order in the file */
	uint64_t n_events;                           /* so far */
	uint64_t frames_left; /* that may be added: more are no honest file's */
	struct buf text;
	const char *why;
};

/* Unpacking. */

static int read_all(const char *path, struct buf *to, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), n, err;
	gzFile gz = fd < 0 ? NULL : gzdopen(fd, "rb"); /* also reads what is not packed */
	bool damaged;

	if (!gz)
		return fd < 0 ? -errno : -ENOMEM;
	do {
		errno = 0;
		n = gzread(gz, buf_room(to, CHUNK), CHUNK);
		to->len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && to->len <= MAX_BYTES);
	err = n < 0 && errno ? -errno : 0;
	/* which tells whether the end was there */
	damaged = gzclose(gz) != Z_OK || n < 0;
	*why = damaged ? "it is damaged or cut off" : "it is larger than 64 MiB unpacked";
	return err ? err : damaged || to->len > MAX_BYTES ? -EBADMSG : 0;
}

/* Counts what was ever allocated: nothing is freed before the end. */
static void *limited_alloc(void *used, size_t n)
{
	size_t *u = used;

	if (*u > MAX_MEMORY || n > MAX_MEMORY - *u) {
		*u = SIZE_MAX;
		return NULL;
	}
	*u += n;
	return malloc(n);
}

static void limited_free(void *used, void *ptr)
{
	(void)used;
	free(ptr);
}

/* Strings and ids. */

static const char *in_string(const struct reader *r, int64_t i)
{
	return i >= 0 && (uint64_t)i < r->in->n_string_table ? r->in->string_table[i] : "";
}

static uint32_t string(struct reader *r, int64_t i)
{
	return strtab_add(r->p->strings, in_string(r, i));
}

/* The place of an id in the file; UINT32_MAX: there is none. */
static uint32_t find(struct pairs *ids, size_t n, uint64_t id)
{
	uint32_t ret = pairs_add(ids, id, 0);

	return ret < n ? ret : UINT32_MAX;
}

#define index_ids(set, rows, n) \
	do { \
		for (size_t i = 0; i < (n); i++) \
			if (pairs_add(set, (rows)[i]->id, 0) != i) \
				return "an id comes twice"; \
	} while (0)

static const char *index_all(struct reader *r)
{
	index_ids(&r->mappings, r->in->mapping, r->in->n_mapping);
	index_ids(&r->functions, r->in->function, r->in->n_function);
	index_ids(&r->locations, r->in->location, r->in->n_location);
	return NULL;
}

/* Tables. */

/* What a unit of time has in ns; 0: it is none. */
static int64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { UNIT_NS, 1 },
		      { "microseconds", 1000 },
		      { "milliseconds", 1000000 },
		      { "seconds", 1000000000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	return 0;
}

static const char *find_values(struct reader *r)
{
	const Pprof__Profile *in = r->in;

	r->cpu = r->count = -1;
	for (size_t i = 0; i < in->n_sample_type && i < 16; i++) {
		const char *type = in_string(r, in->sample_type[i]->type);
		const char *unit = in_string(r, in->sample_type[i]->unit);

		if (!strcmp(type, "cpu") && unit_ns(unit)) {
			r->cpu = (int)i;
			r->unit = unit_ns(unit);
		} else if (!strcmp(type, "samples") && !strcmp(unit, UNIT_COUNT))
			r->count = (int)i;
	}
	if (r->cpu < 0)
		return in->n_sample_type
			       ? "it has no CPU time: it is a profile of something else"
			       : "it is not a pprof profile";
	if (in->period <= 0 || __builtin_mul_overflow(in->period, r->unit, &r->period))
		r->period = 0;
	if (!r->period && r->count < 0)
		return "it does not tell how many samples it has";
	return NULL;
}

static void add_tables(struct reader *r)
{
	const Pprof__Profile *in = r->in;
	const char *path, *slash;
	uint32_t process;

	for (size_t i = 0; i < in->n_mapping; i++)
		profile_module(r->p,
			       &(struct module){
				       .path = string(r, in->mapping[i]->filename),
				       .build_id = string(r, in->mapping[i]->build_id) });
	path = in->n_mapping ? in_string(r, in->mapping[0]->filename) : "";
	slash = strrchr(path, '/');
	process = profile_process(
		r->p, &(struct process){
			      .name = strtab_add(r->p->strings, slash ? slash + 1 : path),
			      .path = strtab_add(r->p->strings, path) });
	profile_thread(r->p, &(struct thread){ .process = process });
	profile_kind(r->p,
		     &(struct event_kind){
			     .name = strtab_add(r->p->strings, "cpu"),
			     .unit = strtab_add(r->p->strings, UNIT_NS),
			     .freq = r->period ? (uint32_t)(1000000000 / r->period) : 0,
			     .period = (uint64_t)r->period });
	r->p->start_ns = (uint64_t)in->time_nanos;
	r->p->stats.duration_ns = in->duration_nanos > 0 ? (uint64_t)in->duration_nanos : 0;
	r->p->complete = true;
}

/* Stacks. */

static uint32_t line_number(int64_t n)
{
	return n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
}

static uint32_t add_line(struct reader *r, uint32_t call, const Pprof__Location *l,
			 struct frame f, size_t line)
{
	uint32_t i = find(&r->functions, r->in->n_function, l->line[line]->function_id);
	const Pprof__Function *fn = i < UINT32_MAX ? r->in->function[i] : NULL;

	if (fn) {
		f.func = string(r, *in_string(r, fn->system_name) ? fn->system_name
								  : fn->name);
		f.file = string(r, fn->filename);
		f.start_line = line_number(fn->start_line);
		f.line = line_number(l->line[line]->line);
		f.kind = f.kind == FRAME_UNNAMED ? FRAME_GO : f.kind;
	}
	f.inlined = line + 1 < l->n_line;
	r->frames_left -= r->frames_left > 0;
	return profile_call(r->p, call, profile_frame(r->p, &f));
}

static uint32_t add_location(struct reader *r, uint32_t call, uint64_t id)
{
	uint32_t i = find(&r->locations, r->in->n_location, id), module;
	const Pprof__Location *l = i < UINT32_MAX ? r->in->location[i] : NULL;
	struct frame f = { 0 };

	r->frames_left -= r->frames_left > 0;
	if (!l)
		return profile_call(r->p, call, profile_frame(r->p, &f));
	module = find(&r->mappings, r->in->n_mapping, l->mapping_id);
	f.addr = l->address;
	f.module = module < UINT32_MAX ? module + 1 : 0;
	if (!strcmp(profile_string(r->p, r->p->modules[f.module].path),
		    "[kernel.kallsyms]"))
		f.kind = FRAME_KERNEL;
	for (size_t k = l->n_line; k-- && r->frames_left;)
		call = add_line(r, call, l, f, k);
	if (!l->n_line)
		call = profile_call(r->p, call, profile_frame(r->p, &f));
	return call;
}

/* Samples. */

static bool is_label(const struct reader *r, const Pprof__Label *l, const char *key)
{
	return !strcmp(in_string(r, l->key), key);
}

/* Row 0, none, for a sample without labels. */
static uint32_t add_goroutine(struct reader *r, const Pprof__Sample *s)
{
	struct goroutine g = { .process = 1 };
	struct label labels[MAX_LABELS];
	uint32_t n = 0;

	for (size_t i = 0; i < s->n_label; i++) {
		const Pprof__Label *l = s->label[i];
		const char *value = in_string(r, l->str);

		if (is_label(r, l, "goid") && !l->str)
			g.goid = (uint64_t)l->num;
		else if (is_label(r, l, "go_parent") && !l->str)
			g.parent_goid = (uint64_t)l->num;
		else if (is_label(r, l, "go_start") && l->str)
			g.start = string(r, l->str);
		else if (is_label(r, l, "go_created_by") && l->str)
			g.creator = string(r, l->str);
		else if (l->str && n < MAX_LABELS)
			labels[n++] =
				(struct label){ .key = in_string(r, l->key),
						.key_len = strlen(in_string(r, l->key)),
						.value = value,
						.value_len = strlen(value) };
	}
	if (!n && !g.goid)
		return 0;
	r->text.len = 0;
	labels_encode(&r->text, labels, n, false);
	g.labels = strtab_add(r->p->strings, buf_text(&r->text));
	return profile_goroutine(r->p, &g);
}

/* The events of a sample. False: its values make no sense. */
static bool events_of(const struct reader *r, const Pprof__Sample *s, uint64_t *ret)
{
	int64_t n, cpu;

	if (s->n_value != r->in->n_sample_type ||
	    __builtin_mul_overflow(s->value[r->cpu], r->unit, &cpu) || cpu < 0)
		return false;
	n = r->count >= 0 ? s->value[r->count]
			  : cpu / r->period + (cpu % r->period >= (r->period + 1) / 2);
	*ret = (uint64_t)n;
	return n >= 0 && n <= MAX_SAMPLES;
}

/* Fractions of the golden ratio are spread evenly, however many there are. */
static uint64_t spread_ns(const struct reader *r, uint64_t i)
{
	uint64_t fraction = i * 0x9e3779b97f4a7c15u;

	return (uint64_t)((unsigned __int128)fraction * r->p->stats.duration_ns >> 64);
}

/* The runtime's clock often strikes while the scheduler interrupts a goroutine: what it
 * interrupted is the function that ran. */
static uint32_t skip_preemption(const struct profile *p, uint32_t call)
{
	const struct call *c = &p->calls[call];

	return c->parent && !strcmp(profile_string(p, p->frames[c->frame].func),
				    "runtime.asyncPreempt")
		       ? c->parent
		       : call;
}

static void add_sample(struct reader *r, const Pprof__Sample *s, uint64_t n)
{
	uint64_t weight = (uint64_t)(s->value[r->cpu] * r->unit);
	struct event e = {
		.thread = 1, .kind = 1, .class = CLASS_USER, .flags = EVENT_ROOTED
	};

	for (size_t i = s->n_location_id; i-- && r->frames_left;)
		e.call = add_location(r, e.call, s->location_id[i]);
	e.call = skip_preemption(r->p, e.call);
	e.goroutine = add_goroutine(r, s);
	for (uint64_t i = 0; i < n; i++) {
		e.time_ns = spread_ns(r, r->n_events++);
		e.weight = weight / n + (i < weight % n);
		profile_event(r->p, &e);
	}
}

static const char *add_samples(struct reader *r)
{
	const Pprof__Profile *in = r->in;
	uint64_t n = 0;

	for (size_t i = 0; i < in->n_sample; i++) {
		uint64_t more;

		if (!events_of(r, in->sample[i], &more))
			return "the values of a sample make no sense";
		n += more;
		if (n > MAX_SAMPLES)
			return "it has more than 10,000,000 samples";
		if (more)
			add_sample(r, in->sample[i], more);
		if (!r->frames_left)
			return "it has far more frames than its size explains";
	}
	return n ? NULL : "it has no samples";
}

static const char *read_profile(struct reader *r)
{
	const char *why;

	if (!r->in)
		return "it is not a pprof profile";
	r->p = profile_new();
	why = find_values(r);
	why = why ? why : index_all(r);
	if (!why)
		add_tables(r);
	return why ? why : add_samples(r);
}

int pprof_read(struct profile **ret, const char *path, const char **why)
{
	size_t used = 0;
	ProtobufCAllocator limited = { limited_alloc, limited_free, &used };
	struct reader r = { 0 };
	struct buf raw = { 0 };
	Pprof__Profile *in;
	int err = read_all(path, &raw, why);

	if (err) {
		buf_release(&raw);
		return err;
	}
	r.frames_left = ((uint64_t)1 << 20) + 4 * raw.len;
	r.in = in = pprof__profile__unpack(&limited, raw.len, raw.data);
	*why = used == SIZE_MAX ? "it would take more than 384 MiB of memory"
				: read_profile(&r);
	if (in)
		pprof__profile__free_unpacked(in, &limited);
	buf_release(&raw);
	buf_release(&r.text);
	pairs_release(&r.mappings);
	pairs_release(&r.functions);
	pairs_release(&r.locations);
	if (*why) {
		profile_free(r.p);
		return -EBADMSG;
	}
	*ret = r.p;
	return 0;
}
