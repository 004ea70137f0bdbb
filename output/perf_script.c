/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of perf script, which many tools read:
 *
 *	server 812/815  [002] 1700000000.100000:   10101010 cpu-clock:
 *		          46a1c0 main.work (/usr/local/bin/server)
 *		          46a0f3 main.worker (/usr/local/bin/server)
 *
 * As perf prints them: the leaf first, "(inlined)" in place of the file for inlined calls,
 * "[unknown]" for addresses without a name, then an empty line. The period is the event's
 * weight. Unlike perf's, addresses are those in the file, and the time is that of day. Old
 * recordings do not know the CPU; then there is no "[002]", which readers do not need.
 * Grouped by goroutine, an event has the start function in place of the thread's name and
 * the goroutine's id in place of the tid.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/json_meta.h"
#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

enum { BUF_BYTES = 1 << 16 };

struct line {
	const char *text;
	uint32_t len;
};

struct script {
	const struct view *view;
	bool goroutines;      /* in place of threads */
	struct strtab *texts; /* of frames, and the beginnings of events */
	uint32_t *text_of;    /* of each row of frames, in texts */
	struct line *lines;   /* the same per text of frames */
	uint32_t *heads; /* per row of threads or goroutines, in texts; 0: not made yet */
	struct stacks stacks; /* a frame is its text */
	struct buf event;     /* " cpu-clock: \n" */
	struct buf text, buf;
};

/* Adds a word: readers look for blanks, colons and brackets to split a line. */
static void add_word(struct buf *to, const char *s, const char *special)
{
	size_t at = to->len;

	text_frame(to, s);
	for (; at < to->len; at++)
		if (strchr(special, (char)to->data[at]))
			to->data[at] = '_';
}

/* A name of digits, or one that begins a comment, would be misread. */
static void add_comm(struct buf *to, const char *s)
{
	if (*s == '#' || (*s && !s[strspn(s, "0123456789/")]))
		buf_u8(to, ':');
	add_word(to, s, " ");
}

static void add_file(struct buf *to, const struct profile *p, const struct frame *f)
{
	const char *path = profile_string(p, p->modules[f->module].path);

	if (f->inlined)
		buf_str(to, "inlined");
	else if (f->kind == FRAME_KERNEL)
		buf_str(to, "[kernel.kallsyms]");
	else if (f->kind == FRAME_VDSO)
		buf_str(to, "[vdso]");
	else
		add_word(to, path, " ");
}

static void add_frame(struct script *s, uint32_t row, struct buf *to)
{
	const struct profile *p = s->view->profile;
	const struct frame *f = view_frame(s->view, row);
	struct buf name = { 0 };

	if (f->func || f->kind == FRAME_CUT || row >= p->n_frames)
		view_frame_name(s->view, row, &name);
	buf_printf(to, "\t%16" PRIx64 " ", f->addr);
	text_frame(to, buf_text(&name));
	buf_str(to, " (");
	add_file(to, p, f);
	buf_str(to, ")\n");
	buf_release(&name);
}

static void make_frames(struct script *s)
{
	uint32_t n = s->view->profile->n_frames + SIGPROF_MAX;

	s->text_of = mem_zalloc(n * sizeof(*s->text_of));
	for (uint32_t i = 0; i < n; i++) {
		s->text.len = 0;
		add_frame(s, i, &s->text);
		s->text_of[i] = strtab_add(s->texts, buf_text(&s->text));
	}
	n = strtab_count(s->texts);
	s->lines = mem_zalloc(n * sizeof(*s->lines));
	for (uint32_t i = 0; i < n; i++) {
		s->lines[i].text = strtab_get(s->texts, i);
		s->lines[i].len = (uint32_t)strlen(s->lines[i].text);
	}
}

/* Begins an event: "server   812/815   ". */
static void add_head(struct script *s, const struct event *e, struct buf *to)
{
	const struct profile *p = s->view->profile;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	const struct thread *t = &p->threads[e->thread];
	const struct process *pr = &p->processes[t->process];
	struct buf name = { 0 };
	uint64_t id = t->tid;

	if (!s->goroutines) {
		buf_str(&name, profile_string(p, t->name ? t->name : pr->name));
	} else if (e->goroutine) {
		view_go_name(s->view, g->process,
			     profile_string(p, view_runs(s->view, e->goroutine)), &name);
		id = g->goid;
	} else {
		buf_printf(&name, "[%s]", event_class_names[e->class]);
	}
	add_comm(to, buf_text(&name));
	buf_printf(to, " %5" PRIu32 "/%-5" PRIu64 " ", pr->tgid, id);
	buf_release(&name);
}

