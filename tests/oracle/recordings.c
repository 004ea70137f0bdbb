/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recordings FILE SEED EVENTS: writes a recording of chance, with all that a recording may
 * hold: several processes and kinds of event, goroutines whose labels change, goroutines of
 * equal ids, names that are no text, stacks that are cut, wrapped, empty or of no Go. Seed
 * 0 is a server's: one process, one kind, tidy names, EVENTS / 10 different stacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"

enum { MAX_DEPTH = 60, PROCESSES = 3, THREADS = 8 };

struct maker {
	struct profile *p;
	uint64_t state;
	bool wild;
	uint32_t n_stacks;
	uint32_t *stacks; /* calls */
	uint8_t *depths;  /* of calls */
};

static uint32_t chance(struct maker *m, uint32_t of)
{
	m->state = m->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((m->state >> 33) % of);
}

static const char *const tidy[] = {
	"main.worker",
	"main.(*server).handle",
	"main.main.func1",
	"example.com/shop/search.(*Index).Find",
	"example.com/shop/search.Score[go.shape.int]",
	"github.com/lib/pq.(*conn).query",
	"net/http.(*conn).serve",
	"runtime.mallocgc",
	"runtime.gcBgMarkWorker",
	"strings.Index",
};
static const char *const hostile[] = {
	"main.quote\"back\\slash",
	"main.control\001\t\n\033[31m\177",
	"main.\xff\xc3(\xe2\x82",
	"main.\xe2\x80\xae\xe2\x80\xa8\xc2\x9b",
	"main.\xe4\xb8\x96\xe7\x95\x8c\xf0\x9f\x8f\x83",
	"main.F[struct { a int; b int }]",
	"</script><script>alert(1)</script>",
	"a;b=c,d\\2ce",
	" ",
	"\xef\xbf\xbd",
};

#define COUNT(list) (uint32_t)(sizeof(list) / sizeof(*(list)))

static uint32_t string(struct maker *m, const char *s)
{
	return strtab_add(m->p->strings, s);
}

static const char *any_name(struct maker *m)
{
	if (m->wild && !chance(m, 3))
		return hostile[chance(m, COUNT(hostile))];
	return tidy[chance(m, COUNT(tidy))];
}

/* 0 now and then. */
static uint32_t any_string(struct maker *m)
{
	return m->wild && !chance(m, 5) ? 0 : string(m, any_name(m));
}

/* Names of a big program: numbered. */
static uint32_t function_name(struct maker *m, uint32_t n)
{
	char name[128];

	if (m->wild && !chance(m, 4))
		return any_string(m);
	snprintf(name, sizeof(name), "%s%u", tidy[chance(m, 7)], n);
	return string(m, name);
}

static void add_frames(struct maker *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct frame f = { .addr = 0x401000 + i * 16,
				   .func = function_name(m, i / 4),
				   .file = any_string(m),
				   .module = chance(m, m->p->n_modules),
				   .line = chance(m, 500),
				   .start_line = chance(m, 400),
				   .kind = FRAME_GO,
				   .inlined = !chance(m, 3) };

		if (m->wild && !chance(m, 2)) {
			f.kind = (uint8_t)chance(m, FRAME_KIND_MAX);
			f.addr = chance(m, 2) ? 0 : UINT64_MAX;
		}
		if (f.kind == FRAME_UNNAMED || f.kind == FRAME_CUT)
			f.func = f.file = 0;
		profile_frame(m->p, &f);
	}
}

/* Each call is one more on top of the one before, or of any. */
static void add_stacks(struct maker *m, uint32_t n)
{
	m->stacks = calloc(n, sizeof(*m->stacks));
	m->depths = calloc(n * 3 + 1, 1);
	while (m->n_stacks < n) {
		uint32_t last = m->p->n_calls, id;
		uint32_t parent = chance(m, 8) ? last - 1 : chance(m, last);

		if (m->depths[parent] == MAX_DEPTH)
			continue;
		id = profile_call(m->p, parent, 1 + chance(m, m->p->n_frames - 1));
		if (id < last)
			continue;
		m->depths[id] = (uint8_t)(m->depths[parent] + 1);
		if (!(id % 3) || m->wild)
			m->stacks[m->n_stacks++] = id;
	}
	if (m->wild)
		m->stacks[0] = 0;
}

static uint32_t any_labels(struct maker *m)
{
	static const char *const values[] = { "search", "cart", "", "a\0b", "a=b,c" };
	struct buf b = { 0 };
	struct label l[3];
	uint32_t n = chance(m, 4), ret;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = chance(m, COUNT(values));

		l[i] = (struct label){ i == 2   ? any_name(m)
				       : i == 1 ? "tenant"
						: "handler",
				       values[v], 0, v == 3 ? 3 : strlen(values[v]),
				       m->wild && !chance(m, 5) };
		l[i].key_len = strlen(l[i].key);
	}
	labels_encode(&b, l, n, m->wild && !chance(m, 8));
	buf_u8(&b, 0);
	ret = string(m, (const char *)b.data);
	buf_release(&b);
	return ret;
}

