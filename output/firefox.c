/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The "processed profile" of Firefox Profiler, gzipped: a thread for each group of the
 * view, which are goroutines unless --by says otherwise. The largest 200 have one of their
 * own; the others share one per start function, and what is left then one per process.
 *
 * Written as version 66, which samply writes too; newer readers upgrade it. An event counts
 * for the time before it, as long as its weight. Where the group did not run, a sample
 * without a stack says so, so that the graph of CPU use falls to 0; one such sample comes
 * first, because readers do not count the CPU time of a thread's first sample.
 */
#include <errno.h>
#include <stdlib.h>

#include "output/firefox_tables.h"
#include "output/gzfile.h"
#include "output/json.h"
#include "output/json_meta.h"
#include "output/palette.h"
#include "output/tracks.h"
#include "output/writer.h"
#include "profiler/base/arena.h"

enum { MAX_TRACKS = 200, GZIP_LEVEL = 2, FORMAT = 66, NO_EVENT = UINT32_MAX };

/* A row of a thread's table of samples. */
struct sample {
	uint64_t time_ns;
	uint32_t event; /* row; NO_EVENT: nothing ran */
};

struct firefox {
	const struct view *view;
	struct json j;
	struct firefox_tables tables;
	struct tracks tracks;
	bool cpu, even;         /* the kind is CPU time; all events weigh the same */
	struct sample *samples; /* of one thread */
	uint32_t n_samples, cap_samples;
};

/* Threads. */

static const struct event *event_of(const struct firefox *x, const struct sample *s)
{
	return &x->view->profile->events[s->event];
}

static void add_sample(struct firefox *x, uint64_t time_ns, uint32_t event)
{
	*table_add(x->samples, x->n_samples, x->cap_samples) = (struct sample){ time_ns,
										event };
}

static void make_samples(struct firefox *x, const struct track *t)
{
	uint64_t last_ns = 0;

	x->n_samples = 0;
	for (uint32_t i = 0; i < t->n_events; i++) {
		const struct event *e = &x->view->profile->events[t->events[i]];
		uint64_t begin_ns = e->time_ns > e->weight ? e->time_ns - e->weight : 0;

		/* clocks do not tick evenly: half an event is no pause */
		if (x->cpu && (!i || begin_ns > last_ns + e->weight / 2))
			add_sample(x, begin_ns, NO_EVENT);
		add_sample(x, e->time_ns, t->events[i]);
		last_ns = e->time_ns;
	}
}

static void put_ms(FILE *out, uint64_t ns)
{
	char text[32];
	size_t at = sizeof(text);

	ns /= 1000;
	for (int i = 0; i < 3; i++, ns /= 10)
		text[--at] = (char)('0' + ns % 10);
	text[--at] = '.';
	do
		text[--at] = (char)('0' + ns % 10);
	while (ns /= 10);
	fwrite_unlocked(text + at, 1, sizeof(text) - at, out);
}

static void write_times(struct firefox *x)
{
	struct json *j = &x->j;

	json_open(j, "time", '[');
	for (uint32_t i = 0; i < x->n_samples; i++) {
		if (i)
			putc_unlocked(',', j->out);
		put_ms(j->out, x->samples[i].time_ns);
	}
	json_close(j, ']');
}

static void write_weights(struct firefox *x)
{
	bool time = profile_is_time(x->view->profile, x->view->kind);
	struct json *j = &x->j;

	if (x->even) {
		json_null(j, "weight");
		json_str(j, "weightType", "samples");
		return;
	}
	json_open(j, "weight", '[');
	for (uint32_t i = 0; i < x->n_samples; i++) {
		uint64_t w = x->samples[i].event == NO_EVENT
				     ? 0
				     : event_of(x, &x->samples[i])->weight;

		if (time)
			json_num(j, NULL, (double)w / 1e6);
		else
			json_uint(j, NULL, w);
	}
	json_close(j, ']');
	json_str(j, "weightType", time ? "tracing-ms" : "samples");
}

static void write_samples(struct firefox *x)
{
	const struct sample *s = x->samples;
	struct json *j = &x->j;

	json_open(j, "samples", '{');
	json_uint(j, "length", x->n_samples);
	json_open(j, "stack", '[');
	for (uint32_t i = 0; i < x->n_samples; i++) {
		uint32_t stack = s[i].event == NO_EVENT
					 ? 0
					 : x->tables.frames.stack_of[s[i].event];

		json_uint_if(j, NULL, stack - 1, stack);
	}
	json_close(j, ']');
	write_times(x);
	write_weights(x);
	if (x->cpu)
		json_column(j, "threadCPUDelta", x->n_samples,
			    s[i].event == NO_EVENT ? 0 : event_of(x, &s[i])->weight);
	json_close(j, '}');
}

