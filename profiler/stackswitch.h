/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembly of the runtime that calls C on the thread's stack and notes down nowhere where the
 * goroutine's own stack was left: racecall, msancall and asancall keep SP in R12, which C saves.
 */
#ifndef PROFILER_STACKSWITCH_H
#define PROFILER_STACKSWITCH_H

struct cstack;
struct sample;
struct space;
struct stack;

/*
 * The last address of ret is in such assembly, and c has its registers: appends the goroutine's own
 * stack as ret->n_resume, from the caller on. Nothing if it cannot be told for sure where that is.
 */
void switch_unwind(struct stack *ret, struct space *space, const struct cstack *c,
		   const struct sample *s);

#endif
