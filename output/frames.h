/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames and stacks of a view for formats that have tables of them: frames that such a
 * format does not tell apart are one row. Only frames of the view's events get rows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/profile/stacks.h"

struct strtab;
struct view;

struct shown_frame {
	uint32_t name;   /* in frames.names: as it is shown to people */
	uint32_t file;   /* string of the profile; 0: not known */
	uint32_t line;   /* of the call, or of the leaf; 0: not known */
	uint8_t palette; /* enum palette */
	uint32_t module; /* row of the profile; 0: none, or of a known file */
	/* 0 unless `functions`; then module is that of all frames */
	uint32_t start_line; /* of the function; 0: not known */
	uint8_t inlined;
};

struct frames {
	/* Set before frames_make(). */
	const struct view *view; /* outlives the frames */
	/* Tell apart functions, and inlined calls, of equal names and lines. */
	bool functions;

	struct strtab *names;     /* owned */
	struct shown_frame *rows; /* owned; in the order of stacks */
	uint32_t n;
	struct stack *stacks; /* owned; row 0 is the empty stack; .frame is in rows */
	uint32_t n_stacks;
	uint32_t *stack_of; /* owned; per row of profile->events, if the view has it */
};

/* Makes the stacks of all events of the view, and the frames in them. */
void frames_make(struct frames *f);
void frames_release(struct frames *f);
