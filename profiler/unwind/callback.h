/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C that has called Go back: the part of the thread's stack between cgocallback, which the
 * Go code returns to, and the assembly that had called C, or the thread's first function if
 * that is C's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/unwind/cunwind.h"

struct sample;
struct space;

/* The calls back of one sample, from the last one outwards. */
struct callbacks {
	struct space *space;
	struct cunwind *u;
	const struct sample *s;
	/* where the next one left the thread's stack, in cgocallback: first s->g0_sp; 0:
	 * not known */
	uint64_t sp;
};

/*
 * The next call back: the callers of cgocallback, in which addr is. Return addresses, at
 * most max; how many. *end CUNWIND_GO or CUNWIND_ROOT: these are all. entering: the sample
 * was taken in cgocallback itself, while that was on the thread's stack.
 */
uint32_t callbacks_next(struct callbacks *cb, uint64_t addr, bool entering, uint64_t *pcs,
			uint32_t max, enum cunwind_end *end);
