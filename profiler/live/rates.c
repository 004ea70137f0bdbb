/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/rates.h"

#include <stdlib.h>

#include "profiler/base/arena.h"

#define SECOND 1000000000u

enum { ROWS_MAX = 1 << 16 /* short-lived threads may be many: then all begin anew */ };

void rates_release(struct rates *r)
{
	pairs_release(&r->of);
	free(r->rows);
	*r = (struct rates){ 0 };
}

uint64_t rates_count(struct rates *r, uint64_t addr, uint32_t tid, uint64_t time_ns,
		     uint64_t max)
{
	struct rate *row;
	uint32_t id;

	if (r->n == ROWS_MAX)
		rates_release(r);
	id = pairs_add(&r->of, addr, tid);
	if (id == r->n)
		*table_add(r->rows, r->n, r->cap) = (struct rate){ .since_ns = time_ns };
	row = &r->rows[id];
	if (time_ns - row->since_ns >= SECOND) {
		row->since_ns = time_ns;
		row->calls = 0;
	}
	if (++row->calls <= max)
		return 0;
	return row->calls * (uint64_t)SECOND / (time_ns - row->since_ns + 1);
}
