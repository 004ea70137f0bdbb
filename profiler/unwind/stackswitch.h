/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembly of the runtime that calls C on the thread's stack and notes down nowhere where the
 * goroutine's own stack was left: racecall, msancall and asancall keep SP in R12, which C saves.
 * They call where the scheduler has left that stack, so it is known where C's frames end.
 */
#ifndef PROFILER_STACKSWITCH_H
#define PROFILER_STACKSWITCH_H

#include <stdbool.h>
#include <stdint.h>

struct cstack;
struct sample;
struct space;
struct pieces;

enum { SWITCH_CALLS = 8 };

/* One such switch. */
struct stack_switch {
	uint64_t pc;    /* in the assembly; 0: it is not known whether there is any */
	uint64_t entry; /* of that */
	uint64_t top;   /* of C's frames, where the return address to the assembly ends */
	uint32_t
		delta; /* bytes from where SP was, when it was kept, to the assembly's return address */
	uint64_t sp; /* where SP was, if that is known before C is unwound, else 0 */
	/* C functions of which one was called, as far as code tells. */
	uint64_t calls[SWITCH_CALLS];
	uint32_t n_calls;
};

/* The sample, of RESUME_SWITCHED, is of such assembly: *ret becomes that and the goroutine's own stack. false: it
 * is of something else. c: the registers. */
bool switch_leaf(struct pieces *ret, struct space *space, const struct cstack *c,
		 const struct sample *s);

/* The sample is of C: what is known before that is unwound. c is its stack, and is cut to its frames. */
void switch_find(struct stack_switch *ret, struct space *space, struct cstack *c,
		 const struct sample *s);

/* Appends the goroutine's own stack as ret->n_resume, from the assembly's caller on; gap: C's frames
 * are not all known, and it begins with the assembly. c has the registers that C was called with. */
void switch_unwind(struct pieces *ret, struct space *space, struct stack_switch *sw,
		   const struct cstack *c, const struct sample *s, bool gap);

#endif
