/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal handlers. A sample taken in one has two parts: what was interrupted, as if there
 * were no handler, and the handler's own stack on top of that. Between them are the
 * registers that the kernel has saved for the return. The kernel side finds these by their
 * looks; that is only believed if the handler's frames lead to that very place.
 */
#ifndef PROFILER_SIGSTACK_H
#define PROFILER_SIGSTACK_H

#include <stdbool.h>

struct cunwind;
struct sample;
struct space;
struct pieces;

/*
 * Fills ret->handler with the handler's PC and return addresses; uses the rest of *ret as
 * scratch space. Includes handlers that were interrupted by others on the same stack. True:
 * they lead to the saved registers, so s->ip is what they have interrupted.
 */
bool sigstack_unwind(struct pieces *ret, struct space *space, struct cunwind *u,
		     const struct sample *s);

#endif
