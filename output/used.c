/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/used.h"

#include <stdlib.h>

#include "profiler/base/arena.h"

struct used used_new(uint32_t n_rows)
{
	return (struct used){ .place = mem_zalloc(n_rows * sizeof(uint32_t)) };
}

uint32_t used_place(struct used *u, uint32_t row)
{
	if (!u->place[row]) {
		*table_add(u->rows, u->n, u->cap) = row;
		u->place[row] = u->n;
	}
	return u->place[row] - 1;
}

void used_release(struct used *u)
{
	free(u->place);
	free(u->rows);
}
