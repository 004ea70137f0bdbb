/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 64-bit little-endian ELF file, mapped and not copied: names stay readable if the file
 * is deleted and its last process has ended. Sizes in headers are clipped to the bytes that
 * exist. If the file is truncated while mapped, it reads as zeros and guard_changed()
 * tells.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/base/cursor.h"
#include "profiler/base/guard.h"
#include "symbolizer/frame.h"

/* a PT_LOAD */
struct elf_segment {
	uint64_t vaddr, offset, filesz; /* offset + filesz is in the file */
	bool writable, executable;
};

struct elf {
	const uint8_t *data;
	size_t size;
	void *map;                    /* data, if elf_open() mapped it */
	struct guard guard;           /* of map */
	struct Elf *lib;              /* libelf's handle over data */
	uint16_t machine;             /* EM_* */
	struct elf_segment *segments; /* sorted by vaddr */
	uint32_t n_segments, cap_segments;
	struct cursor rela;        /* DT_RELA; empty: none */
	struct cursor symbols;     /* from DT_SYMTAB to the end of its segment */
	char build_id[2 * 32 + 1]; /* GNU build-id in hex; "": none */
	bool go;                   /* has a note from Go's linker */
	bool fixed;                /* loaded at the addresses it states */
	struct {
		uint64_t vaddr, size, align; /* align 0: no PT_TLS */
	} tls;
};

/* The fd may be closed afterwards. *ret is set on success only. -ENOEXEC: not such a file;
 * -ESTALE: it was truncated meanwhile; or the error of mapping it. */
int elf_open(struct elf **ret, int fd);
/* The same for a 32-bit file, without its relocations. */
int elf_open_32(struct elf **ret, int fd);
/* As elf_open(), from bytes that must outlive it. */
int elf_parse(struct elf **ret, const void *data, size_t size);
void elf_close(struct elf *e); /* takes NULL */
/* Gives back the memory that pages of its file take in this process. They are read again
 * when they are needed, mostly without a disk. */
void elf_rest(const struct elf *e);

/* The bytes of a section. False: there is no such section, or it is empty. */
bool elf_section(const struct elf *e, const char *name, uint64_t *vaddr,
		 struct cursor *bytes);
struct cursor elf_segment_bytes(const struct elf *e, uint32_t i);
/* The file's bytes from vaddr to the end of its segment; bad and empty outside all
 * segments. */
struct cursor elf_at(const struct elf *e, uint64_t vaddr);
/* The address at which this offset of the file is loaded; that of code if its page is
 * loaded twice. False: it is in no segment. */
bool elf_vaddr(const struct elf *e, uint64_t offset, uint64_t *vaddr);
/* The offset in the file of the code at vaddr, where the kernel puts a uprobe. False: vaddr
 * is not in the bytes of an executable segment. */
bool elf_code_offset(const struct elf *e, uint64_t vaddr, uint64_t *offset);

/* The pages of the executable segment, of the largest if there are several; all 0: none. */
struct text_pages elf_text(const struct elf *e);

/* The i-th entry of DT_RELA: stores `value` at address `where`. False: no more entries.
 * where is UINT64_MAX for entries that depend on other files. */
bool elf_rela(const struct elf *e, uint64_t i, uint64_t *where, uint64_t *value);
/* Applies relocations to bytes, a copy of the file's bytes at vaddr, as the loader would
 * with a load bias of 0. Linkers differ in what they leave in the file at relocated
 * places. */
void elf_relocate(const struct elf *e, uint64_t vaddr, uint8_t *bytes, size_t len);
/* The relocated pointer at vaddr. False: it is not in the file. */
bool elf_word(const struct elf *e, uint64_t vaddr, uint64_t *value);
