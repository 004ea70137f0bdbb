/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks: "root;caller;callee COUNT", the format of flamegraph.pl. A line for each
 * group and stack, in the order of their first samples; COUNT is the number of samples, or
 * their weight for a kind of event without a period, whose events differ. Names keep their
 * spaces, since readers take the last number of a line.
 */
#include <stdlib.h>

#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/groups.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

struct folding {
	const struct view *view;
	struct strtab *names; /* of groups */
	struct strtab *texts; /* of frames, as they are written */
	uint32_t *text_of;    /* per row of frames, in texts */
	struct groups groups;
	struct stacks stacks; /* a frame is its text */
	struct pairs lines;   /* group, stack */
	uint64_t *counts;     /* per line */
	uint32_t n_counts, cap_counts;
	uint32_t path[VIEW_MAX_FRAMES], n_path; /* of one line, leaf first */
	struct buf line;
};

static void make_texts(struct folding *f, bool annotate)
{
	uint32_t n = f->view->profile->n_frames + SIGPROF_MAX;
	struct buf name = { 0 }, text = { 0 };

	f->text_of = mem_zalloc(n * sizeof(*f->text_of));
	for (uint32_t i = 0; i < n; i++) {
		const struct frame *frame = view_frame(f->view, i);

		name.len = text.len = 0;
		view_frame_name(f->view, i, &name);
		text_frame(&text, buf_text(&name));
		if (frame->kind == FRAME_KERNEL)
			buf_str(&text, "_[k]");
		else if (frame->inlined && annotate)
			buf_str(&text, "_[i]");
		f->text_of[i] = strtab_add(f->texts, buf_text(&text));
	}
	buf_release(&name);
	buf_release(&text);
}

static void count_events(struct folding *f)
{
	const struct profile *p = f->view->profile;
	bool weights = !p->kinds[f->view->kind].period;

	for (uint32_t i = 0; i < f->view->n_events; i++) {
		const struct event *e = &p->events[f->view->events[i]];
		uint32_t group = groups_add(&f->groups, e);
		uint32_t line = pairs_add(&f->lines, group, stacks_add(&f->stacks, e));

		if (line == f->n_counts)
			*table_add(f->counts, f->n_counts, f->cap_counts) = 0;
		f->counts[line] += weights ? e->weight : 1;
	}
}

static void line_add(struct folding *f, uint32_t group, uint32_t stack)
{
	uint32_t levels[MAX_GROUP_KEYS + 1], n_levels = 0;
	struct buf *b = &f->line;

	for (; group; group = f->groups.rows[group].parent)
		levels[n_levels++] = group;
	for (f->n_path = 0; stack; stack = f->stacks.rows[stack].parent)
		f->path[f->n_path++] = f->stacks.rows[stack].frame;
	while (n_levels--) {
		const struct group_level *l = &f->groups.rows[levels[n_levels]];

		text_frame(b, strtab_get(f->names, l->name));
		buf_u8(b, ';');
	}
	while (f->n_path) {
		buf_str(b, strtab_get(f->texts, f->path[--f->n_path]));
		buf_u8(b, ';');
	}
	if (!b->len)
		text_frame(b, "");
	else
		b->len--; /* the last ';' */
}

static void write_lines(struct folding *f, FILE *out)
{
	for (uint32_t i = 0; i < f->lines.n && !ferror(out); i++) {
		line_add(f, (uint32_t)f->lines.rows[i].a, (uint32_t)f->lines.rows[i].b);
		buf_printf(&f->line, " %llu\n", (unsigned long long)f->counts[i]);
		buf_write(&f->line, out);
	}
}

static int folded_write(struct view *v, const struct writer_options *o, FILE *out)
{
	struct folding f = { .view = v, .names = strtab_new(), .texts = strtab_new() };

	make_texts(&f, o->annotate);
	f.groups = (struct groups){ .view = v, .names = f.names };
	f.stacks = (struct stacks){ .view = v, .alike = f.text_of };
	count_events(&f);
	write_lines(&f, out);
	groups_release(&f.groups);
	stacks_release(&f.stacks);
	pairs_release(&f.lines);
	buf_release(&f.line);
	strtab_free(f.names);
	strtab_free(f.texts);
	free(f.text_of);
	free(f.counts);
	return 0;
}

const struct writer folded_writer = {
	.name = "folded",
	.ending = ".folded",
	.help = "one line per stack, for flamegraph.pl and similar tools",
	.annotates = true,
	.by = BY_GOROUTINE,
	.write = folded_write,
};
