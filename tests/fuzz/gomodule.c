/* SPDX-License-Identifier: BSD-2-Clause */
/* A program around a table, with every way in which the two may disagree: see mini_go.h. */
#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "tests/fuzz/table.h"
#include "tests/fuzz/mini_go.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct binary b = { .path = "", .root = "" };
	struct mini_go *m;
	const char *why;
	struct elf *e;
	size_t len;
	void *self;

	m = mini_go_new(data, size, &len);
	if (!elf_parse(&e, m, len)) {
		b.elf = e;
		if (!gopclntab_resolver.open(&self, &b, &why)) {
			table_ask_all(self, 64);
			gopclntab_resolver.close(self);
		} else if (!why) {
			abort(); /* every refusal gives a reason */
		}
		elf_close(e);
	}
	free(m);
	return 0;
}
