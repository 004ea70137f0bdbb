/* SPDX-License-Identifier: BSD-2-Clause */
/* gopclntab_inlined(): the inline trees of all functions. */
#include "symbolizer/goentry.h"
#include "symbolizer/gopclntab.h"

/* The number of rows of a function's inline tree that its code refers to. */
static uint64_t rows_of(const struct gopclntab *t, const struct entry *e, uint64_t *steps)
{
	struct pcvalues v;
	int64_t last = -1;

	if (!has_inlined(t, e) ||
	    !pcvalues_open(&v, &t->pctab,
			   u32_at(&t->funcs, e->tables + 4 * PCDATA_INLTREE)))
		return 0;
	while (pcvalues_next(&v) && (*steps)++ < MAX_SAMPLED)
		last = v.value > last ? v.value : last;
	return (uint64_t)(last + 1);
}

void gopclntab_inlined(const struct gopclntab *t, void (*fn)(void *arg, const char *name),
		       void *arg)
{
	struct entry e, inner;
	uint64_t steps = 0, n;
	uint32_t parent_pc;

	for (uint32_t row = 0; row < t->n_funcs && steps < MAX_SAMPLED; row++) {
		n = entry_read(t, row, &e) ? rows_of(t, &e, &steps) : 0;
		for (uint32_t i = 0; i < n && steps++ < MAX_SAMPLED; i++) {
			const char *name;

			inner = e;
			if (!inlined_row(t, &inner, i, &parent_pc))
				break;
			name = string_at(&t->names, inner.name);
			if (name)
				fn(arg, name);
		}
	}
}
