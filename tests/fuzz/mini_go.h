/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest program in which gopclntab_open() finds a table, built around bytes, so that
 * a fuzzer need not guess valid ELF. Input: minor version of Go (255: none), MINI_* flags,
 * number of patches, number of relocations; patches {u8 word of moduledata, u64 value};
 * relocations {u16 offset in moduledata, u8 type, u8 symbol, u64 addend}; the rest is the
 * table.
 */
#pragma once

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/cursor.h"

enum {
	MINI_SECTIONS = 1, /* has section headers */
	MINI_POINTERS = 2, /* the version is stored as up to Go 1.17 */
	MINI_ARM = 4,
	MINI_RELA = 8, /* the words of moduledata are in relocations */
	MINI_TABLE = 0x500000,
	MINI_TEXT = 0x401000,
	MINI_RELAS = 16, /* of the bytes */
};

struct mini_go {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Shdr sh[4];
	char names[48];
	_Alignas(16) uint8_t info[32];
	char version[16];
	uint64_t header[2]; /* of the version, a Go string */
	Elf64_Dyn dyn[4];
	Elf64_Sym sym[4];
	uint64_t module[64];
	Elf64_Rela rela[MINI_RELAS + 64];
	_Alignas(16) uint8_t table[];
};

#define MINI_OFFSET(field) ((uint64_t)offsetof(struct mini_go, field))
#define MINI_AT(field)     (MINI_TABLE - MINI_OFFSET(table) + MINI_OFFSET(field))

static inline void mini_go_headers(struct mini_go *m, uint8_t flags, size_t len)
{
	static const char names[] = "\0.go.buildinfo\0.gopclntab\0.shstrtab";

	m->eh = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = flags & MINI_RELA ? ET_DYN : ET_EXEC,
		.e_machine = flags & MINI_ARM ? EM_AARCH64 : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(m->eh),
		.e_phoff = MINI_OFFSET(ph),
		.e_phentsize = sizeof(*m->ph),
		.e_phnum = 2,
		.e_shoff = MINI_OFFSET(sh),
		.e_shentsize = sizeof(*m->sh),
		.e_shnum = 4,
		.e_shstrndx = 3,
	};
	if (!(flags & MINI_SECTIONS))
		m->eh.e_shoff = m->eh.e_shnum = m->eh.e_shstrndx = 0;
	m->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_flags = PF_R | PF_W | PF_X,
				 .p_vaddr = MINI_AT(eh),
				 .p_filesz = MINI_OFFSET(table) + len };
	m->ph[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				 .p_offset = MINI_OFFSET(dyn),
				 .p_filesz = sizeof(m->dyn) };
	memcpy(m->names, names, sizeof(names));
	m->sh[1] = (Elf64_Shdr){ .sh_name = 1,
				 .sh_type = SHT_PROGBITS,
				 .sh_addr = MINI_AT(info),
				 .sh_offset = MINI_OFFSET(info),
				 .sh_size = sizeof(m->info) + sizeof(m->version) };
	m->sh[2] = (Elf64_Shdr){ .sh_name = 15,
				 .sh_type = SHT_PROGBITS,
				 .sh_addr = MINI_AT(table),
				 .sh_offset = MINI_OFFSET(table),
				 .sh_size = len };
	m->sh[3] = (Elf64_Shdr){ .sh_name = 26,
				 .sh_type = SHT_STRTAB,
				 .sh_offset = MINI_OFFSET(names),
				 .sh_size = sizeof(names) };
}

static inline void mini_go_version(struct mini_go *m, uint8_t minor, uint8_t flags)
{
	uint64_t pointer = MINI_AT(header);
	char version[sizeof(m->version)];
	int n = minor == UINT8_MAX ? snprintf(version, sizeof(version), "devel")
				   : snprintf(version, sizeof(version), "go1.%d", minor);

	memcpy(m->info, "\xff Go buildinf:\x08", 15);
	m->info[15] = flags & MINI_POINTERS ? 0 : 2;
	memcpy(m->info + 16, &pointer, 8);
	m->header[0] = MINI_AT(version);
	m->header[1] = (uint64_t)n;
	if (!(flags & MINI_POINTERS))
		m->version[0] = (char)n;
	memcpy(m->version + !(flags & MINI_POINTERS), version, (size_t)n);
}

