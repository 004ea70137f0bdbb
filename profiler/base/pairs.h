/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of pairs of numbers. Ids count up from 0, so they can index a table too. */
#pragma once

#include <stdint.h>

#include "profiler/base/index.h"

struct pair {
	uint64_t a, b;
};

/* { 0 } is empty. */
struct pairs {
	struct index index;
	struct pair *rows;
	uint32_t n, cap;
};

/* The maximum memory of a pair: its row, and index slots, old and new ones while the index
 * grows. */
enum { PAIR_BYTES = sizeof(struct pair) + 48 };

/* Returns the id of (a, b); for a new pair this is set->n before the call. */
uint32_t pairs_add(struct pairs *set, uint64_t a, uint64_t b);
/* Empties the set. */
void pairs_release(struct pairs *set);
