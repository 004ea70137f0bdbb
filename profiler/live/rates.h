/* SPDX-License-Identifier: BSD-2-Clause */
/* How often each thread calls each function: a probe costs it some 10 us per call. */
#pragma once

#include <stdint.h>

#include "profiler/base/pairs.h"

struct rate {
	uint64_t since_ns;
	uint32_t calls; /* since then; a second at most */
};

/* { 0 } is empty. */
struct rates {
	struct pairs of;   /* (function, thread) */
	struct rate *rows; /* owned, per row of `of` */
	uint32_t n, cap;
};

/* Counts a call of the function at addr. Returns 0; or calls per second, if this thread has
 * made more than max of them within a second. */
uint64_t rates_count(struct rates *r, uint64_t addr, uint32_t tid, uint64_t time_ns,
		     uint64_t max);
void rates_release(struct rates *r);
