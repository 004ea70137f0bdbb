/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <unistd.h>

#include "profiler/base/budget.h"
#include "profiler/base/clock.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/symbolizer.h"

enum { MS = 1000000, SHARE = 10 };

Test(budget, time_pays_off_a_share)
{
	struct budget b = { 0 };
	uint64_t now = 1000ull * MS;

	cr_expect_eq(budget_debt(&b, now, SHARE), 0);
	cr_expect_leq(budget_due(&b, SHARE, 0), now);
	budget_spend(&b, now, SHARE, 30 * MS);
	cr_expect_leq(budget_due(&b, SHARE, 30 * MS), now, "that much is free");
	cr_expect_eq(budget_due(&b, SHARE, 10 * MS), now + 200 * MS);
	cr_expect_eq(budget_debt(&b, now + 200 * MS, SHARE), 10 * MS);
	/* idle time gives no credit */
	cr_expect_eq(budget_debt(&b, now + 900000ull * MS, SHARE), 0);
	budget_spend(&b, now + 900000ull * MS, SHARE, 20 * MS);
	cr_expect_eq(budget_debt(&b, now + 900000ull * MS, SHARE), 20 * MS);
}

/* Processes that are expensive to read wait for each other; the others wait for nobody. */
Test(budget, processes_share)
{
	struct profile *profile = profile_new();
	uint64_t now = clock_now_ns();
	struct proc *dear, *cheap;
	struct symbolizer *sy;
	struct procs *ps;

	sy = symbolizer_new(profile->strings);
	ps = procs_new(sy, profile);
	dear = procs_get(ps, (uint32_t)getpid(), 1);
	cheap = procs_get(ps, (uint32_t)getpid(), 2);
	procs_refresh(dear);
	cr_expect_eq(dear->stale_ns, 0);
	dear->reading = (struct budget){ 100 * MS, now };
	procs_refresh(dear);
	cr_expect_eq(dear->stale_ns, 0, "all have read little");
	*dear->all_reading = (struct budget){ 1000ull * MS, now };
	procs_refresh(dear);
	cr_expect_gt(dear->stale_ns, now);
	cr_expect_gt(procs_probe(ps, dear), now);
	procs_refresh(cheap);
	cr_expect_eq(cheap->stale_ns, 0);
	cr_expect_eq(procs_probe(ps, cheap), 0);
	procs_begin(ps);
	procs_refresh(dear);
	cr_expect_eq(dear->stale_ns, 0);
	procs_close(ps);
	symbolizer_close(sy);
	profile_free(profile);
}
