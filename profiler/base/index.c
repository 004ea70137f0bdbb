/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/index.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"

/* The slot keeps 32 bits of the hash: enough to move it when the index grows, and to rarely
 * compare the owner's row in vain. id is the row's plus one; 0 is a free slot. */
struct index_slot {
	uint32_t hash, id;
};

uint64_t hash_bytes(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t h = n, word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = hash_pair(h, word);
	}
	if (n) {
		word = 0;
		memcpy(&word, p, n);
		h = hash_pair(h, word);
	}
	return h;
}

static void place(struct index_slot *slots, uint32_t cap, struct index_slot row)
{
	uint32_t i = row.hash & (cap - 1);

	while (slots[i].id)
		i = (i + 1) & (cap - 1);
	slots[i] = row;
}

static void grow(struct index *ix)
{
	/* by more while that is cheap: each step moves all rows */
	uint32_t cap = !ix->cap ? 64 : ix->cap < 1 << 16 ? ix->cap * 4 : ix->cap * 2;
	struct index_slot *slots = mem_zalloc(cap * sizeof(*slots));

	for (uint32_t i = 0; i < ix->cap; i++)
		if (ix->slots[i].id)
			place(slots, cap, ix->slots[i]);
	free(ix->slots);
	ix->slots = slots;
	ix->cap = cap;
}

void index_keep(struct index *ix, bool (*keep)(const void *arg, uint32_t id),
		const void *arg)
{
	struct index old = *ix;

	*ix = (struct index){ 0 };
	for (uint32_t i = 0; i < old.cap; i++)
		if (old.slots[i].id && keep(arg, old.slots[i].id - 1))
			index_add(ix, old.slots[i].hash, old.slots[i].id - 1);
	free(old.slots);
}

uint32_t index_find(const struct index *ix, uint64_t hash,
		    bool (*same)(const void *arg, uint32_t id), const void *arg)
{
	uint32_t h = (uint32_t)hash, mask = ix->cap - 1;

	if (!ix->cap)
		return INDEX_NONE;
	for (uint32_t i = h & mask; ix->slots[i].id; i = (i + 1) & mask)
		if (ix->slots[i].hash == h && same(arg, ix->slots[i].id - 1))
			return ix->slots[i].id - 1;
	return INDEX_NONE;
}

void index_add(struct index *ix, uint64_t hash, uint32_t id)
{
	if (ix->n >= ix->cap / 2)
		grow(ix);
	place(ix->slots, ix->cap, (struct index_slot){ (uint32_t)hash, id + 1 });
	ix->n++;
}

uint32_t index_get(struct index *ix, uint64_t hash,
		   bool (*same)(const void *arg, uint32_t id), const void *arg,
		   uint32_t next)
{
	uint32_t id = index_find(ix, hash, same, arg);

	if (id != INDEX_NONE)
		return id;
	index_add(ix, hash, next);
	return next;
}

struct row_key {
	const char *rows;
	size_t row_size, key_size;
	const void *key;
};

static bool row_same(const void *arg, uint32_t id)
{
	const struct row_key *k = arg;

	return !memcmp(k->rows + id * k->row_size, k->key, k->key_size);
}

uint32_t index_row(struct index *ix, const void *rows, size_t row_size, const void *key,
		   size_t key_size, uint32_t n)
{
	struct row_key k = { rows, row_size, key_size, key };

	return index_get(ix, hash_bytes(key, key_size), row_same, &k, n);
}

void index_release(struct index *ix)
{
	free(ix->slots);
	*ix = (struct index){ 0 };
}
