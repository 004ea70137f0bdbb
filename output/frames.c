/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/frames.h"

#include <stdlib.h>
#include <string.h>

#include "output/palette.h"
#include "output/used.h"
#include "profiler/base/arena.h"
#include "profiler/base/index.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/view.h"

static struct shown_frame frame_shown(const struct frames *f, uint32_t row, uint32_t name)
{
	const struct frame *from = view_frame(f->view, row);
	struct shown_frame ret;

	memset(&ret, 0, sizeof(ret)); /* the padding too */
	ret.name = name;
	ret.file = from->file;
	ret.line = from->line;
	ret.palette = (uint8_t)palette_of(f->view, row);
	if (f->functions || !from->file)
		ret.module = from->module;
	if (f->functions) {
		ret.start_line = from->start_line;
		ret.inlined = from->inlined;
	}
	return ret;
}

/* Makes rows for all frames of the profile. Returns which row each has; the caller frees
 * it. */
static uint32_t *make_rows(struct frames *f)
{
	uint32_t n = f->view->profile->n_frames + SIGPROF_MAX, cap = 0;
	uint32_t *ret = frame_names(f->view, f->names);
	struct index index = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		struct shown_frame frame = frame_shown(f, i, ret[i]);

		ret[i] = index_put(&index, f->rows, f->n, cap, &frame, sizeof(frame));
	}
	index_release(&index);
	return ret;
}

/* Keeps the rows that are in stacks, by their first use. */
static void drop_unused(struct frames *f)
{
	struct used used = used_new(f->n);
	struct shown_frame *rows = f->rows;

	for (uint32_t i = 1; i < f->n_stacks; i++)
		f->stacks[i].frame = used_place(&used, f->stacks[i].frame);
	f->rows = mem_zalloc(used.n * sizeof(*f->rows));
	f->n = used.n;
	for (uint32_t i = 0; i < used.n; i++)
		f->rows[i] = rows[used.rows[i]];
	used_release(&used);
	free(rows);
}

void frames_make(struct frames *f)
{
	const struct profile *p = f->view->profile;
	struct stacks stacks = { .view = f->view };
	uint32_t *row_of;

	f->names = strtab_new();
	row_of = make_rows(f);
	stacks.alike = row_of;
	f->stack_of = mem_zalloc((p->n_events + 1) * sizeof(*f->stack_of));
	for (uint32_t i = 0; i < f->view->n_events; i++)
		f->stack_of[f->view->events[i]] =
			stacks_add(&stacks, &p->events[f->view->events[i]]);
	f->stacks = stacks.rows;
	f->n_stacks = stacks.n;
	stacks.rows = NULL;
	stacks_release(&stacks);
	drop_unused(f);
	free(row_of);
}

void frames_release(struct frames *f)
{
	strtab_free(f->names);
	free(f->rows);
	free(f->stacks);
	free(f->stack_of);
	*f = (struct frames){ 0 };
}
