/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a program's pclntab, and the parts that only the runtime's moduledata has: the
 * addresses that entries and funcdata are relative to.
 *
 * Most programs have a section for the table; else we search for something that looks like
 * its header. A moduledata is a place in writable data, or the target of a relocation, that
 * points at the table and has the length of its functab at the right offset. A table
 * without a moduledata is not trusted.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "symbolizer/elf.h"
#include "symbolizer/gobuildinfo.h"
#include "symbolizer/gomodule.h"
#include "symbolizer/gopclntab.h"

/* Indexes of words in a moduledata. */
enum {
	MODULE_SLICES = 1,       /* pointer, length, capacity of each, from names to ftab */
	MODULE_FTAB_LEN = 17,    /* followed by its capacity */
	MODULE_FTAB_LEN_OLD = 4, /* up to Go 1.15 */
	MODULE_MINPC = 20,
	MODULE_MAXPC = 21,
	MODULE_TEXT = 22,
	MODULE_ETYPES = 36, /* gofunc comes soon after it */
	MODULE_WORDS = 50,
	HEADER_MIN = 72,
	WRAPPER_LEAST = 20, /* funcIDs of wrappers: up to Go 1.13, */
	WRAPPER_121 = 21,   /* and from Go 1.18 to 1.21 */
	/* false headers tried per file: each costs a walk through its data */
	MAX_HEADERS = 64,
};

/* 0: unknown. */
static int gofunc_word(int minor)
{
	return minor > GO_NEWEST ? 0 : minor >= 27 ? 43 : minor >= 20 ? 40 : 38;
}

/* Index of the word that points to the next moduledata. */
static int next_word(int minor)
{
	static const uint8_t words[] = { 68, 68, 70, 73, 73, 72, 72, 72, 73, 70 };

	return words[minor - 18];
}

static bool is_moduledata(const struct gopclntab *t, const struct elf *elf, uint64_t vaddr)
{
	struct cursor c = elf_at(elf, vaddr);

	cursor_seek(&c,
		    8 * (t->format == FORMAT_12 ? MODULE_FTAB_LEN_OLD : MODULE_FTAB_LEN));
	return cursor_u64(&c) == t->n_funcs + 1ull && cursor_u64(&c) == t->n_funcs + 1ull;
}

/* The address of the moduledata whose first word points at the table; 0: none. */
static uint64_t moduledata_find(const struct gopclntab *t, const struct elf *elf,
				uint64_t table)
{
	uint64_t where, value;

	for (uint32_t i = 0; i < elf->n_segments; i++) {
		struct cursor bytes = elf_segment_bytes(elf, i);
		uint64_t vaddr = elf->segments[i].vaddr;

		if (!elf->segments[i].writable)
			continue;
		for (size_t at = -vaddr % 8; at + 8 <= bytes.len; at += 8) {
			memcpy(&value, bytes.data + at, 8);
			if (le64toh(value) == table && is_moduledata(t, elf, vaddr + at))
				return vaddr + at;
		}
	}
	for (uint64_t i = 0; elf_rela(elf, i, &where, &value); i++)
		if (value == table && is_moduledata(t, elf, where))
			return where;
	return 0;
}

/* gofunc moves from version to version. A wrong word gives no valid inline trees. */
static void find_funcdata(struct gopclntab *t, const struct elf *elf,
			  const uint64_t *module, int minor)
{
	int known = gofunc_word(minor);

	if (known) {
		t->funcdata = elf_at(elf, module[known]);
		if (gopclntab_trees_hold(t))
			return;
	}
	for (int i = MODULE_ETYPES + 1; i < MODULE_WORDS; i++) {
		t->funcdata = elf_at(elf, module[i]);
		if (gopclntab_trees_hold(t))
			return;
	}
	/* nothing is inlined, or gofunc is elsewhere */
	t->funcdata = known ? elf_at(elf, module[known]) : (struct cursor){ 0 };
}