/* Writes what a linker would; only the words that matter. */
static inline void mini_go_module(struct mini_go *m, uint8_t minor, uint64_t n_funcs)
{
	m->module[0] = MINI_TABLE;
	if (minor <= 15) {
		m->module[4] = m->module[5] = n_funcs + 1;
	} else {
		m->module[17] = m->module[18] = n_funcs + 1;
		m->module[22] = MINI_TEXT;
		m->module[minor >= 27 ? 43 : minor >= 20 ? 40 : 38] = MINI_TABLE;
	}
}

/* Turns words that are addresses into relocations, from the n-th on. */
static inline uint32_t mini_go_relocate(struct mini_go *m, uint32_t n, uint8_t minor,
					uint8_t flags)
{
	for (int i = 0; i < 64; i++) {
		bool count = minor <= 15 ? i == 4 || i == 5 : i == 17 || i == 18;

		if (!m->module[i] || count)
			continue;
		m->rela[n].r_offset = MINI_AT(module) + 8 * (uint64_t)i;
		m->rela[n].r_info = flags & MINI_ARM ? R_AARCH64_RELATIVE
						     : R_X86_64_RELATIVE;
		m->rela[n++].r_addend = (int64_t)m->module[i];
		m->module[i] = 0;
	}
	return n;
}

/* The caller frees it. */
static inline struct mini_go *mini_go_new(const uint8_t *data, size_t size, size_t *ret_len)
{
	struct cursor c = cursor_over(data, size), patches, rest;
	uint8_t minor = cursor_u8(&c), flags = cursor_u8(&c);
	uint32_t n_patches = cursor_u8(&c), n_rela = cursor_u8(&c) % MINI_RELAS;
	struct mini_go *m = mem_zalloc(sizeof(*m) + size);
	const void *table;
	size_t len;

	patches = c;
	cursor_bytes(&c, 9 * n_patches);
	for (uint32_t i = 0; i < n_rela; i++) {
		m->rela[i].r_offset = MINI_AT(module) + cursor_u16(&c);
		m->rela[i].r_info = cursor_u8(&c);
		m->rela[i].r_info |= (uint64_t)cursor_u8(&c) << 32;
		m->rela[i].r_addend = (int64_t)cursor_u64(&c);
	}
	rest = c;
	len = cursor_left(&c);
	table = cursor_bytes(&c, len);
	if (len)
		memcpy(m->table, table, len);
	cursor_bytes(&rest, 8);
	mini_go_module(m, minor, cursor_u64(&rest));
	for (uint32_t i = 0; i < n_patches; i++) {
		uint8_t word = cursor_u8(&patches) % 64;

		m->module[word] = cursor_u64(&patches);
	}
	if (flags & MINI_RELA)
		n_rela = mini_go_relocate(m, n_rela, minor, flags);
	for (int i = 0; i < 4; i++)
		m->sym[i] = (Elf64_Sym){ .st_shndx = (uint16_t)i, .st_value = MINI_TABLE };
	m->dyn[0] = (Elf64_Dyn){ DT_RELA, { MINI_AT(rela) } };
	m->dyn[1] = (Elf64_Dyn){ DT_RELASZ, { n_rela * sizeof(*m->rela) } };
	m->dyn[2] = (Elf64_Dyn){ DT_SYMTAB, { MINI_AT(sym) } };
	mini_go_version(m, minor, flags);
	mini_go_headers(m, flags, len);
	*ret_len = MINI_OFFSET(table) + len;
	return m;
}