/* The same, made once for each thread or goroutine. */
static void add_head_once(struct script *s, const struct event *e)
{
	uint32_t *head = &s->heads[s->goroutines ? e->goroutine : e->thread];

	if (s->goroutines && !e->goroutine) {
		add_head(s, e, &s->buf);
		return;
	}
	if (!*head) {
		s->text.len = 0;
		add_head(s, e, &s->text);
		*head = strtab_add(s->texts, buf_text(&s->text));
	}
	buf_str(&s->buf, strtab_get(s->texts, *head));
}

/* Adds a number in at least n columns. */
static void add_padded(struct buf *to, uint64_t v, int n, char pad)
{
	uint64_t least = 1;

	for (int i = 1; i < n; i++)
		least *= 10;
	for (; least > v && least > 1; least /= 10)
		buf_u8(to, (uint8_t)pad);
	buf_decimal(to, v);
}

static void add_event(struct script *s, const struct event *e)
{
	uint64_t us = (s->view->profile->start_ns + e->time_ns) / 1000;
	uint32_t stack = stacks_add(&s->stacks, e);

	add_head_once(s, e);
	if (e->cpu) {
		buf_u8(&s->buf, '[');
		add_padded(&s->buf, e->cpu - 1, 3, '0');
		buf_str(&s->buf, "] ");
	}
	add_padded(&s->buf, us / 1000000, 5, ' ');
	buf_u8(&s->buf, '.');
	add_padded(&s->buf, us % 1000000, 6, '0');
	buf_str(&s->buf, ": ");
	add_padded(&s->buf, e->weight, 10, ' ');
	buf_add(&s->buf, s->event.data, s->event.len);
	if (!stack)
		buf_str(&s->buf, "\t               0 [unknown] ([unknown])\n");
	for (; stack; stack = s->stacks.rows[stack].parent) {
		const struct line *l = &s->lines[s->stacks.rows[stack].frame];

		buf_add(&s->buf, l->text, l->len);
	}
	buf_u8(&s->buf, '\n');
}

/* " cpu-clock: \n" */
static void make_event(struct script *s)
{
	const struct profile *p = s->view->profile;
	const struct event_kind *k = &p->kinds[s->view->kind];

	buf_u8(&s->event, ' ');
	add_word(&s->event,
		 profile_string(p, view_is_cpu(s->view) && k->source ? k->source : k->name),
		 " :");
	buf_str(&s->event, ": \n");
}

static void write_events(struct script *s, FILE *out)
{
	uint32_t *events = view_by_time(s->view);

	for (uint32_t i = 0; i < s->view->n_events && !ferror(out); i++) {
		add_event(s, &s->view->profile->events[events[i]]);
		if (s->buf.len >= BUF_BYTES)
			buf_write(&s->buf, out);
	}
	buf_write(&s->buf, out);
	free(events);
}

static int perf_script_write(struct view *v, const struct writer_options *o, FILE *out)
{
	const struct profile *p = v->profile;
	struct script s = { .view = v, .texts = strtab_new() };

	(void)o;
	s.goroutines = v->by.n && v->by.keys[0] == BY_GOROUTINE;
	s.heads = mem_zalloc((s.goroutines ? p->n_goroutines : p->n_threads) *
			     sizeof(*s.heads));
	make_event(&s);
	make_frames(&s);
	s.stacks = (struct stacks){ .view = v, .alike = s.text_of };
	write_events(&s, out);
	stacks_release(&s.stacks);
	buf_release(&s.event);
	buf_release(&s.text);
	buf_release(&s.buf);
	strtab_free(s.texts);
	free(s.text_of);
	free(s.lines);
	free(s.heads);
	return 0;
}

const struct writer perf_script_writer = {
	.name = "perf-script",
	.ending = ".linux-perf.txt", /* as speedscope knows it */
	.help = "the text of perf script, for stackcollapse-perf, inferno and other readers of "
		"it; --by goroutine puts goroutines in the place of threads",
	.groups = GROUPS_GOROUTINE,
	.by = BY_NONE,
	.write = perf_script_write,
};
