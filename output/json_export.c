/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole profile as JSON: tables whose rows refer to each other by position, for jq and
 * pandas. docs/json.md describes the fields.
 *
 * Written front to back, one row per line. A first pass over the events writes the stacks
 * and finds out which rows the other tables have; only each event's stack is remembered
 * until the second pass writes the events.
 */
#include <stdlib.h>

#include "output/json.h"
#include "output/json_meta.h"
#include "output/used.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

struct export
{
	const struct view *view;
	struct json j;
	struct used frames, goroutines, threads, processes;
	uint32_t *stack_of; /* per event of the view */
	struct buf text;
};

static const struct event *event_at(const struct export *x, uint32_t i)
{
	return &x->view->profile->events[x->view->events[i]];
}

static void table_open(struct export *x, const char *name)
{
	json_line(&x->j);
	json_open(&x->j, name, '[');
}

static void row_open(struct export *x, char bracket)
{
	json_line(&x->j);
	json_open(&x->j, NULL, bracket);
}

/* Stacks. */

static void write_stack(struct export *x, const struct stacks *s, uint32_t stack)
{
	row_open(x, '[');
	for (; stack; stack = s->rows[stack].parent)
		json_uint(&x->j, NULL, used_place(&x->frames, s->rows[stack].frame));
	json_close(&x->j, ']');
}

static void write_stacks(struct export *x)
{
	struct stacks s = { .view = x->view };
	struct used used;

	for (uint32_t i = 0; i < x->view->n_events; i++)
		x->stack_of[i] = stacks_add(&s, event_at(x, i));
	used = used_new(s.n);
	table_open(x, "stacks");
	for (uint32_t i = 0; i < x->view->n_events; i++) {
		const struct event *e = event_at(x, i);
		uint32_t stack = x->stack_of[i], n = used.n;

		x->stack_of[i] = used_place(&used, stack);
		if (used.n > n)
			write_stack(x, &s, stack);
		used_place(&x->threads, e->thread);
		if (e->goroutine)
			used_place(&x->goroutines, e->goroutine);
	}
	json_close(&x->j, ']');
	used_release(&used);
	stacks_release(&s);
}

/* The tables that stacks and events refer to. */

/* Ends the text; it is valid until the next one is begun. */
static const char *text_end(struct export *x)
{
	const char *ret = buf_text(&x->text);

	x->text.len = 0;
	return ret;
}

static const char *kind_name(uint8_t kind)
{
	static const char *const names[FRAME_KIND_MAX] = {
		[FRAME_UNNAMED] = "unnamed", [FRAME_NATIVE] = "native",
		[FRAME_VDSO] = "vdso",       [FRAME_KERNEL] = "kernel",
		[FRAME_CUT] = "cut",
	};

	return names[kind] ? names[kind] : "go";
}

static void write_frame(struct export *x, uint32_t row)
{
	const struct profile *p = x->view->profile;
	const struct frame *f = view_frame(x->view, row);
	struct json *j = &x->j;

	row_open(x, '{');
	view_frame_name(x->view, row, &x->text);
	json_str(j, "name", text_end(x));
	json_str_or_null(j, "function", profile_string(p, f->func));
	json_str_or_null(j, "file", profile_string(p, f->file));
	json_uint_or_null(j, "line", f->line);
	json_uint_or_null(j, "start_line", f->start_line);
	json_str_or_null(j, "module", profile_string(p, p->modules[f->module].path));
	json_hex(j, "address", f->addr, f->addr);
	json_str(j, "kind", kind_name(f->kind));
	json_bool(j, "inlined", f->inlined);
	json_origin(j, "origin", (uint8_t)origin_of(p, f));
	json_close(j, '}');
}

/* A function of a goroutine's process, by the string that begins with its name. */
static void write_go_name(struct export *x, const char *key, const struct goroutine *g,
			  uint32_t name)
{
	view_go_name(x->view, g->process, profile_string(x->view->profile, name), &x->text);
	json_str_or_null(&x->j, key, text_end(x));
}

