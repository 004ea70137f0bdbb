/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers in code that has no unwind tables, as musl is built: a word on the stack is the return
 * address if the instruction before it calls the function that runs. Where functions begin is
 * where calls in the same file lead; that needs no symbols.
 */
#ifndef PROFILER_CALLSITE_H
#define PROFILER_CALLSITE_H

#include <stdbool.h>
#include <stdint.h>

struct elf;
struct object;
struct space;

/* Functions of a file that are called directly. */
struct callees {
	uint64_t *starts; /* owned; addresses of the file, in order */
	uint32_t n, cap;
};

/* Goes through the code: 1 ms for a MB, nothing for more than 32 MB. */
void callees_init(struct callees *c, const struct elf *e);
void callees_release(struct callees *c);

/* Whose caller is searched for. */
struct callee {
	const struct object *object;
	uint64_t pc;    /* in the file; of a frame that called: behind the call, less 1 */
	uint64_t start; /* of its function, at most pc; 0: not known */
	bool stub;      /* it only jumps to another file, and has no frame */
};
struct callee callee_at(const struct callees *c, const struct object *o, uint64_t pc);

/* Is that where signal handlers return to? */
bool is_trampoline(const struct object *o, uint64_t pc);

enum callsite {
	CALLSITE_NONE,  /* no call */
	CALLSITE_OTHER, /* a call of another function */
	CALLSITE_MAYBE, /* a call through a pointer, or of another file */
	CALLSITE_OF,    /* a call of it, or of what jumps to it; its start is known now */
};

/* Is ra behind a call of the callee? */
enum callsite callsite_find(struct space *space, uint64_t ra, struct callee *to);
/* The registers (DWARF numbers) that its first instructions have pushed, in order. */
int callee_pushes(const struct callee *c, uint8_t regs[8]);

#endif
