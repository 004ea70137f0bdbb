/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of pairs of numbers. Ids count up from 0, so they are a table's index as well. */
#ifndef BASE_PAIRS_H
#define BASE_PAIRS_H

#include <stdint.h>

#include "profiler/base/index.h"

struct pair {
	uint64_t a, b;
};

/* { 0 } is an empty one. */
struct pairs {
	struct index index;
	struct pair *rows;
	uint32_t n, cap;
};

/* Bytes that a pair takes at most: its row, and slots of the index, old and new ones while it grows. */
enum { PAIR_BYTES = sizeof(struct pair) + 48 };

/* The id of (a, b), which is set->n as it was before when the pair is new. */
uint32_t pairs_add(struct pairs *set, uint64_t a, uint64_t b);
/* Empty again. */
void pairs_release(struct pairs *set);

#endif
