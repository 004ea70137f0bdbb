/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/pairs.h"

#include <stdlib.h>

#include "profiler/base/arena.h"

uint32_t pairs_add(struct pairs *set, uint64_t a, uint64_t b)
{
	struct pair pair = { a, b };
	uint32_t id = index_row(&set->index, set->rows, sizeof(pair), &pair, sizeof(pair),
				set->n);

	if (id == set->n)
		*table_add(set->rows, set->n, set->cap) = pair;
	return id;
}

void pairs_release(struct pairs *set)
{
	index_release(&set->index);
	free(set->rows);
	*set = (struct pairs){ 0 };
}
