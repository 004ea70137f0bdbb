/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds callers in code that has no unwind tables, as musl is built: a word on the stack is
 * the return address if the instruction before it calls the function that runs. Functions
 * begin where calls in the same file lead, so no symbols are needed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct elf;
struct object;
struct space;

/* A function here that another file calls, through a slot in which the loader has put its
 * address. */
struct import {
	const struct object *object;
	uint64_t slot; /* where the slot is in that file */
	/* where the function begins in this one; 0: the slot is for another file */
	uint64_t start;
};

/* The functions of a file. Addresses are those of the file. */
struct callees {
	const struct elf *elf;
	uint64_t *starts; /* owned, in order: where code or a symbol says that one begins */
	uint32_t n, cap;
	struct import *imports; /* owned: those that were asked for */
	uint32_t n_imports, cap_imports;
};

/* Reads all code: 10 ms a MB. Of more than 32 MB it reads nothing. */
void callees_init(struct callees *c, const struct elf *e);
void callees_release(struct callees *c);
/* Before the symbolizer closes this file. */
void callees_forget(struct callees *c, const struct object *o);

/* The function whose call site we look for. */
struct callee {
	struct callees *callees;
	const struct object *object;
	uint64_t pc;    /* in the file: of a leaf its PC, else the return address less 1 */
	uint64_t start; /* where the function begins, at most pc; 0: not known */
	bool stub;      /* it only jumps to another file's function, and has no frame */
};
struct callee callee_at(struct callees *c, const struct object *o, uint64_t pc);

/* Is the function at addr, in the process, the callee, or does it jump to it? */
bool callee_is(struct space *space, uint64_t addr, struct callee *to);

/* Is pc, in a file, where signal handlers return to? */
bool is_trampoline(const struct object *o, uint64_t pc);
/* Is pc in the function that the kernel starts a program or that a thread begins with?
 * leaf: pc is no return address. */
bool is_first_function(const struct object *o, uint64_t pc, bool leaf);

enum callsite {
	CALLSITE_NONE,  /* there is no call */
	CALLSITE_BLIND, /* unknown: executable memory that is not of a file (JIT) */
	CALLSITE_OTHER, /* a direct call of another function */
	CALLSITE_MAYBE, /* an indirect call */
	/* a direct call of the callee, or of a stub or tail call that reaches it; sets its
	 * start */
	CALLSITE_OF,
};

/* What ra, in the process, is behind. */
enum callsite callsite_find(struct space *space, uint64_t ra, struct callee *to);