/* Entries and funcdata of old tables are addresses, with relocations in a PIE. */
static int relocate(struct gopclntab *t, const struct elf *elf, struct cursor table,
		    uint64_t vaddr, int minor)
{
	uint64_t module = t->module;
	void *copy;

	if (elf->rela.len) {
		copy = mem_zalloc(table.len);
		memcpy(copy, table.data, table.len);
		elf_relocate(elf, vaddr, copy, table.len);
		if (gopclntab_parse(t, cursor_over(copy, table.len), minor)) {
			free(copy);
			return -EBADMSG;
		}
		t->module = module;
		table = cursor_over(copy, table.len);
		t->copy = copy;
	}
	t->elf = elf;
	t->skew = (vaddr + (uint64_t)(t->funcs.data - table.data)) % 8;
	cursor_seek(&t->funcs, t->functab);
	t->text = cursor_u64(&t->funcs);
	return 0;
}

/* For an unknown version. A program linked with -linkshared may consist of three functions,
 * none of them a wrapper; if it has no version, it was built by Go 1.21 or older. */
static void guess_wrapper(struct gopclntab *t)
{
	uint8_t max = gopclntab_max_id(t);

	if (max >= WRAPPER_LEAST)
		t->wrapper = max;
	else if (t->format == FORMAT_120)
		t->wrapper = WRAPPER_121;
}

/* Opens the table whose bytes start at vaddr. */
static int table_open(struct gopclntab *t, const struct elf *elf, struct cursor table,
		      uint64_t vaddr, int minor)
{
	uint64_t module, words[MODULE_WORDS], end;
	struct cursor c;
	const void *bytes;

	if (gopclntab_parse(t, table, minor))
		return -EBADMSG;
	module = moduledata_find(t, elf, vaddr);
	if (!module)
		return -EBADMSG;
	t->module = module;
	if (t->format <= FORMAT_116)
		return relocate(t, elf, table, vaddr, minor);
	c = elf_at(elf, module);
	bytes = cursor_bytes(&c, sizeof(words));
	if (!bytes)
		return -EBADMSG;
	memcpy(words, bytes, sizeof(words));
	elf_relocate(elf, module, (uint8_t *)words, sizeof(words));
	for (int i = 0; i < MODULE_WORDS; i++)
		words[i] = le64toh(words[i]);
	t->text = words[MODULE_TEXT];
	if (__builtin_add_overflow(t->text, UINT32_MAX, &end))
		return -EBADMSG;
	if (minor < 0 || minor > GO_NEWEST)
		guess_wrapper(t);
	if (minor < 0 && t->format == FORMAT_120)
		t->minor = t->wrapper <= 21 ? 21 : t->wrapper == 22 ? 24 : GO_NEWEST;
	find_funcdata(t, elf, words, minor);
	return 0;
}

/* Searches the whole file: needed for PIEs before Go 1.26, and without section headers. */
static int table_search(struct gopclntab *t, const struct elf *elf, int minor)
{
	int tries = 0;

	for (uint32_t i = 0; i < elf->n_segments; i++) {
		struct cursor bytes = elf_segment_bytes(elf, i);
		uint64_t vaddr = elf->segments[i].vaddr;

		for (size_t at = -vaddr % 8; at + HEADER_MIN < bytes.len; at += 8) {
			const uint8_t *p = bytes.data + at;
			struct cursor table;

			if (p[1] != 0xff || p[2] != 0xff || p[3] != 0xff || p[7] != 8)
				continue;
			table = cursor_slice(&bytes, at, bytes.len - at);
			if (gopclntab_parse(t, table, minor))
				continue;
			if (!table_open(t, elf, table, vaddr + at, minor))
				return 0;
			if (++tries == MAX_HEADERS)
				return -ENOENT;
		}
	}
	return -ENOENT;
}

