/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/turns.h"

#include "profiler/base/clock.h"

enum { TURN_MIN_NS = 1000000 };

int turns_take(struct turns *t, uint64_t max_ns,
	       int (*take)(void *arg, uint32_t i, uint64_t ns), void *arg)
{
	uint64_t until = clock_now_ns() + max_ns, each = t->n ? max_ns / t->n : 0;
	int more = 0;

	if (each < TURN_MIN_NS)
		each = TURN_MIN_NS;
	for (uint32_t i = 0; i < t->n; i++) {
		int r = take(arg, t->next, each);

		t->next = (t->next + 1) % t->n;
		if (r < 0)
			return r;
		more |= r;
		if (clock_now_ns() >= until)
			return more || i + 1 < t->n;
	}
	return more;
}
