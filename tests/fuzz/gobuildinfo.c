/* SPDX-License-Identifier: BSD-2-Clause */
/* An ELF file of any bytes, passed to the search for Go. */
#include "symbolizer/elf.h"
#include "symbolizer/gobuildinfo.h"
#include "symbolizer/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char version[GO_VERSION_MAX];
	struct binary b = { .path = "", .root = "" };
	const char *why;
	struct elf *e;
	void *self;

	if (elf_parse(&e, data, size))
		return 0;
	b.elf = e;
	if (gobuildinfo_version(e, version))
		gobuildinfo_minor(version);
	if (!gopclntab_resolver.open(&self, &b, &why))
		gopclntab_resolver.close(self);
	elf_close(e);
	return 0;
}
