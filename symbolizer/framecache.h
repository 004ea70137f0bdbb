/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of addresses that were looked up before. Rows are never removed. { 0 } is
 * empty. */
#ifndef SYMBOLIZER_FRAMECACHE_H
#define SYMBOLIZER_FRAMECACHE_H

#include <stdint.h>
#include <stdlib.h>

#include "profiler/base/arena.h"
#include "symbolizer/frame.h"

struct framecache_slot {
	uint64_t addr;
	uint32_t first, n; /* rows of frames; n 0: unused slot */
};

struct framecache {
	struct framecache_slot *slots; /* at most half are used */
	uint32_t n, cap;               /* cap is 0 or a power of two */
	struct frame *frames;          /* those of one address are adjacent */
	uint32_t n_frames, cap_frames;
};

static inline struct framecache_slot *framecache_slot(const struct framecache *c,
						      uint64_t addr)
{
	uint64_t h = addr * 0x9e3779b97f4a7c15u;
	uint32_t i = (uint32_t)(h >> 32) & (c->cap - 1);

	while (c->slots[i].n && c->slots[i].addr != addr)
		i = (i + 1) & (c->cap - 1);
	return &c->slots[i];
}

/* Returns the number of frames; 0: unknown address. *ret is valid until the next
 * framecache_add(). */
static inline int framecache_find(const struct framecache *c, uint64_t addr,
				  const struct frame **ret)
{
	const struct framecache_slot *s;

	if (!c->cap)
		return 0;
	s = framecache_slot(c, addr);
	*ret = c->frames + s->first;
	return (int)s->n;
}

/* Adds the n > 0 frames of an address that framecache_find() did not find. */
static inline void framecache_add(struct framecache *c, uint64_t addr,
				  const struct frame *frames, int n)
{
	struct framecache old = *c;

	if (c->n >= c->cap / 2) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->slots = mem_zalloc(c->cap * sizeof(*c->slots));
		for (uint32_t i = 0; i < old.cap; i++)
			if (old.slots[i].n)
				*framecache_slot(c, old.slots[i].addr) = old.slots[i];
		free(old.slots);
	}
	c->n++;
	*framecache_slot(c, addr) = (struct framecache_slot){ addr, c->n_frames,
							      (uint32_t)n };
	for (int i = 0; i < n; i++)
		*table_add(c->frames, c->n_frames, c->cap_frames) = frames[i];
}

static inline void framecache_release(struct framecache *c)
{
	free(c->slots);
	free(c->frames);
	*c = (struct framecache){ 0 };
}

#endif
