/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of a view as they are shown, in a table: a stack is a row, its leaf frame and
 * its caller's stack. Equal stacks are one row. For writers that need more of a stack than
 * a tree keeps, such as lines and addresses:
 *
 *	struct stacks s = { .view = v };
 *
 *	for (uint32_t i = 0; i < v->n_events; i++) {
 *		uint32_t stack = stacks_add(&s, &v->profile->events[v->events[i]]);
 *
 *		for (; stack; stack = s.rows[stack].parent)
 *			… view_frame(v, s.rows[stack].frame) …
 *	}
 *	stacks_release(&s);
 *
 * An event takes constant time, unless its stack is new. The table has at most twice as
 * many rows as the profile has calls; with as_pprof, one per frame of each event's stack.
 */
#pragma once

#include <stdint.h>

#include "profiler/base/index.h"
#include "profiler/base/pairs.h"

struct event;
struct strtab;
struct view;

struct stack {
	uint32_t parent; /* row, less than its own */
	uint32_t frame;  /* row, as view_stack() stores them; but see alike */
};

struct stacks {
	/* Set before the first stacks_add(). */
	const struct view *view; /* outlives the stacks */
	/* Per row of frames (profile->n_frames + SIGPROF_MAX), what stands for it in the
	 * table, so that stacks which differ only in frames with equal numbers are one.
	 * NULL: the row itself. Not owned. */
	const uint32_t *alike;

	struct stack *rows; /* row 0 is the empty stack; owned */
	uint32_t n;

	/* Private. */
	uint32_t cap;
	struct index index;
	uint32_t *of_call;     /* row + 1 */
	struct pairs sigprofs; /* call, sigprof_depends() */
	uint32_t *of_sigprof;  /* row, per id in sigprofs */
	uint32_t n_of_sigprof, cap_of_sigprof;
};

/* Returns the row of the event's stack. */
uint32_t stacks_add(struct stacks *s, const struct event *e);
/* Adds the view's events. Returns the weight of those with just that stack, by its row; the
 * caller frees it. */
uint64_t *stacks_weigh(struct stacks *s);
void stacks_release(struct stacks *s);

/* Adds the name under which each frame is shown to names. Returns their ids by row of
 * frames; the caller frees it. */
uint32_t *frame_names(const struct view *v, struct strtab *names);
