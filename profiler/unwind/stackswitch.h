/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that left the goroutine's own stack without saving where.
 *
 * Assembly of the runtime calls C on the thread's stack: racecall, msancall and asancall
 * keep SP in a register (REG_KEPT), which C saves. C's frames end where the scheduler has
 * left the thread's stack, which is known.
 *
 * WebAssembly that wazero has compiled runs on a stack of its own, on Go's heap. The
 * goroutine's own stack ends in the frame of the assembly that jumped into the compiled
 * code: a return address, and arguments above it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cstack;
struct sample;
struct space;
struct pieces;

enum { SWITCH_CALLS = 8 };

/* One such switch. */
struct stack_switch {
	struct space *space;
	const struct sample *s;
	uint64_t pc;    /* in the assembly; 0: there is none, as far as is known */
	uint64_t entry; /* of that */
	uint64_t top;   /* of C's frames, where the return address to the assembly ends */
	uint32_t delta; /* from the SP that is kept to the assembly's return address */
	uint64_t sp; /* the SP that is kept, if it is known before C is unwound, else 0 */
	/* C functions that the assembly may have called. */
	uint64_t calls[SWITCH_CALLS];
	uint32_t n_calls;
};

/* For a sample of RESUME_SWITCHED that was taken in such assembly: fills *ret with it and
 * the goroutine's own stack. False: it was taken in something else. c: the registers. */
bool switch_leaf(struct pieces *ret, struct space *space, const struct cstack *c,
		 const struct sample *s);

/* For one that was taken in C: what is known before C is unwound. c is its stack, and is
 * cut to C's frames. */
void switch_find(struct stack_switch *ret, struct space *space, struct cstack *c,
		 const struct sample *s);

/* Appends the goroutine's own stack, from the assembly's caller on, at ret->own. gap:
 * not all of C's frames are known, so it begins with the assembly. c has the registers with
 * which C was called. */
void switch_unwind(struct pieces *ret, struct stack_switch *sw, const struct cstack *c,
		   bool gap);

/*
 * For a sample taken in code of which nothing is known, on another stack than the
 * goroutine's: appends the goroutine's own stack, from the caller of wazero's assembly on.
 * Does nothing if not all of that stack was copied, or if there is not exactly one place
 * where it can have been left for this code. Frames of the compiled code may be missing in
 * between.
 */
void wazero_unwind(struct pieces *ret, struct space *space, const struct sample *s);
