/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds rows of a table by content: maps the hash of a key to an id, by open addressing.
 * The rows stay with their owner, who compares them; the index has 8 bytes per slot, at
 * most half of them used. { 0 } is empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/base/arena.h"

struct index {
	struct index_slot *slots; /* owned */
	uint32_t n, cap;          /* cap is 0 or a power of two */
};

#define INDEX_NONE UINT32_MAX

/* The id of the row with this hash that same(arg, id) accepts, or INDEX_NONE. */
uint32_t index_find(const struct index *ix, uint64_t hash,
		    bool (*same)(const void *arg, uint32_t id), const void *arg);
/* Adds a row that index_find() did not find. id must be less than INDEX_NONE. */
void index_add(struct index *ix, uint64_t hash, uint32_t id);
/* The same id, or else `next`, which it adds: the caller then appends that row. */
uint32_t index_get(struct index *ix, uint64_t hash,
		   bool (*same)(const void *arg, uint32_t id), const void *arg,
		   uint32_t next);
/* The same for a table of rows of row_size bytes that begin with their key, key_size bytes
 * without padding; n: how many rows it has. */
uint32_t index_row(struct index *ix, const void *rows, size_t row_size, const void *key,
		   size_t key_size, uint32_t n);
/* Removes the ids that keep(arg, id) refuses. */
void index_keep(struct index *ix, bool (*keep)(const void *arg, uint32_t id),
		const void *arg);
void index_release(struct index *ix);

/* The id of the row of a table (arena.h) that begins with the key_size bytes at row; if
 * there is none, appends *row, whose id is the number of rows before. */
#define index_put(ix, rows, n, cap, row, key_size) \
	({ \
		uint32_t id_ = index_row(ix, rows, sizeof(*(rows)), row, key_size, n); \
		if (id_ == (n)) \
			*table_add(rows, n, cap) = *(row); \
		id_; \
	})

/* A hash of n bytes; not safe against keys chosen to collide. */
uint64_t hash_bytes(const void *data, size_t n);
/* A hash of two numbers with strong mixing; chain it for more. */
static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd1b54a32d192ed03u);
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);

	return h ^ h >> 29;
}
