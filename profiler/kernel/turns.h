/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of which more may come than can be taken: each has its turn, whatever the others hold. */
#ifndef PROFILER_TURNS_H
#define PROFILER_TURNS_H

#include <stdint.h>

struct turns {
	uint32_t n;    /* queues */
	uint32_t next; /* whose turn it is */
};

/*
 * Takes from the queues for about max_ns, beginning behind the one that was last in the call before. take()
 * does so from queue i for at most its ns, and returns 1 if there may be more in it, 0 or negative errno.
 * The same for all: 1, 0, or what take() has failed with.
 */
int turns_take(struct turns *t, uint64_t max_ns,
	       int (*take)(void *arg, uint32_t i, uint64_t ns), void *arg);

#endif
