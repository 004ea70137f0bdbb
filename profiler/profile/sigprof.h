/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtime's own profiler would have recorded in place of an event: sigprof() of
 * runtime/proc.go, by the rules of Go 1.17 and later, and what runtime/pprof makes of it.
 *
 * Beyond what a recording tells, and so not followed: root runtime._GC in place of
 * runtime._System; code before the Go text, which has no name there; the line of cgocall,
 * which is that of its entersyscall there; calls of C that are about to begin or to end on
 * a scheduler stack; frames that SetCgoTraceback adds; the function that happens to be the
 * first in the table of names, and has none there.
 */
#ifndef PROFILER_SIGPROF_H
#define PROFILER_SIGPROF_H

#include <stdbool.h>
#include <stdint.h>

#include "symbolizer/symbolizer.h"

struct event;
struct profile;

/* Frames that no profile has a row of. */
enum sigprof_frame {
	SIGPROF_VDSO,
	SIGPROF_EXTERNAL,
	SIGPROF_SYSTEM,
	SIGPROF_SWITCH,
	SIGPROF_MAX
};
extern const char *const sigprof_names[SIGPROF_MAX];

/* Functions, not calls: inlined ones count, but those around the last one come on top. */
enum { SIGPROF_DEPTH = 64, SIGPROF_CAP = SIGPROF_DEPTH + FRAMES_AT_PC };

/* false: its signals do not get to that thread, or not there. */
bool sigprof_counts(const struct profile *p, const struct event *e);
/* Rows of frames, leaf first, from p->n_frames on those of enum sigprof_frame; at most
 * SIGPROF_CAP. How many. */
uint32_t sigprof_stack(const struct profile *p, const struct event *e, uint32_t *ret);

#endif
