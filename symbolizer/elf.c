/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "profiler/base/arena.h"

#define PAGE 4096

/* The part of [offset, offset + len) that lies in the file. */
static struct cursor clip(const struct elf *e, uint64_t offset, uint64_t len)
{
	if (offset > e->size)
		return (struct cursor){ .bad = true };
	if (len > e->size - offset)
		len = e->size - offset;
	return cursor_over(e->data + offset, len);
}

static void read_notes(struct elf *e, struct cursor notes, uint64_t align)
{
	uint64_t mask = align == 8 ? 7 : 3;

	while (cursor_left(&notes) >= sizeof(Elf64_Nhdr)) {
		uint32_t name_len = cursor_u32(&notes), len = cursor_u32(&notes);
		uint32_t type = cursor_u32(&notes);
		const char *name = cursor_bytes(&notes,
						((uint64_t)name_len + 3) & ~(uint64_t)3);
		const uint8_t *id;

		cursor_seek(&notes, (notes.pos + mask) & ~mask);
		id = cursor_bytes(&notes, len);
		if (!id)
			return;
		if (name_len == 4 && !memcmp(name, "Go\0", 4))
			e->go = true;
		if (type == NT_GNU_BUILD_ID && name_len == 4 && !memcmp(name, "GNU", 4) &&
		    !*e->build_id)
			for (uint32_t i = 0; i < len && i < 32; i++)
				sprintf(e->build_id + 2 * i, "%02x", id[i]);
		cursor_seek(&notes, (notes.pos + mask) & ~mask);
	}
}

static void read_dynamic(struct elf *e, struct cursor dyn)
{
	uint64_t vaddr = 0, len = 0, symbols = 0;
	struct cursor at;

	while (cursor_left(&dyn) >= sizeof(Elf64_Dyn)) {
		uint64_t tag = cursor_u64(&dyn), value = cursor_u64(&dyn);

		if (tag == DT_NULL)
			break;
		if (tag == DT_RELA)
			vaddr = value;
		if (tag == DT_RELASZ)
			len = value;
		if (tag == DT_SYMTAB)
			symbols = value;
	}
	if (!len)
		return;
	e->symbols = elf_at(e, symbols);
	at = elf_at(e, vaddr);
	e->rela = cursor_slice(&at, 0, len);
}

static int segment_cmp(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	return ascending(x->vaddr, y->vaddr);
}

static int read_segments(struct elf *e)
{
	struct cursor dyn = { 0 };
	GElf_Phdr ph;
	size_t n;

	if (elf_getphdrnum(e->lib, &n))
		return -ENOEXEC;
	for (size_t i = 0; i < n && gelf_getphdr(e->lib, (int)i, &ph); i++) {
		struct cursor bytes = clip(e, ph.p_offset, ph.p_filesz);

		if (ph.p_type == PT_NOTE)
			read_notes(e, bytes, ph.p_align);
		if (ph.p_type == PT_TLS) {
			e->tls.vaddr = ph.p_vaddr;
			e->tls.size = ph.p_memsz;
			e->tls.align = ph.p_align ? ph.p_align : 1;
		}
		if (ph.p_type == PT_DYNAMIC)
			dyn = bytes;
		if (ph.p_type == PT_LOAD && !bytes.bad)
			*table_add(e->segments, e->n_segments,
				   e->cap_segments) = (struct elf_segment){
				.vaddr = ph.p_vaddr,
				.offset = ph.p_offset,
				.filesz = bytes.len,
				.writable = ph.p_flags & PF_W,
				.executable = ph.p_flags & PF_X,
			};
	}
	table_sort(e->segments, e->n_segments, segment_cmp);
	if (gelf_getclass(e->lib) == ELFCLASS64)
		read_dynamic(e, dyn);
	return 0;
}

