/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/strtab.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/index.h"

struct strtab {
	struct arena arena;
	struct index index;
	const char **strs;
	uint32_t n, cap;
};

struct key {
	const struct strtab *t;
	const char *s;
	size_t n;
};

static bool same(const void *arg, uint32_t id)
{
	const struct key *k = arg;
	const char *s = k->t->strs[id];

	return !strncmp(s, k->s, k->n) && !s[k->n];
}

struct strtab *strtab_new(void)
{
	struct strtab *t = mem_zalloc(sizeof(*t));

	*table_add(t->strs, t->n, t->cap) = "";
	return t;
}

void strtab_free(struct strtab *t)
{
	if (!t)
		return;
	arena_release(&t->arena);
	index_release(&t->index);
	free(t->strs);
	free(t);
}

uint32_t strtab_addn(struct strtab *t, const char *s, size_t n)
{
	struct key k = { t, s, n ? strnlen(s, n) : 0 };
	uint32_t id;

	if (!k.n) /* s may be NULL, too */
		return 0;
	id = index_get(&t->index, hash_bytes(s, k.n), same, &k, t->n);
	if (id == t->n)
		*table_add(t->strs, t->n, t->cap) = arena_strndup(&t->arena, s, k.n);
	return id;
}

uint32_t strtab_add(struct strtab *t, const char *s)
{
	return strtab_addn(t, s, strlen(s));
}

const char *strtab_get(const struct strtab *t, uint32_t id)
{
	return t->strs[id];
}

uint32_t strtab_count(const struct strtab *t)
{
	return t->n;
}
