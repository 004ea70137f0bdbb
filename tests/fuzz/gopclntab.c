/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of any bytes; the first one chooses the version. What the table points at outside
 * is looked up in the table itself. */
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "tests/fuzz/table.h"
#include "tests/fuzz/mini_go.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_segment segment = { .vaddr = MINI_TABLE, .filesz = size ? size - 1 : 0 };
	struct elf image = { .segments = &segment, .n_segments = 1 };
	struct cursor table;
	struct gopclntab t;
	int minor;

	if (!size)
		return 0;
	minor = GO_OLDEST + data[0] % (GO_NEWEST - GO_OLDEST + 2);
	if (minor > GO_NEWEST)
		minor = -1;
	table = cursor_over(data + 1, size - 1);
	image.data = table.data;
	image.size = table.len;
	if (gopclntab_parse(&t, table, minor))
		return 0;
	if (t.format <= FORMAT_116) {
		t.elf = &image;
		t.skew = (uint8_t)(t.funcs.data - table.data) % 8;
		cursor_seek(&t.funcs, t.functab);
		t.text = cursor_u64(&t.funcs);
	} else {
		t.text = MINI_TEXT;
		t.funcdata = table;
	}
	table_ask_all(&t, 64);
	return 0;
}
