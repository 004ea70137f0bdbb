/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that has no unwind table, as musl is built: a word on the stack is the return address if
 * the instruction before it calls the function that runs.
 */
#ifndef PROFILER_CALLSITE_H
#define PROFILER_CALLSITE_H

#include <stdbool.h>
#include <stdint.h>

struct space;

enum callsite {
	CALLSITE_NONE,  /* no call */
	CALLSITE_OTHER, /* a call of another function */
	CALLSITE_MAYBE, /* a call through a pointer, or of a library */
	CALLSITE_OF,    /* a call of it, or of what jumps to it */
};

/* Is ra behind a call of the function at pc? CALLSITE_OF: *entry is its first address. Looks at
 * the files and not at the process. */
enum callsite callsite_find(struct space *space, uint64_t ra, uint64_t pc, uint64_t *entry);
/* Does the code at addr, of a procedure linkage table, only jump to another file? */
bool callsite_import(struct space *space, uint64_t addr);
/* The registers (DWARF numbers) that a function's first instructions push, in order, up to pc: at
 * most 8. */
int callsite_pushes(struct space *space, uint64_t entry, uint64_t pc, uint8_t regs[8]);

#endif
