/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 64-bit little-endian ELF file, mapped and not copied: names stay readable when the file
 * is deleted and its last process gone. What a header says is clipped to the bytes that are
 * there. Where somebody truncates the file meanwhile, zeros are read, and guard_changed() says so.
 */
#ifndef SYMBOLIZER_ELF_H
#define SYMBOLIZER_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/base/cursor.h"
#include "profiler/base/guard.h"

/* A PT_LOAD. */
struct elf_segment {
	uint64_t vaddr, offset, filesz; /* offset + filesz is inside the file */
	bool writable, executable;
};

struct elf {
	const uint8_t *data;
	size_t size;
	void *map;                    /* data, when elf_open() mapped it */
	struct guard guard;           /* of map */
	struct Elf *lib;              /* of libelf, over data */
	uint16_t machine;             /* EM_* */
	struct elf_segment *segments; /* by vaddr */
	uint32_t n_segments, cap_segments;
	struct cursor rela;        /* DT_RELA; empty: none */
	struct cursor symbols;     /* from DT_SYMTAB to the end of its segment */
	char build_id[2 * 32 + 1]; /* GNU build-id in hex; "": none */
	bool go;                   /* it has a note of Go's linker */
	bool fixed;                /* it is loaded where its addresses say */
	struct {
		uint64_t vaddr, size, align; /* align 0: no PT_TLS */
	} tls;
};

/* The fd may be closed afterwards. -ENOEXEC: not such a file; -ESTALE: it was truncated
 * meanwhile; or why it cannot be mapped. */
int elf_open(struct elf **ret, int fd);
/* The same of a file of 32 bits, without its relocations. */
int elf_open_32(struct elf **ret, int fd);
/* As elf_open() from bytes, which must outlive it. */
int elf_parse(struct elf **ret, const void *data, size_t size);
void elf_close(struct elf *e); /* takes NULL */

/* The bytes of a section; false: there is none of this name, or it has none. */
bool elf_section(const struct elf *e, const char *name, uint64_t *vaddr,
		 struct cursor *bytes);
struct cursor elf_segment_bytes(const struct elf *e, uint32_t i);
/* What the file holds from vaddr to the end of its segment; bad and empty outside all. */
struct cursor elf_at(const struct elf *e, uint64_t vaddr);
/* The address that a byte at this offset of the file gets; code before data where pages of
 * the file are loaded twice. false: it is in no segment. */
bool elf_vaddr(const struct elf *e, uint64_t offset, uint64_t *vaddr);

/* The i-th entry of DT_RELA: puts value at where. false: no more. where is UINT64_MAX for
 * entries that depend on other files. */
bool elf_rela(const struct elf *e, uint64_t i, uint64_t *where, uint64_t *value);
/* Makes of bytes, a copy of what the file holds at vaddr, what the loader would (less the
 * load bias): linkers differ in what they leave in the file where a relocation says it. */
void elf_relocate(const struct elf *e, uint64_t vaddr, uint8_t *bytes, size_t len);
/* The pointer at vaddr after that. false: not in the file. */
bool elf_word(const struct elf *e, uint64_t vaddr, uint64_t *value);

#endif
