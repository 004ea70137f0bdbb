/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits work to some time at once and a share of the time after that: the time it took is
 * a debt, which is paid off at that share. { 0 } has no debt.
 */
#pragma once

#include <stdint.h>

struct budget {
	uint64_t debt_ns; /* at at_ns */
	uint64_t at_ns;
};

/* The debt now, if 1 of every `share` ns is paid off. */
uint64_t budget_debt(const struct budget *b, uint64_t now_ns, uint32_t share);
/* Adds the time of work that has just ended. */
void budget_spend(struct budget *b, uint64_t now_ns, uint32_t share, uint64_t took_ns);
/* The time from which on the debt is at most free_ns; now_ns or earlier: it already is. */
uint64_t budget_due(const struct budget *b, uint32_t share, uint64_t free_ns);
