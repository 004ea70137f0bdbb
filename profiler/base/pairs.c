/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/pairs.h"

#include <stdlib.h>

#include "profiler/base/arena.h"

uint32_t pairs_add(struct pairs *set, uint64_t a, uint64_t b)
{
	struct pair pair = { a, b };

	return index_put(&set->index, set->rows, set->n, set->cap, &pair, sizeof(pair));
}

void pairs_release(struct pairs *set)
{
	index_release(&set->index);
	free(set->rows);
	*set = (struct pairs){ 0 };
}
