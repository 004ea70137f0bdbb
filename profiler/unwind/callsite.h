/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers in code that has no unwind tables, as musl is built: a word on the stack is the return
 * address if the instruction before it calls the function that runs. Where functions begin is
 * where calls in the same file lead, so no names are needed.
 */
#ifndef PROFILER_CALLSITE_H
#define PROFILER_CALLSITE_H

#include <stdbool.h>
#include <stdint.h>

struct elf;
struct object;
struct space;

/* What another file calls here: it jumps to where the loader has put an address. */
struct import {
	const struct object *object;
	uint64_t slot;  /* in that file, for the address */
	uint64_t start; /* in this; 0: something else */
};

/* Functions of a file, by its addresses. */
struct callees {
	const struct elf *elf;
	uint64_t *starts; /* owned; in order; of those that code or a symbol tells */
	uint32_t n, cap;
	struct import *imports; /* owned; that were asked for */
	uint32_t n_imports, cap_imports;
};

/* Goes through the code: 10 ms for a MB, nothing for more than 32 MB. */
void callees_init(struct callees *c, const struct elf *e);
void callees_release(struct callees *c);
/* Before the symbolizer closes this file. */
void callees_forget(struct callees *c, const struct object *o);

/* Whose caller is searched for. */
struct callee {
	struct callees *callees;
	const struct object *object;
	uint64_t pc;    /* in the file; of a frame that called: behind the call, less 1 */
	uint64_t start; /* of its function, at most pc; 0: not known */
	bool stub;      /* it only jumps to another file, and has no frame */
};
struct callee callee_at(struct callees *c, const struct object *o, uint64_t pc);

/* Does the function that begins at addr, in the process, jump to it, or is it that? */
bool callee_is(struct space *space, uint64_t addr, struct callee *to);

/* Is that where signal handlers return to? */
bool is_trampoline(const struct object *o, uint64_t pc);
/* Is that in what the kernel starts, or does the thread end there? leaf: it has not called. */
bool is_first_function(const struct object *o, uint64_t pc, bool leaf);

enum callsite {
	CALLSITE_NONE,  /* no call */
	CALLSITE_BLIND, /* no telling: executable memory of no file */
	CALLSITE_OTHER, /* a call of another function */
	CALLSITE_MAYBE, /* a call through a pointer */
	CALLSITE_OF,    /* a call of it, or of what jumps to it; its start is known now */
};

/* Is ra behind a call of the callee? */
enum callsite callsite_find(struct space *space, uint64_t ra, struct callee *to);

#endif
