/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal handlers. A sample of one has two parts: what was interrupted, which is as it would be without the
 * handler, and the handler's own stack on top of that. Where the one ends and the other begins, at the registers
 * that the kernel has saved for the way back, the kernel side has found by looks. Only where the
 * handler's own frames lead to that very place is it true.
 */
#ifndef PROFILER_SIGSTACK_H
#define PROFILER_SIGSTACK_H

#include <stdbool.h>

struct cunwind;
struct sample;
struct space;
struct pieces;

/*
 * Fills ret->handler: the interrupted PC of the handler, then return addresses; uses the rest of *ret. Handlers
 * that have interrupted handlers on the same stack are included. true: these are all, and what s->ip
 * belongs to is what they have interrupted.
 */
bool sigstack_unwind(struct pieces *ret, struct space *space, struct cunwind *u,
		     const struct sample *s);

#endif
