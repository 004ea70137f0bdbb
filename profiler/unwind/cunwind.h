/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwinds C, from a copy of the stack at the moment of a sample: by the unwind tables that
 * compilers put into programs and libraries, and where there are none by searching the
 * stack for the call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/unwind/arch.h"

struct cunwind;
struct space;

/* A stack: registers by their DWARF numbers, and the bytes from SP on, or from below. */
struct cstack {
	uint64_t regs[REGS];
	/* a bit for each register whose value is not known; set by cunwind() */
	uint32_t lost;
	struct stack_copy copy;
	bool cut; /* the stack may be larger than the copy */
	/* The last word of the copy is the return address to code that has called one of
	 * these functions through a pointer. n_calls 0: that is not known. */
	const uint64_t *calls;
	uint32_t n_calls;
};

enum cunwind_end {
	/* it reaches Go code: the last address; the registers are those of its frame */
	CUNWIND_GO,
	CUNWIND_ROOT, /* it reaches the thread's first function */
	/* the copy ends before the stack does, or there are more than max addresses */
	CUNWIND_SHORT,
	/* no table has an address and no call of it is found, or a table leads nowhere */
	CUNWIND_BROKEN,
};

struct cunwind *cunwind_new(void);
void cunwind_free(struct cunwind *u); /* takes NULL */

/* Before the symbolizer closes this file. */
struct object;
void cunwind_forget(struct cunwind *u, const struct object *o);

/*
 * Fills pcs with the leaf's address, then return addresses, *n and at most max in all;
 * where a signal handler has interrupted code on the same stack, that PC plus 1. Stops at
 * the first address in Go code, which is included. c->regs become the registers there: SP,
 * and the others as far as tables say (c->lost).
 *
 * Tables are cached by object until cunwind_forget(). A frame takes 0.1 us, or 10 without a
 * table; a new module takes 0.1 us a function; a file that was made to be slow takes 0.5 s,
 * once.
 */
enum cunwind_end cunwind(struct cunwind *u, struct space *space, struct cstack *c,
			 uint64_t *pcs, uint32_t max, uint32_t *n);