static void add_programs(struct maker *m, uint32_t goroutines)
{
	uint32_t n = m->wild ? PROCESSES : 1;

	for (uint32_t i = 1; i <= n; i++) {
		struct process pr = { .tgid = 800 + i,
				      .name = string(m, i == 2 ? any_name(m) : "demo"),
				      .path = any_string(m),
				      .go_version = i == 3 ? 0 : string(m, "go1.22.3") };

		profile_process(m->p, &pr);
		for (uint32_t k = 0; k < THREADS; k++)
			profile_thread(m->p, &(struct thread){ i, 800 + i * 100 + k,
							       any_string(m) });
		for (uint32_t k = 1; k <= goroutines; k++)
			for (uint32_t turns = 1 + chance(m, 2); turns--;)
				profile_goroutine(m->p, &(struct goroutine){
								.goid = k * 7,
								.parent_goid = chance(m, 3),
								.process = i,
								.start = any_string(m),
								.creator = any_string(m),
								.labels = any_labels(m) });
	}
}

static void add_kinds(struct maker *m)
{
	profile_kind(m->p, &(struct event_kind){ .name = string(m, "cpu"),
						 .unit = string(m, UNIT_NS),
						 .source = string(m, "cpu-clock"),
						 .freq = 99,
						 .period = 10101010 });
	if (!m->wild)
		return;
	profile_kind(m->p, &(struct event_kind){ .name = string(m, "off-cpu"),
						 .unit = string(m, UNIT_NS) });
	profile_kind(m->p, &(struct event_kind){ .name = string(m, "calls"),
						 .unit = string(m, UNIT_COUNT),
						 .period = 1 });
}

/* A goroutine of the thread's process, or none; in a server, the one that makes such
 * stacks. */
static uint32_t any_goroutine(struct maker *m, uint32_t process, uint32_t stack)
{
	uint32_t n = m->p->n_goroutines, g = m->wild ? chance(m, n) : stack % n;

	return m->p->goroutines[g].process == process ? g : 0;
}

static void add_events(struct maker *m, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t thread = 1 + chance(m, m->p->n_threads - 1);
		uint8_t kind = (uint8_t)(1 + chance(m, m->p->n_kinds - 1));
		uint32_t stack = chance(m, m->n_stacks);
		struct event e = { .time_ns = (uint64_t)i * 1000003,
				   .weight = m->p->kinds[kind].period,
				   .call = m->stacks[stack],
				   .thread = thread,
				   .kind = kind,
				   .class = (uint8_t)chance(m, CLASS_MAX) };

		e.goroutine = any_goroutine(m, m->p->threads[thread].process, stack);
		if (!e.weight || (m->wild && !chance(m, 10)))
			e.weight = chance(m, 1000000);
		e.flags = (uint8_t)chance(m, EVENT_FLAGS);
		profile_event(m->p, &e);
	}
}

static void add_modules(struct maker *m)
{
	profile_module(m->p, &(struct module){ .path = string(m, "/srv/shop"),
					       .go_module = string(m, "example.com/shop"),
					       .go_minor = 22 });
	profile_module(m->p, &(struct module){ .path = string(m, "/lib/libc.so.6") });
	if (m->wild)
		profile_module(m->p, &(struct module){ .path = any_string(m) });
}

int main(int argc, char **argv)
{
	struct maker m = { .p = profile_new() };
	uint32_t events = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
	struct recording *r;
	int err, fd;

	if (!events) {
		fputs("usage: recordings FILE SEED EVENTS\n", stderr);
		return 2;
	}
	m.state = strtoull(argv[2], NULL, 10);
	m.wild = m.state;
	m.p->start_ns = m.wild && chance(&m, 2) ? UINT64_MAX : 1700000000123456789;
	m.p->n_cpus = m.wild && chance(&m, 2) ? 0 : 4;
	m.p->command = m.wild ? string(&m, any_name(&m)) : 0;
	m.p->stats.duration_ns = (uint64_t)events * 1000003;
	m.p->stats.cpu_ns = 123456789;
	m.p->stats.peak_rss = 20 << 20;
	add_kinds(&m);
	add_modules(&m);
	add_programs(&m, 20 + events / 1000);
	add_frames(&m, 50 + events / 50);
	add_stacks(&m, 20 + events / 10);
	add_events(&m, events);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	err = fd < 0 ? -errno : recording_create(&r, fd, m.p);
	if (!err)
		err = recording_finish(r, m.p);
	if (err)
		fprintf(stderr, "recordings: %s: %s\n", argv[1], strerror(-err));
	free(m.stacks);
	free(m.depths);
	profile_free(m.p);
	return err ? 1 : 0;
}
