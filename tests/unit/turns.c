/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>

#include "profiler/base/clock.h"
#include "profiler/kernel/turns.h"

enum { QUEUES = 4, MS = 1000000 };

static uint64_t spent[QUEUES];
static uint32_t calls;
static int answer;

/* A queue that never empties. */
static int busy(void *arg, uint32_t i, uint64_t ns)
{
	uint64_t start = clock_now_ns();

	(void)arg;
	while (clock_now_ns() < start + ns)
		;
	spent[i] += ns;
	calls++;
	return 1;
}

static int idle(void *arg, uint32_t i, uint64_t ns)
{
	(void)arg, (void)ns;
	spent[i]++;
	return answer;
}

Test(turns, none_starves)
{
	struct turns t = { .n = QUEUES };

	/* time for two or three of them each time */
	for (int i = 0; i < 8; i++)
		cr_assert_eq(turns_take(&t, 5 * MS / 2, busy, NULL), 1);
	for (int i = 0; i < QUEUES; i++)
		cr_expect_geq(spent[i], calls * MS / QUEUES - 2 * MS, "queue %d", i);
}

Test(turns, empty_ones_are_all_seen)
{
	struct turns t = { .n = QUEUES, .next = 3 };

	cr_expect_eq(turns_take(&t, 50 * MS, idle, NULL), 0);
	for (int i = 0; i < QUEUES; i++)
		cr_expect_eq(spent[i], 1);
	answer = -EIO;
	cr_expect_eq(turns_take(&t, 50 * MS, idle, NULL), -EIO);
	cr_expect_eq(turns_take(&(struct turns){ 0 }, 50 * MS, idle, NULL), 0);
}
