/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/hotlines.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

enum { NOT_MADE = UINT32_MAX };

struct builder {
	struct hotlines *h;
	const struct view *v;
	struct stacks stacks;
	struct pairs lines; /* name, file and line: id is the row */
	uint32_t *row_of;   /* per frame, + 1; 0: it has no line, NOT_MADE */
	uint32_t *last;     /* per row: the last stack that it was counted for */
	uint32_t cap_last;
};

/* The row of a frame's line, + 1; 0: none. */
static uint32_t row_of(struct builder *b, uint32_t frame)
{
	const struct profile *p = b->v->profile;
	const struct frame *f = view_frame(b->v, frame);
	struct hotlines *h = b->h;
	struct buf name = { 0 };
	uint32_t id, func;

	if (b->row_of[frame] != NOT_MADE)
		return b->row_of[frame];
	if (!f->file || !f->line)
		return b->row_of[frame] = 0;
	view_frame_name(b->v, frame, &name);
	func = strtab_add(h->names, buf_text(&name));
	buf_release(&name);
	id = pairs_add(&b->lines, func, (uint64_t)f->file << 32 | f->line);
	if (id == h->n) {
		b->last = table_room(b->last, sizeof(*b->last), h->n, &b->cap_last);
		*table_add(h->rows, h->n, h->cap) = (struct line_row){
			.func = strtab_get(h->names, func),
			.file = profile_string(p, f->file),
			.line = f->line,
			.origin = (uint8_t)origin_of(p, f),
		};
	}
	return b->row_of[frame] = id + 1;
}

/* Adds the weight that a stack has in all. */
static void add_stack(struct builder *b, uint32_t stack, uint64_t weight)
{
	const struct stack *stacks = b->stacks.rows;
	bool flat = false, own = false;

	for (uint32_t at = stack; at; at = stacks[at].parent) {
		uint32_t row = row_of(b, stacks[at].frame);
		struct line_row *r = &b->h->rows[row - 1];

		if (!row)
			continue;
		r->weights[LINE_FLAT] += flat ? 0 : weight;
		flat = true;
		if (b->last[row - 1] != stack)
			r->weights[LINE_CUM] += weight;
		b->last[row - 1] = stack;
		if (r->origin != ORIGIN_OWN || own)
			continue;
		r->weights[LINE_OWN] += weight;
		own = true;
	}
}

void hotlines_init(struct hotlines *h, const struct view *v)
{
	uint32_t n_frames = v->profile->n_frames + SIGPROF_MAX;
	struct builder b = { .h = h,
			     .v = v,
			     .stacks.view = v,
			     .row_of = mem_zalloc(n_frames * sizeof(*b.row_of)) };
	uint64_t *weights = stacks_weigh(&b.stacks);

	*h = (struct hotlines){ .names = strtab_new() };
	for (uint32_t i = 0; i < n_frames; i++)
		b.row_of[i] = NOT_MADE;
	for (uint32_t i = 1; i < b.stacks.n; i++)
		if (weights[i])
			add_stack(&b, i, weights[i]);
	stacks_release(&b.stacks);
	pairs_release(&b.lines);
	free(weights);
	free(b.row_of);
	free(b.last);
}

static int by_figure(const void *a, const void *b, void *figure)
{
	const struct line_row *x = a, *y = b;
	const enum line_figure *by = figure;

	/* at last by place, so that the order depends on the profile only */
	return descending(x->weights[*by], y->weights[*by])
		?: descending(x->weights[LINE_FLAT], y->weights[LINE_FLAT])
		?: strcmp(x->file, y->file)
		?: ascending(x->line, y->line)
		?: strcmp(x->func, y->func);
}

void hotlines_sort(struct hotlines *h, enum line_figure by)
{
	if (h->n)
		qsort_r(h->rows, h->n, sizeof(*h->rows), by_figure, &by);
}

void hotlines_release(struct hotlines *h)
{
	strtab_free(h->names);
	free(h->rows);
	*h = (struct hotlines){ 0 };
}
