/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/pairs.h"

#include <stdbool.h>
#include <stdlib.h>

#include "profiler/base/arena.h"

struct key {
	const struct pair *rows;
	struct pair pair;
};

static bool pair_same(const void *arg, uint32_t id)
{
	const struct key *k = arg;

	return k->rows[id].a == k->pair.a && k->rows[id].b == k->pair.b;
}

uint32_t pairs_add(struct pairs *set, uint64_t a, uint64_t b)
{
	struct key k = { set->rows, { a, b } };
	uint32_t id = index_get(&set->index, hash_pair(a, b), pair_same, &k, set->n);

	if (id == set->n)
		*table_add(set->rows, set->n, set->cap) = k.pair;
	return id;
}

void pairs_release(struct pairs *set)
{
	index_release(&set->index);
	free(set->rows);
	*set = (struct pairs){ 0 };
}
