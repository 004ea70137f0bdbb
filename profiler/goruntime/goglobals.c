/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/goglobals.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "symbolizer/elf.h"

struct global {
	uint64_t addr, size;
	const char *name;
};

struct goglobals {
	struct global *rows; /* owned, by address */
	uint32_t n, cap;
};

static int by_addr(const void *a, const void *b)
{
	const struct global *x = a, *y = b;

	return ascending(x->addr, y->addr);
}

static void symbols_read(struct goglobals *g, const struct elf *elf, size_t strings,
			 Elf_Data *data)
{
	GElf_Sym sym;

	for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
		const char *name = GELF_ST_TYPE(sym.st_info) == STT_OBJECT && sym.st_size
					   ? elf_strptr(elf->lib, strings, sym.st_name)
					   : NULL;

		if (name && *name)
			*table_add(g->rows, g->n, g->cap) =
				(struct global){ sym.st_value, sym.st_size, name };
	}
}

struct goglobals *goglobals_open(const struct elf *elf)
{
	struct goglobals *g = mem_zalloc(sizeof(*g));
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while (elf->lib && (scn = elf_nextscn(elf->lib, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			symbols_read(g, elf, sh.sh_link, elf_getdata(scn, NULL));
	table_sort(g->rows, g->n, by_addr);
	return g;
}

void goglobals_close(struct goglobals *g)
{
	if (!g)
		return;
	free(g->rows);
	free(g);
}

void goglobals_name(const struct goglobals *g, uint64_t addr, struct buf *to)
{
	uint32_t n = table_until(g->n, i, g->rows[i].addr <= addr);
	const struct global *row = n ? &g->rows[n - 1] : NULL;

	if (!row || addr - row->addr >= row->size)
		return;
	buf_str(to, row->name);
	if (addr != row->addr)
		buf_printf(to, "+0x%" PRIx64, addr - row->addr);
}
