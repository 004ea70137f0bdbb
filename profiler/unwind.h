/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples to stacks: which return addresses are the callers, leaf first.
 *
 * The kernel side follows frame pointers, which is right for every frame but the innermost: in a
 * prologue, an epilogue or a function without a frame, the frame pointer is still the caller's, and
 * the chain leaves out the direct caller. pclntab says how far the return address is from SP at every
 * PC; so it is looked up among the words at SP, and put back.
 */
#ifndef PROFILER_UNWIND_H
#define PROFILER_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"

struct cunwind;
struct space;

struct stack {
	/* User space: the exact PC, then return addresses, n of them; then n_resume of the
	 * goroutine's own stack, when the sample was taken on another: the PC there, then callers. 0 stands
	 * where sample.pcs has one. */
	uint64_t pcs[LEAF_WORDS_OLD + MAX_USER_PCS + 4];
	uint32_t n, n_resume;
	bool cut;    /* there are more frames, which were not recorded */
	bool broken; /* the chain could not be followed further */
	bool c;      /* it begins in C, whose frames are all that is before n ... */
	bool c_root; /* ... and lead to the thread's first function */
	bool c_gap;  /* ... or are not all of them */
};

/* space NULL: nothing is known of the process, the chain is taken as it is. */
void stack_unwind(struct stack *ret, struct space *space, struct cunwind *u,
		  const struct sample *s);

#endif