int gopclntab_open(struct gopclntab *ret, const struct elf *elf, const char **why)
{
	static const char too_old[] = "built with Go 1.12 or older";
	char version[GO_VERSION_MAX];
	struct cursor bytes;
	uint64_t vaddr;
	bool section = elf_section(elf, ".gopclntab", &vaddr, &bytes) ||
		       elf_section(elf, ".data.rel.ro.gopclntab", &vaddr, &bytes);
	bool versioned = gobuildinfo_version(elf, version);
	int minor = versioned ? gobuildinfo_minor(version) : -1, err;

	*why = NULL;
	/* plugins have no version up to Go 1.21 */
	if (!versioned && !section && !elf->go)
		return -ENOENT;
	*why = minor >= 0 && minor < GO_OLDEST ? too_old
	       : elf->machine != EM_X86_64 && elf->machine != EM_AARCH64
		       ? "neither an x86-64 nor an arm64 program"
		       : NULL;
	if (*why)
		return -ENOTSUP;
	err = section ? table_open(ret, elf, bytes, vaddr, minor)
		      : table_search(ret, elf, minor);
	/* Go 1.12 has the same format but numbers its funcdata differently */
	if (!err && !versioned && ret->format == FORMAT_12 && !gopclntab_trees_hold(ret)) {
		free(ret->copy);
		*why = too_old;
		return -ENOTSUP;
	}
	if (!err)
		return 0;
	*why = minor > GO_NEWEST
		       ? "its function table (pclntab) is from a Go newer than 1.27"
	       : section ? "its .gopclntab is broken"
			 : "it has no function table (pclntab)";
	return err;
}

static uint64_t word(struct cursor bytes, int i)
{
	cursor_seek(&bytes, 8 * (size_t)i);
	return cursor_u64(&bytes);
}

bool gomodule_parse(struct go_module *ret, const struct gopclntab *like,
		    struct cursor bytes)
{
	static const uint8_t sizes[MODULE_REGIONS] = { 1, 4, 1, 1, 1, 8 };

	if (like->format < FORMAT_118 || bytes.len < GO_MODULE_BYTES)
		return false;
	*ret = (struct go_module){
		.start = word(bytes, MODULE_MINPC),
		.end = word(bytes, MODULE_MAXPC),
		.text = word(bytes, MODULE_TEXT),
		.funcdata = word(bytes, gofunc_word(like->minor)),
		.header = word(bytes, 0),
		.next = word(bytes, next_word(like->minor)),
	};
	for (int i = 0; i < MODULE_REGIONS; i++) {
		int at = MODULE_SLICES + 3 * i;
		uint64_t n = word(bytes, at + 1);

		if (n > UINT32_MAX / sizes[i])
			return false;
		ret->regions[i] = (struct go_region){ word(bytes, at), n * sizes[i] };
	}
	return ret->start < ret->end && ret->regions[MODULE_FUNCTAB].len >= 2 * 8;
}

/* The checks of the runtime's moduledataverify1(). */
static bool is_in_order(const struct gopclntab *t, const struct go_module *m)
{
	struct cursor c = cursor_slice(&t->funcs, t->functab, 8ull * t->n_funcs + 4);
	uint32_t start = cursor_u32(&c), first = start;

	for (uint32_t i = 0; i < t->n_funcs; i++) {
		uint32_t next;

		cursor_u32(&c);
		next = cursor_u32(&c);
		if (next < start)
			return false;
		start = next;
	}
	return !c.bad && t->text <= UINT64_MAX - start && t->text + first == m->start &&
	       t->text + start == m->end;
}

int gomodule_table(struct gopclntab *ret, const struct gopclntab *like,
		   const struct go_module *m, const uint8_t *bytes,
		   const uint8_t header[16])
{
	struct cursor *const to[] = { &ret->names, &ret->cutab, &ret->files, &ret->pctab,
				      &ret->funcs },
			     h = cursor_over(header, 16);
	const struct go_region *functab = &m->regions[MODULE_FUNCTAB];
	uint64_t n = functab->len / 8 - 1;

	*ret = (struct gopclntab){
		.text = m->text,
		.functab = (uint32_t)m->regions[MODULE_FUNCS].len,
		.n_funcs = (uint32_t)n,
		.format = like->format,
		.minor = like->minor,
		.quantum = like->quantum,
		.wrapper = like->wrapper,
		.added = true,
	};
	for (int i = 0; i < MODULE_FUNCTAB; i++) {
		*to[i] = cursor_over(bytes, m->regions[i].len);
		bytes += m->regions[i].len;
	}
	ret->funcs.len += functab->len; /* functab follows funcs */
	return cursor_u32(&h) == like->magic && !cursor_u16(&h) &&
			       cursor_u8(&h) == like->quantum && cursor_u8(&h) == 8 &&
			       cursor_u64(&h) == n && is_in_order(ret, m)
		       ? 0
		       : -EBADMSG;
}
