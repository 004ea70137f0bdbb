/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/label_keys.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/profile.h"

struct builder {
	struct label_keys *k;
	struct pairs keys;   /* name: the id is the row */
	struct pairs values; /* row, value */
};

static void add_set(struct builder *b, const char *set)
{
	struct label_keys *k = b->k;
	struct buf key = { 0 }, value = { 0 };
	uint32_t name, row, n;

	while (labels_next(&set, &key, &value) == LABEL_WHOLE) {
		name = strtab_add(k->names, buf_text(&key));
		row = pairs_add(&b->keys, name, 0);
		if (row == k->n)
			table_add(k->rows, k->n, k->cap)->name = strtab_get(k->names, name);
		name = strtab_add(k->names, buf_text(&value));
		n = b->values.n;
		k->rows[row].n_values += pairs_add(&b->values, row, name) == n;
	}
	buf_release(&key);
	buf_release(&value);
}

static int by_name(const void *a, const void *b)
{
	const struct label_key *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void label_keys_init(struct label_keys *k, const struct profile *p)
{
	struct builder b = { .k = k };
	struct pairs sets = { 0 };

	*k = (struct label_keys){ .names = strtab_new() };
	for (uint32_t i = 1; i < p->n_goroutines; i++) {
		uint32_t labels = p->goroutines[i].labels, n = sets.n;

		if (labels && pairs_add(&sets, labels, 0) == n)
			add_set(&b, profile_string(p, labels));
	}
	table_sort(k->rows, k->n, by_name);
	pairs_release(&sets);
	pairs_release(&b.keys);
	pairs_release(&b.values);
}

bool label_keys_have(const struct label_keys *k, const char *name, size_t len)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (strlen(k->rows[i].name) == len && !memcmp(k->rows[i].name, name, len))
			return true;
	return false;
}

void label_keys_release(struct label_keys *k)
{
	strtab_free(k->names);
	free(k->rows);
	*k = (struct label_keys){ 0 };
}
