/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file whose unwind table and code are chosen by the target, and a stack of it. Input:
 * the length of the table, the table, registers, then words of the stack, which is at TOP;
 * the file is at BASE.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profiler/base/cursor.h"
#include "profiler/base/strtab.h"
#include "profiler/unwind/cunwind.h"
#include "symbolizer/symbolizer.h"

enum { BASE = 0x1000, STACK = 0x100000, MAX_PCS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The table is also the code and the symbols. */
static int file_of_table(const void *table, size_t len)
{
	static const char names[] = "\0.eh_frame\0.names\0.dynsym\0.dynstr\0.rela.plt";
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph;
		Elf64_Shdr sh[6];
		char names[sizeof(names)];
	} f = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(__typeof__(f), ph),
			.e_shoff = offsetof(__typeof__(f), sh),
			.e_ehsize = sizeof(f.eh),
			.e_phentsize = sizeof(f.ph),
			.e_phnum = 1,
			.e_shentsize = sizeof(*f.sh),
			.e_shnum = 6,
			.e_shstrndx = 2 },
		.ph = { .p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_offset = sizeof(f),
			.p_vaddr = BASE,
			.p_filesz = len,
			.p_memsz = len },
		.sh = { [1] = { .sh_name = 1,
				.sh_type = SHT_PROGBITS,
				.sh_addr = BASE,
				.sh_offset = sizeof(f),
				.sh_size = len },
			[2] = { .sh_name = 11,
				.sh_type = SHT_STRTAB,
				.sh_offset = offsetof(__typeof__(f), names),
				.sh_size = sizeof(names) } },
	};
	static const uint8_t name_at[] = { 18, 26, 34 };
	int fd = memfd_create("fuzz", 0);

	for (int i = 0; i < 3; i++) {
		f.sh[3 + i] = f.sh[1];
		f.sh[3 + i].sh_name = name_at[i];
	}

	memcpy(f.names, names, sizeof(names));
	if (write(fd, &f, sizeof(f)) < 0 || write(fd, table, len) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	size_t len = cursor_u16(&c);
	const void *table = cursor_bytes(&c, len);
	struct cstack stack = { 0 };
	struct strtab *strs;
	struct symbolizer *s;
	struct space *space;
	struct cunwind *u;
	uint64_t pcs[MAX_PCS];
	uint32_t n;
	int fd;

	if (!table || !len)
		return 0;
	for (int i = 0; i < 17; i++)
		stack.regs[i] = cursor_u16(&c);
	stack.regs[7] = STACK;
	stack.regs[6] += STACK;
	stack.copy = (struct stack_copy){ STACK, data + c.pos, (uint32_t)(size - c.pos) };
	stack.cut = size & 1;
	strs = strtab_new();
	s = symbolizer_new(strs);
	fd = file_of_table(table, len);
	if (space_open_file(&space, s, fd))
		abort();
	close(fd);
	u = cunwind_new();
	/* every address that a table of this size is likely to name, then a stack */
	for (uint64_t pc = BASE; pc < BASE + 64; pc++) {
		struct cstack again = stack;

		again.regs[16] = pc;
		cunwind(u, space, &again, pcs, MAX_PCS, &n);
		if (n > MAX_PCS || !n)
			abort();
	}
	cunwind(u, space, &stack, pcs, MAX_PCS, &n);
	cunwind_free(u);
	space_close(space);
	symbolizer_close(s);
	strtab_free(strs);
	return 0;
}
