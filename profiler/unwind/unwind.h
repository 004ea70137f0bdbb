/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples to stacks: which return addresses are the callers, leaf first.
 *
 * A sample may be of several stacks: that of the thread, the goroutine's own below it, and a signal
 * handler's on top. Here it is decided which code unwinds each: gounwind.h Go, cunwind.h C,
 * stackswitch.h what has switched from one to the other without a note of it, sigstack.h handlers.
 */
#ifndef PROFILER_UNWIND_H
#define PROFILER_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/unwind/cunwind.h"

struct space;

enum {
	STACK_PCS = MAX_USER_PCS + LEAF_WORDS_OLD,
	STACK_GAP = 1, /* in place of an address: callers are missing here */
	HANDLER_PCS = 256,
};

struct stack {
	/* pcs[0, n): the interrupted PC, then return addresses. pcs[n, n + n_resume): the same for the
	 * goroutine's own stack if the sample was taken on another one. 0 stands after cgocallback,
	 * as gounwind() has it; where a handler has interrupted C, that PC plus 1. STACK_GAP may
	 * stand anywhere. */
	uint64_t pcs[STACK_PCS];
	uint32_t n, n_resume;
	/* Of a signal handler, which has interrupted pcs[0]: the PC, then return addresses, or what
	 * another handler has interrupted plus 1. */
	uint64_t handler[HANDLER_PCS];
	uint32_t n_handler;
	bool handled; /* these are all, and what they have interrupted is true */
	bool cut;     /* there are more frames, which were not recorded */
	bool broken;  /* the chain could not be followed further */
	uint64_t
		stray; /* what was no return address then, as far as is known; 0: none was found */
	bool c;        /* it begins in C, whose frames are all that is before n ... */
	bool c_root; /* ... and lead to the thread's first function */
	bool c_gap;  /* ... or are not all of them */
	uint64_t sp; /* at the last address that gounwind() has added; 0: not known */
	uint64_t
		g0_sp; /* where the next call back from C left the thread's stack; 0: not known */
};

/* space NULL: nothing is known of the process, the chain is taken as it is. */
void stack_unwind(struct stack *ret, struct space *space, struct cunwind *u,
		  const struct sample *s);

/*
 * The C that has called Go back, on the thread's stack: callers of cgocallback, which has addr, up to
 * asmcgocall or the thread's first function. Each time it is one call back further out. entering: the sample is
 * of that function, still or again on the thread's stack. Return addresses, at most max of them; how many.
 * *end CUNWIND_GO or CUNWIND_ROOT: these are all.
 */
uint32_t stack_callers_in_c(struct stack *st, struct space *space, struct cunwind *u,
			    const struct sample *s, uint64_t addr, bool entering,
			    uint64_t *pcs, uint32_t max, enum cunwind_end *end);

#endif