static void write_markers(struct json *j)
{
	static const char *const names[] = { "data",    "name",  "startTime",
					     "endTime", "phase", "category" };

	json_open(j, "markers", '{');
	json_uint(j, "length", 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_nulls(j, names[i], 0);
	json_close(j, '}');
}

/* The goroutine's or the thread's id where the track is one; else any unique word. */
static void write_id(struct firefox *x, const struct track *t)
{
	const struct view *v = x->view;
	const struct event *e = &v->profile->events[*t->events];
	bool one = t->n_groups == 1 && v->by.n == 1;
	char word[24];

	if (one && v->by.keys[0] == BY_GOROUTINE && e->goroutine) {
		json_uint(&x->j, "tid", v->profile->goroutines[e->goroutine].goid);
	} else if (one && v->by.keys[0] == BY_THREAD) {
		json_uint(&x->j, "tid", v->profile->threads[e->thread].tid);
	} else {
		snprintf(word, sizeof(word), "track %u",
			 (uint32_t)(t - x->tracks.rows) + 1);
		json_str(&x->j, "tid", word);
	}
}

static void write_thread(struct firefox *x, const struct track *t)
{
	const struct profile *p = x->view->profile;
	const struct process *pr = &p->processes[t->process];
	struct json *j = &x->j;
	char pid[16];

	make_samples(x, t);
	snprintf(pid, sizeof(pid), "%u", pr->tgid);
	json_line(j);
	json_open(j, NULL, '{');
	json_str(j, "name", *t->name ? t->name : x->view->title);
	json_str(j, "processName", profile_string(p, pr->name));
	json_str(j, "processType", "default");
	json_uint(j, "processStartupTime", 0);
	json_null(j, "processShutdownTime");
	json_uint(j, "registerTime", 0);
	json_null(j, "unregisterTime");
	json_nulls(j, "pausedRanges", 0);
	json_bool(j, "isMainThread", false);
	json_str(j, "pid", pid);
	write_id(x, t);
	write_samples(x);
	write_markers(j);
	json_close(j, '}');
}

/* The rest. */

static void write_categories(struct json *j)
{
	static const char *const colors[PALETTE_MAX] = {
		[PALETTE_OWN] = "green",     [PALETTE_LIBRARY] = "lightblue",
		[PALETTE_STANDARD] = "blue", [PALETTE_RUNTIME] = "yellow",
		[PALETTE_GC] = "magenta",    [PALETTE_KERNEL] = "orange",
		[PALETTE_NATIVE] = "purple", [PALETTE_VDSO] = "brown",
		[PALETTE_UNNAMED] = "grey", /* readers need one that is grey */
	};

	json_open(j, "categories", '[');
	for (int i = 0; i < PALETTE_MAX; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", palette_names[i]);
		json_str(j, "color", colors[i]);
		json_open(j, "subcategories", '[');
		json_str(j, NULL, "Other");
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_units(struct firefox *x)
{
	struct json *j = &x->j;

	if (!x->cpu)
		return;
	json_open(j, "sampleUnits", '{');
	json_str(j, "time", "ms");
	json_str(j, "eventDelay", "ms");
	json_str(j, "threadCPUDelta", "ns");
	json_close(j, '}');
}

static void write_meta(struct firefox *x)
{
	const struct profile *p = x->view->profile;
	uint64_t period = p->kinds[x->view->kind].period;
	struct json *j = &x->j;

	json_open(j, "meta", '{');
	json_num(j, "interval", x->cpu && period ? (double)period / 1e6 : 1);
	json_uint(j, "startTime", p->start_ns / 1000000);
	json_uint(j, "processType", 0);
	json_str(j, "product", x->view->title);
	json_str(j, "importedFrom", "gostrobe " GOSTROBE_VERSION);
	json_uint(j, "stackwalk", 1);
	json_uint(j, "version", 24);
	json_uint(j, "preprocessedProfileVersion", FORMAT);
	json_bool(j, "symbolicated", true);
	json_bool(j, "usesOnlyOneStackType", true);
	json_bool(j, "sourceCodeIsNotOnSearchfox", true);
	json_str(j, "platform", "Linux");
	if (p->n_cpus)
		json_uint(j, "logicalCPUs", p->n_cpus);
	json_nulls(j, "pausedRanges", 0);
	json_nulls(j, "markerSchema", 0);
	write_units(x);
	write_categories(j);
	json_close(j, '}');
}

static void write_all(struct firefox *x)
{
	struct json *j = &x->j;

	json_open(j, NULL, '{');
	write_meta(x);
	firefox_tables_write(&x->tables, j);
	json_line(j);
	json_open(j, "threads", '[');
	for (uint32_t i = 0; i < x->tracks.n && !ferror(j->out); i++)
		write_thread(x, &x->tracks.rows[i]);
	json_close(j, ']');
	json_close(j, '}');
	putc_unlocked('\n', j->out);
}

static void make_tables(struct firefox *x)
{
	static const struct grouping rest[] = {
		{ .keys = { BY_START }, .n = 1 },
		{ .keys = { BY_PROCESS }, .n = 1 },
	};
	const struct view *v = x->view;
	uint64_t period = v->profile->kinds[v->kind].period;

	x->tracks.view = v;
	x->tracks.max = MAX_TRACKS;
	x->tracks.rest = rest;
	x->tracks.n_rest = 2;
	x->tracks.no_process = true;
	x->cpu = view_is_cpu(v);
	x->even = true;
	for (uint32_t i = 0; i < v->n_events; i++)
		x->even &= v->profile->events[v->events[i]].weight == period;
	firefox_tables_make(&x->tables, v);
	tracks_make(&x->tracks);
}

static void release(struct firefox *x)
{
	firefox_tables_release(&x->tables);
	tracks_release(&x->tracks);
	free(x->samples);
}

static int firefox_write(struct view *v, const struct writer_options *o, FILE *out)
{
	FILE *gzip = gzfile_open(out, GZIP_LEVEL);
	struct firefox x = { .view = v, .j = { .out = gzip } };

	(void)o;
	if (!gzip)
		return -errno;
	make_tables(&x);
	write_all(&x);
	release(&x);
	return gzfile_close(gzip);
}

const struct writer firefox_writer = {
	.name = "firefox",
	.ending = ".json.gz",
	.help = "for profiler.firefox.com: a track for each of the 200 largest goroutines, the "
		"rest by start function",
	.binary = true,
	.by = BY_GOROUTINE,
	.write = firefox_write,
};
