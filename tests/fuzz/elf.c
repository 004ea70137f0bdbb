/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile ELF file: everything that is read of it, and its symbol table. */
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const struct func *f)
{
	uint64_t *sum = arg;

	*sum += f->addr + f->size + strlen(f->name) + (f->file ? strlen(f->file) : 0);
	return 0;
}

static void read_elf(const struct elf *e)
{
	uint64_t vaddr, word, where;
	struct cursor bytes;

	elf_section(e, ".text", &vaddr, &bytes);
	elf_vaddr(e, 0x1000, &vaddr);
	for (uint64_t i = 0; i < 100 && elf_rela(e, i, &where, &word); i++)
		elf_word(e, where, &word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object_key key = { 0 };
	uint8_t *copy =
		malloc(size + 1); /* libelf changes the headers of compressed sections */
	struct strtab *strs = strtab_new();
	struct frame frames[FRAMES_AT_PC];
	struct object *o;
	uint64_t sum = 0;

	memcpy(copy, data, size);
	o = object_of_bytes(copy, size, &key, "fuzz", 4);
	if (o->elf)
		read_elf(o->elf);
	for (uint32_t i = 0; i < o->n_sources; i++)
		o->sources[i].resolver->each(o->sources[i].self, take, &sum);
	for (uint64_t addr = 0; addr < 0x3000; addr += 0x123)
		object_resolve(o, addr, strs, frames);
	object_free(o);
	strtab_free(strs);
	return 0;
}
