/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"

/* No kernel function is larger; addresses farther from a symbol have no name. */
#define MAX_SIZE ((uint64_t)256 << 10)

struct symbol {
	uint64_t addr;
	uint32_t name;   /* offset in names */
	uint16_t module; /* id in modules; 0: none */
	uint8_t rank;    /* global, local, weak: the order of names for one address */
};

struct kallsyms {
	struct symbol *symbols; /* sorted by addr */
	uint32_t n, cap;
	struct buf names;
	struct strtab *modules; /* with brackets */
};

/* Parses "ffffffffc0a01000 t nft_do_chain [nf_tables]" by hand, because sscanf() takes 100
 * ms for all lines. */
static void add_line(struct kallsyms *k, char *line)
{
	char *end, *name, *module, type;
	uint64_t addr = strtoull(line, &end, 16);
	uint32_t id;

	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return;
	type = end[1];
	name = end + 3;
	if (!strchr("TtWw", type) || k->names.len > UINT32_MAX / 2)
		return;
	module = name + strcspn(name, " \t\n");
	if (module == name)
		return;
	if (*module)
		*module++ = 0;
	module[strcspn(module, "\n")] = 0;
	id = *module == '[' ? strtab_add(k->modules, module) : 0;
	*table_add(k->symbols, k->n, k->cap) = (struct symbol){
		.addr = addr,
		.name = (uint32_t)k->names.len,
		.module = id < UINT16_MAX ? (uint16_t)id : 0,
		.rank = type == 'T'   ? 0
			: type == 't' ? 1
				      : 2,
	};
	buf_add(&k->names, name, strlen(name) + 1);
}

static int symbol_cmp(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return ascending(x->addr, y->addr) ?: x->rank - y->rank ?: ascending(x->name, y->name);
}

int kallsyms_open(struct kallsyms **ret, const char *path, const char **why)
{
	FILE *f = fopen(path, "re");
	struct kallsyms *k;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	*why = "/proc/kallsyms cannot be read";
	if (!f)
		return -errno;
	k = mem_zalloc(sizeof(*k));
	k->modules = strtab_new();
	while (getline(&line, &size, f) > 0)
		add_line(k, line);
	free(line);
	fclose(f);
	table_sort(k->symbols, k->n, symbol_cmp);
	if (!k->n) {
		*why = "/proc/kallsyms is empty";
		err = -ENOENT;
	} else if (!k->symbols[k->n - 1].addr) {
		*why = "/proc/kallsyms hides addresses (kernel.kptr_restrict, CAP_SYSLOG)";
		err = -EPERM;
	}
	if (err) {
		kallsyms_close(k);
		return err;
	}
	k->symbols = mem_realloc(k->symbols, k->n, sizeof(*k->symbols));
	k->names.data = mem_realloc(k->names.data, k->names.len, 1);
	*why = NULL;
	*ret = k;
	return 0;
}

void kallsyms_close(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->symbols);
	strtab_free(k->modules);
	buf_release(&k->names);
	free(k);
}

bool kallsyms_find(const struct kallsyms *k, uint64_t addr, const char **name,
		   const char **module)
{
	uint32_t n = table_until(k->n, i, k->symbols[i].addr <= addr);
	const struct symbol *s = k->symbols + n;

	if (!n || addr - s[-1].addr >= MAX_SIZE)
		return false;
	/* the best of several names comes first */
	for (s--; s > k->symbols && s[-1].addr == s->addr; s--)
		;
	*name = (const char *)k->names.data + s->name;
	*module = s->module ? strtab_get(k->modules, s->module) : "[kernel]";
	return true;
}
