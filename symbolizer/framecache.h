/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of addresses that were looked up before. Rows are never removed. { 0 } is
 * empty. */
#ifndef SYMBOLIZER_FRAMECACHE_H
#define SYMBOLIZER_FRAMECACHE_H

#include <stdint.h>
#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/index.h"
#include "symbolizer/frame.h"

struct framecache_row {
	uint64_t addr;
	uint32_t first, n; /* of frames, n > 0 */
};

struct framecache {
	struct index index;
	struct framecache_row *rows;
	uint32_t n, cap;
	struct frame *frames; /* those of one address are adjacent */
	uint32_t n_frames, cap_frames;
};

struct framecache_key {
	const struct framecache *c;
	uint64_t addr;
};

static inline bool framecache_same(const void *arg, uint32_t id)
{
	const struct framecache_key *k = arg;

	return k->c->rows[id].addr == k->addr;
}

/* Returns the number of frames; 0: unknown address. *ret is valid until the next
 * framecache_add(). */
static inline int framecache_find(const struct framecache *c, uint64_t addr,
				  const struct frame **ret)
{
	struct framecache_key k = { c, addr };
	uint32_t id = index_find(&c->index, hash_pair(addr, 0), framecache_same, &k);

	if (id == INDEX_NONE)
		return 0;
	*ret = c->frames + c->rows[id].first;
	return (int)c->rows[id].n;
}

/* Adds the n > 0 frames of an address that framecache_find() did not find. */
static inline void framecache_add(struct framecache *c, uint64_t addr,
				  const struct frame *frames, int n)
{
	index_add(&c->index, hash_pair(addr, 0), c->n);
	*table_add(c->rows, c->n, c->cap) = (struct framecache_row){ addr, c->n_frames,
								     (uint32_t)n };
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

#endif
