/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtime's own profiler would have recorded in place of an event: sigprof() of
 * runtime/proc.go, by the rules of Go 1.17 and later, and what runtime/pprof makes of it.
 *
 * Known differences, because a recording lacks the information:
 * - the root is runtime._System where runtime/pprof says runtime._GC
 * - code before the Go text has a name
 * - the line in cgocall is not that of its entersyscall
 * - on a scheduler stack, a call of C that is about to begin or to end may differ
 * - frames that SetCgoTraceback adds are missing
 * - the function that happens to be first in the table of names has one
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "symbolizer/symbolizer.h"

struct event;
struct profile;

/* Frames that have no row in a profile. */
enum sigprof_frame {
	SIGPROF_VDSO,
	SIGPROF_EXTERNAL,
	SIGPROF_SYSTEM,
	SIGPROF_SWITCH,
	SIGPROF_MAX
};
extern const char *const sigprof_names[SIGPROF_MAX];

/* The profiler counts functions, inlined ones too, but adds those that the last one is
 * inlined into. */
enum { SIGPROF_DEPTH = 64, SIGPROF_CAP = SIGPROF_DEPTH + FRAMES_AT_PC };

/* What the functions below need, made once: for each frame what its function is to the
 * runtime's profiler. The caller frees it. */
uint8_t *sigprof_roles(const struct profile *p);
/* False if the runtime's profiler could not have sampled here: SIGPROF is not delivered to
 * this thread, or is blocked. */
bool sigprof_counts(const struct profile *p, const uint8_t *roles, const struct event *e);
/* Stores the rows of frames, leaf first; p->n_frames + i is the i-th of enum sigprof_frame.
 * Returns how many, at most SIGPROF_CAP. */
uint32_t sigprof_stack(const struct profile *p, const uint8_t *roles, const struct event *e,
		       uint32_t *ret);
/* What that depends on beside the event's call, as a number. */
uint64_t sigprof_depends(const struct profile *p, const struct event *e);
