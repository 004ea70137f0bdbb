/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sample to its stack: who called whom, leaf first, and whether that is all of it.
 * Nothing else decides where a stack ends. pieces.h finds the return addresses of each
 * stack that the sample has to do with; here they become one list.
 *
 * A goroutine that calls C, which calls Go back, runs on two stacks, and jumps between
 * them. Both grow downwards, and numbers say which call came first:
 *
 *	the goroutine's own			the thread's (g0)
 *	+---------------------------+		+---------------------------+
 *	| 1 goexit                  |		| mstart, or C's own start  |
 *	| 2 main.main               |		| schedule                  |
 *	| 3 cgocall                 |		+---------------------------+
 *	| 4 asmcgocall  ------------------------> 5 C function              |
 *	+---------------------------+		| 6 crosscall2              |
 *	| 8 cgocallbackg  <---------------------- 7 cgocallback             |
 *	| 9 main.callback           |		+---------------------------+
 *	| 10 cgocall                |		|                           |
 *	| 11 asmcgocall ------------------------> 12 C function, running    |
 *	+---------------------------+		+---------------------------+
 *
 * The sample has the stack of 12, which C's unwind tables lead through up to where Go
 * called it (11); then the goroutine's own stack from there on: 11 to 8, 7 (whose frame
 * lies on this stack, too), and 4 to 1 right above it. What is missing are 6 and 5, from
 * the thread's stack: each cgocallback on the way takes the next such part (callback.h).
 * The list is 12 11 10 9 8 7 6 5 4 3 2 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/profile/end.h"
#include "profiler/unwind/pieces.h"

struct cunwind;
struct space;

enum { STACK_MAX = HANDLER_PCS + 2 * STACK_PCS + MAX_USER_PCS + 8 };

struct stack {
	/* Leaf first, as they are looked up: the PC of the leaf and of what was
	 * interrupted, for callers the return address less 1. STACK_GAP: callers are
	 * missing here. It is the last of a stack that does not reach its root. */
	uint64_t pcs[STACK_MAX];
	uint32_t n;
	bool complete;      /* it reaches its root, without a gap */
	enum stack_end end; /* else why it does not */
	/* In place of a return address there was this one, which is not mapped as far as
	 * space knows: code that was mapped since, maybe. 0: nothing like that. */
	uint64_t stray;
	struct pieces pieces; /* what it was made of */
};

/* space NULL: nothing is known of the process, and the chain is taken as it is. */
void stack_unwind(struct stack *ret, struct space *space, struct cunwind *u,
		  const struct sample *s);
