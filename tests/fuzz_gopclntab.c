/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of any bytes, its first one choosing the version; funcdata is the table
 * itself. */
#include "profiler/base/strtab.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look_up(void *arg, const struct func *f)
{
	struct gopclntab *t = arg;
	struct strtab *strs = strtab_new();
	struct frame frames[FRAMES_AT_PC];
	uint32_t delta;

	for (uint64_t addr = f->addr; addr <= f->addr + f->size; addr += f->size / 8 + 1) {
		gopclntab_resolver.find(t, addr, strs, frames, FRAMES_AT_PC);
		gopclntab_spdelta(t, addr, &delta);
		gopclntab_start(t, addr, strs);
	}
	strtab_free(strs);
	return f->addr - t->text > 1 << 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gopclntab t;
	struct cursor table = cursor_over(data + 1, size ? size - 1 : 0);

	if (!size || gopclntab_parse(&t, table, 18 + data[0] % 10))
		return 0;
	t.text = 0x401000;
	t.funcdata = table;
	gopclntab_resolver.each(&t, look_up, &t);
	return 0;
}
