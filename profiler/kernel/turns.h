/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues that may fill faster than they are read: each gets its turn, however full the
 * others are. */
#pragma once

#include <stdint.h>

struct turns {
	uint32_t n;    /* queues */
	uint32_t next; /* the queue whose turn it is */
};

/*
 * Reads the queues for about max_ns, starting after the last one of the previous call.
 * take() reads queue i for at most ns. It returns 1 if there may be more in it, 0 if not,
 * or a negative errno. Returns the same for all queues, or the first error.
 */
int turns_take(struct turns *t, uint64_t max_ns,
	       int (*take)(void *arg, uint32_t i, uint64_t ns), void *arg);