/* The GNU build-id of Go's linker is in no segment of notes (seen in 1.24 to 1.26). */
static void read_note_sections(struct elf *e)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while (!*e->build_id && (scn = elf_nextscn(e->lib, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE)
			read_notes(e, clip(e, sh.sh_offset, sh.sh_size), sh.sh_addralign);
}

static int parse(struct elf **ret, const void *data, size_t size, unsigned char class)
{
	struct elf *e = mem_zalloc(sizeof(*e));
	GElf_Ehdr eh;
	int err = -ENOEXEC;

	e->data = data;
	e->size = size;
	elf_version(EV_CURRENT);
	/* libelf writes to an image only in elf_update(), which we never call */
	e->lib = elf_memory((char *)(uintptr_t)data, size);
	if (!e->lib || elf_kind(e->lib) != ELF_K_ELF || !gelf_getehdr(e->lib, &eh) ||
	    eh.e_ident[EI_CLASS] != class || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		goto fail;
	e->machine = eh.e_machine;
	e->fixed = eh.e_type == ET_EXEC;
	err = read_segments(e);
	if (err)
		goto fail;
	read_note_sections(e);
	*ret = e;
	return 0;
fail:
	elf_close(e);
	return err;
}

int elf_parse(struct elf **ret, const void *data, size_t size)
{
	return parse(ret, data, size, ELFCLASS64);
}

static int open_class(struct elf **ret, int fd, unsigned char class)
{
	struct guard guard;
	struct stat st;
	struct elf *e;
	void *map;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	guard = (struct guard){ .start = map, .size = (size_t)st.st_size };
	guard_add(&guard);
	err = parse(&e, map, (size_t)st.st_size, class);
	if (!err && guard_changed(&guard)) {
		elf_close(e);
		err = -ESTALE;
	}
	guard_remove(&guard);
	if (err) {
		munmap(map, (size_t)st.st_size);
		return err;
	}
	e->map = map;
	e->guard = guard;
	guard_add(&e->guard);
	*ret = e;
	return 0;
}

int elf_open(struct elf **ret, int fd)
{
	return open_class(ret, fd, ELFCLASS64);
}

int elf_open_32(struct elf **ret, int fd)
{
	return open_class(ret, fd, ELFCLASS32);
}

void elf_rest(const struct elf *e)
{
	if (e->map)
		madvise(e->map, e->size, MADV_DONTNEED);
}

void elf_close(struct elf *e)
{
	if (!e)
		return;
	elf_end(e->lib);
	if (e->map) {
		guard_remove(&e->guard);
		munmap(e->map, e->size);
	}
	free(e->segments);
	free(e);
}

bool elf_section(const struct elf *e, const char *name, uint64_t *vaddr,
		 struct cursor *bytes)
{
	Elf_Scn *scn = NULL;
	size_t strs;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(e->lib, &strs))
		return false;
	while ((scn = elf_nextscn(e->lib, scn))) {
		const char *s;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		s = elf_strptr(e->lib, strs, sh.sh_name);
		if (!s || strcmp(s, name))
			continue;
		*vaddr = sh.sh_addr;
		*bytes = clip(e, sh.sh_offset, sh.sh_size);
		return bytes->len > 0;
	}
	return false;
}

struct cursor elf_segment_bytes(const struct elf *e, uint32_t i)
{
	return cursor_over(e->data + e->segments[i].offset, e->segments[i].filesz);
}

struct cursor elf_at(const struct elf *e, uint64_t vaddr)
{
	for (uint32_t i = 0; i < e->n_segments; i++) {
		uint64_t skip = vaddr - e->segments[i].vaddr;
		struct cursor bytes = elf_segment_bytes(e, i);

		if (vaddr >= e->segments[i].vaddr && skip < bytes.len)
			return cursor_slice(&bytes, skip, bytes.len - skip);
	}
	return (struct cursor){ .bad = true };
}

bool elf_vaddr(const struct elf *e, uint64_t offset, uint64_t *vaddr)
{
	bool found = false;

	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];

		/* mappings begin at page boundaries, segments need not */
		if (offset < (s->offset & ~(uint64_t)(PAGE - 1)) ||
		    offset >= s->offset + s->filesz)
			continue;
		if (found && !s->executable)
			continue;
		*vaddr = s->vaddr - s->offset + offset;
		found = true;
		if (s->executable)
			break;
	}
	return found;
}

bool elf_code_offset(const struct elf *e, uint64_t vaddr, uint64_t *offset)
{
	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];

		if (!s->executable || vaddr < s->vaddr || vaddr - s->vaddr >= s->filesz)
			continue;
		*offset = s->offset + (vaddr - s->vaddr);
		return true;
	}
	return false;
}

struct text_pages elf_text(const struct elf *e)
{
	const uint64_t below = PAGE - 1;
	const struct elf_segment *text = NULL;

	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];

		if (s->executable && s->filesz && (!text || s->filesz > text->filesz))
			text = s;
	}
	if (!text)
		return (struct text_pages){ 0 };
	return (struct text_pages){
		.start = text->vaddr & ~below,
		.limit = (text->vaddr + text->filesz + below) & ~below,
		.offset = text->offset & ~below,
	};
}

/* The value of a symbol that this file itself defines. */
static bool symbol_value(const struct elf *e, uint64_t i, uint64_t *value)
{
	struct cursor c = e->symbols;
	uint16_t section;

	if (i > UINT32_MAX)
		return false;
	cursor_seek(&c, i * sizeof(Elf64_Sym) + offsetof(Elf64_Sym, st_shndx));
	section = cursor_u16(&c);
	*value = cursor_u64(&c);
	return !c.bad && section != SHN_UNDEF && section < SHN_LORESERVE;
}

bool elf_rela(const struct elf *e, uint64_t i, uint64_t *where, uint64_t *value)
{
	bool arm = e->machine == EM_AARCH64;
	uint32_t relative = arm ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE;
	uint32_t absolute = arm ? R_AARCH64_ABS64 : R_X86_64_64;
	struct cursor c = e->rela;
	uint64_t info, symbol = 0;

	if (i >= c.len / sizeof(Elf64_Rela))
		return false;
	cursor_seek(&c, i * sizeof(Elf64_Rela));
	*where = cursor_u64(&c);
	info = cursor_u64(&c);
	*value = cursor_u64(&c);
	if (info == relative)
		return true;
	if (ELF64_R_TYPE(info) == absolute && symbol_value(e, ELF64_R_SYM(info), &symbol))
		*value += symbol;
	else
		*where = UINT64_MAX;
	return true;
}

void elf_relocate(const struct elf *e, uint64_t vaddr, uint8_t *bytes, size_t len)
{
	uint64_t where, value;

	for (uint64_t i = 0; elf_rela(e, i, &where, &value); i++)
		if (where - vaddr < len && len - (where - vaddr) >= sizeof(value)) {
			value = htole64(value);
			memcpy(bytes + (where - vaddr), &value, sizeof(value));
		}
}

bool elf_word(const struct elf *e, uint64_t vaddr, uint64_t *value)
{
	struct cursor c = elf_at(e, vaddr);
	const void *bytes = cursor_bytes(&c, sizeof(*value));

	if (!bytes)
		return false;
	memcpy(value, bytes, sizeof(*value));
	elf_relocate(e, vaddr, (uint8_t *)value, sizeof(*value));
	*value = le64toh(*value);
	return true;
}
