/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reader sees of a profile: which frames of a stack are shown, what they are called, and
 * which events the options select by that. runtime.goexit and wrappers (but one under a panic) are
 * left out of every output, and so are whole sides with only_user and only_kernel; with as_pprof
 * a stack is what profiler/profile/sigprof.h makes of it.
 */
#ifndef PROFILER_SHOWN_H
#define PROFILER_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct event;
struct profile;
struct tree_options;

/* Adds the name that a frame has in every output. A row of p->frames, or p->n_frames plus one of
 * enum sigprof_frame. */
void shown_name(struct buf *b, const struct profile *p, const struct tree_options *o,
		uint32_t frame);
/* The rows of frames that a call adds to what is shown of its caller, outermost first: 0 to 2. */
int shown_frames(const struct profile *p, const struct tree_options *o, uint32_t call,
		 uint32_t frames[2]);

/* Which events count. */
struct selection {
	const struct profile *p;
	const struct tree_options *o;
	/* Owned. Flags of filter_text(), per frame, and per call with its callers; NULL when the filter
	 * does not look at stacks. */
	uint8_t *frames, *calls;
};

/* p and o outlive the selection. */
void selection_init(struct selection *s, const struct profile *p,
		    const struct tree_options *o);
bool selection_has(const struct selection *s, const struct event *e);
void selection_release(struct selection *s);

#endif
