/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers of C code, from a copy of the stack at the moment of a sample: by the unwind tables that
 * compilers leave in programs and libraries, and where there are none by looking for the call.
 */
#ifndef PROFILER_CUNWIND_H
#define PROFILER_CUNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/unwind/arch.h"

struct cunwind;
struct space;

/* Registers by their DWARF numbers; bytes is the stack from SP on. */
struct cstack {
	uint64_t regs[REGS];
	uint32_t lost; /* bits of registers whose values are not known; set by cunwind() */
	const uint8_t *bytes;
	uint32_t size;
	bool cut; /* the stack may go on behind bytes */
	/* What has called one of these functions through a pointer has its return address at the
	 * end of bytes. n_calls 0: not known. */
	const uint64_t *calls;
	uint32_t n_calls;
};

enum cunwind_end {
	CUNWIND_GO, /* the last address is in Go code; the registers are those of its frame */
	CUNWIND_ROOT,  /* the thread's first function */
	CUNWIND_SHORT, /* the copy ends before the stack does, or there are more than max */
	CUNWIND_BROKEN, /* no table for an address and no call of it, or one that leads nowhere */
};

int cunwind_open(struct cunwind **ret);
void cunwind_close(struct cunwind *u); /* takes NULL */

/* Before the symbolizer closes this file. */
struct object;
void cunwind_forget(struct cunwind *u, const struct object *o);

/*
 * pcs: the exact address of the leaf, then return addresses, or plus 1 what a signal handler has
 * interrupted on the same stack; at most max of them, *n in all. Stops at
 * the first that is Go code, which is included; c->regs becomes the registers there, as far as the
 * tables tell, and RSP. Tables are cached by object, until cunwind_forget(): a
 * frame takes 0.1 us, without a table 10; a module that is new, 0.1 us a function. A file
 * that was made to be slow takes 0.5 s, once.
 */
enum cunwind_end cunwind(struct cunwind *u, struct space *space, struct cstack *c,
			 uint64_t *pcs, uint32_t max, uint32_t *n);

#endif
