/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of address ranges that may be nested. A row is any struct that begins with a
 * struct range; size is that of a row. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "profiler/base/arena.h"

struct range {
	uint64_t lo, hi;
	uint64_t reach; /* the highest hi up to this row; set by ranges_sort() */
};

static inline int range_cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (x->hi < y->hi) - (x->hi > y->hi);
}

static inline struct range *range_of(void *rows, size_t size, uint32_t i)
{
	return (struct range *)(void *)((char *)rows + i * size);
}

/* Prepares for ranges_find(). */
static inline void ranges_sort(void *rows, uint32_t n, size_t size)
{
	uint64_t reach = 0;

	if (n)
		qsort(rows, n, size, range_cmp);
	for (uint32_t i = 0; i < n; i++) {
		struct range *r = range_of(rows, size, i);

		if (reach < r->hi)
			reach = r->hi;
		r->reach = reach;
	}
}

/* The last row that contains addr, which is the innermost; NULL: none. */
static inline void *ranges_find(void *rows, uint32_t n, size_t size, uint64_t addr)
{
	uint32_t lo = table_until(n, i, range_of(rows, size, i)->lo <= addr);

	for (; lo && range_of(rows, size, lo - 1)->reach > addr; lo--)
		if (range_of(rows, size, lo - 1)->hi > addr)
			return range_of(rows, size, lo - 1);
	return NULL;
}
