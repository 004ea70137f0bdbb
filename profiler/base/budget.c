/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/budget.h"

uint64_t budget_debt(const struct budget *b, uint64_t now_ns, uint32_t share)
{
	uint64_t paid = now_ns > b->at_ns ? (now_ns - b->at_ns) / share : 0;

	return paid < b->debt_ns ? b->debt_ns - paid : 0;
}

void budget_spend(struct budget *b, uint64_t now_ns, uint32_t share, uint64_t took_ns)
{
	b->debt_ns = budget_debt(b, now_ns, share) + took_ns;
	b->at_ns = now_ns;
}

uint64_t budget_due(const struct budget *b, uint32_t share, uint64_t free_ns)
{
	return b->debt_ns > free_ns ? b->at_ns + (b->debt_ns - free_ns) * share : b->at_ns;
}
