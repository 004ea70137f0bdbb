/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that may take some time at once, and a share of the time from then on: what it took is a debt, of which
 * time pays off that share. { 0 } owes nothing.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdint.h>

struct budget {
	uint64_t debt_ns; /* at at_ns */
	uint64_t at_ns;
};

/* What it owes now, when one in `share` ns is paid off. */
uint64_t budget_debt(const struct budget *b, uint64_t now_ns, uint32_t share);
/* Adds what some work took that is over now. */
void budget_spend(struct budget *b, uint64_t now_ns, uint32_t share, uint64_t took_ns);
/* From when on it owes no more than free_ns; now_ns or earlier: it does not. */
uint64_t budget_due(const struct budget *b, uint32_t share, uint64_t free_ns);

#endif
