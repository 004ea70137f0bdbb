/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of addresses that were looked up before. Rows are never removed. { 0 } is
 * empty. */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "profiler/base/index.h"
#include "symbolizer/frame.h"

struct framecache_row {
	uint64_t addr;
	uint32_t first, n; /* of frames */
};

struct framecache {
	struct index index;
	struct framecache_row *rows;
	uint32_t n, cap;
	struct frame *frames; /* those of one address are adjacent */
	uint32_t n_frames, cap_frames;
};

/* The row of an address; a new one has no frames. Valid until the next call. */
static inline struct framecache_row *framecache_get(struct framecache *c, uint64_t addr)
{
	struct framecache_row new = { .addr = addr };
	uint32_t id = index_put(&c->index, c->rows, c->n, c->cap, &new, sizeof(addr));

	return &c->rows[id];
}

/* Stores the n > 0 frames of a row that has none. */
static inline void framecache_fill(struct framecache *c, struct framecache_row *row,
				   const struct frame *frames, int n)
{
	row->first = c->n_frames;
	row->n = (uint32_t)n;
	for (int i = 0; i < n; i++)
		*table_add(c->frames, c->n_frames, c->cap_frames) = frames[i];
}

static inline void framecache_release(struct framecache *c)
{
	index_release(&c->index);
	free(c->rows);
	free(c->frames);
	*c = (struct framecache){ 0 };
}