static void write_goroutine(struct export *x, uint32_t row)
{
	const struct profile *p = x->view->profile;
	const struct goroutine *g = &p->goroutines[row];
	bool whole;

	row_open(x, '{');
	json_uint(&x->j, "process", used_place(&x->processes, g->process));
	json_uint(&x->j, "goid", g->goid);
	json_uint_or_null(&x->j, "parent_goid", g->parent_goid);
	write_go_name(x, "start", g, view_runs(x->view, row));
	write_go_name(x, "entry", g, g->start);
	write_go_name(x, "creator", g, g->creator);
	whole = json_labels(&x->j, "labels", profile_string(p, g->labels));
	json_bool(&x->j, "labels_complete", whole);
	json_close(&x->j, '}');
}

static void write_thread(struct export *x, uint32_t row)
{
	const struct profile *p = x->view->profile;
	const struct thread *t = &p->threads[row];

	row_open(x, '{');
	json_uint(&x->j, "process", used_place(&x->processes, t->process));
	json_uint(&x->j, "tid", t->tid);
	json_str_or_null(&x->j, "name", profile_string(p, t->name));
	json_close(&x->j, '}');
}

static void write_process(struct export *x, uint32_t row)
{
	json_line(&x->j);
	json_process(&x->j, x->view, row);
}

static void write_table(struct export *x, const char *name, const struct used *u,
			void (*write)(struct export *x, uint32_t row))
{
	table_open(x, name);
	for (uint32_t i = 0; i < u->n; i++)
		write(x, u->rows[i]);
	json_close(&x->j, ']');
}

/* Events. */

static void write_events(struct export *x)
{
	struct json *j = &x->j;

	table_open(x, "events");
	for (uint32_t i = 0; i < x->view->n_events; i++) {
		const struct event *e = event_at(x, i);

		row_open(x, '{');
		json_uint(j, "time_ns", e->time_ns);
		json_uint(j, "weight", e->weight);
		json_uint(j, "stack", x->stack_of[i]);
		if (e->goroutine)
			json_uint(j, "goroutine", used_place(&x->goroutines, e->goroutine));
		else
			json_null(j, "goroutine");
		json_uint(j, "thread", used_place(&x->threads, e->thread));
		json_uint_if(j, "cpu", e->cpu - 1u, e->cpu);
		json_str(j, "class", event_class_names[e->class]);
		json_bool(j, "complete", e->flags & EVENT_ROOTED);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_head(struct export *x)
{
	const struct profile *p = x->view->profile;
	const struct event_kind *k = &p->kinds[x->view->kind];
	struct json *j = &x->j;
	uint64_t weight = 0;

	for (uint32_t i = 0; i < x->view->n_events; i++)
		weight += event_at(x, i)->weight;
	json_quality(j, x->view);
	json_recording(j, x->view);
	json_str(j, "kind", profile_string(p, k->name));
	json_str(j, "unit", profile_string(p, k->unit));
	json_uint_or_null(j, "period", k->period);
	json_uint(j, "samples", x->view->n_events);
	json_uint(j, "weight", weight);
	json_uint_if(j, "cpu_ns", weight, view_is_cpu(x->view));
	json_selection(j, x->view, false);
}

static void export_release(struct export *x)
{
	used_release(&x->frames);
	used_release(&x->goroutines);
	used_release(&x->threads);
	used_release(&x->processes);
	free(x->stack_of);
	buf_release(&x->text);
	free(x);
}

static int json_write(struct view *v, const struct writer_options *o, FILE *out)
{
	const struct profile *p = v->profile;
	struct export *x = mem_zalloc(sizeof(*x));

	(void)o;
	x->view = v;
	x->j.out = out;
	x->frames = used_new(p->n_frames + SIGPROF_MAX);
	x->goroutines = used_new(p->n_goroutines);
	x->threads = used_new(p->n_threads);
	x->processes = used_new(p->n_processes);
	x->stack_of = mem_zalloc(v->n_events * sizeof(*x->stack_of));
	json_open(&x->j, NULL, '{');
	write_head(x);
	write_stacks(x);
	write_table(x, "frames", &x->frames, write_frame);
	write_table(x, "goroutines", &x->goroutines, write_goroutine);
	write_table(x, "threads", &x->threads, write_thread);
	write_table(x, "processes", &x->processes, write_process);
	write_events(x);
	json_close(&x->j, '}');
	fputc('\n', out);
	export_release(x);
	return 0;
}

const struct writer json_writer = {
	.name = "json",
	.ending = ".json",
	.help = "all samples and stacks as tables, for jq, pandas and scripts",
	.groups = GROUPS_NONE,
	.by = BY_START,
	.write = json_write,
};
