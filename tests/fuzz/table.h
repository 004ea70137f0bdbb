/* SPDX-License-Identifier: BSD-2-Clause */
/* Every question that can be asked about a table, whatever is in it. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "symbolizer/goinline.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

struct table_asked {
	struct gopclntab *t;
	struct strtab *strs;
	uint32_t funcs; /* still to do */
};

static inline void table_ask(struct gopclntab *t, uint64_t addr, struct strtab *strs)
{
	struct frame frames[FRAMES_AT_PC];
	int n = gopclntab_resolver.find(t, addr, strs, frames, FRAMES_AT_PC);
	struct go_pc pc;

	if (n < 0 ? n != -EBADMSG : n > FRAMES_AT_PC)
		abort();
	for (int i = 0; i < n; i++)
		if (frames[i].inlined != (i < n - 1) || !gopclntab_covers(t, addr))
			abort();
	gopclntab_pc(t, addr, &pc);
	gopclntab_start(t, addr, strs);
}

static inline int table_ask_function(void *arg, const struct func *f)
{
	struct table_asked *a = arg;

	for (uint64_t i = 0; i <= 4; i++)
		table_ask(a->t, f->addr + f->size / 4 * i, a->strs);
	return !--a->funcs;
}

static inline bool table_ask_wanted(void *arg, const char *name)
{
	*(size_t *)arg += strlen(name);
	return true;
}

static inline void table_ask_place(void *arg, const struct go_place *place)
{
	(void)arg;
	if (place->addr && place->addr - place->entry >= place->len)
		abort();
}

/* Asks every question, about the first functions and about addresses that are not
 * functions. */
static inline void table_ask_all(struct gopclntab *t, uint32_t funcs)
{
	struct table_asked a = { .t = t, .strs = strtab_new(), .funcs = funcs };
	struct go_range ranges[4];
	uint64_t entry;
	size_t names = 0;
	uint32_t len;

	goinline_each(t, t->elf, table_ask_wanted, table_ask_place, &names);
	gopclntab_trees_hold(t);
	gopclntab_max_id(t);
	gopclntab_function(t, "main.main", &entry, &len);
	gopclntab_bp_data(t, ranges, 4);
	gopclntab_resolver.each(t, table_ask_function, &a);
	table_ask(t, t->text, a.strs);
	table_ask(t, 0, a.strs);
	table_ask(t, UINT64_MAX, a.strs);
	strtab_free(a.strs);
}

static inline void table_ask_at(struct gopclntab *t, uint64_t addr)
{
	struct strtab *strs = strtab_new();

	table_ask(t, addr, strs);
	strtab_free(strs);
}
