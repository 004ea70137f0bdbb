/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structure of the table (see runtime/symtab.go, cmd/link/internal/ld/pcln.go):
 *
 *   header → functab: sorted {entry, offset of _func}
 *   _func  → name (funcnametab); pcsp, pcfile, pcln, pcdata[] (packed deltas in pctab);
 *            funcdata[]
 *   file   = filetab[cutab[_func.cuOffset + pcfile(pc)]]
 *   pcdata[InlTreeIndex](pc) is -1, or a row of funcdata[InlTree]: the inlined body that pc
 *            is in. The row names the function and an address in its parent, where the same
 *            look-up is repeated.
 *
 * Up to Go 1.15 there is one region, and all offsets are relative to the header. Up to 1.17
 * entries and funcdata are addresses; since then they are relative to `text` and `gofunc`,
 * which gomodule.c finds.
 *
 * Inline, because it is most of the cost of a look-up.
 */
#pragma once

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/gopcvalue.h"

enum {
	MAX_NAME = 1 << 16, /* bytes; a longer name means a broken table */
	PCDATA_INLTREE = 2,
	/* Bytes; packed tables and samples of functions are never longer. Hostile ones must
	 * cost moments, not minutes. */
	MAX_SAMPLED = 1 << 24,
};

/* The differences between formats that are only numbers. */
static const struct {
	uint8_t magic;           /* the lowest byte; the others are ff ff ff */
	uint8_t oldest, newest;  /* minors of Go */
	uint8_t offsets, header; /* bytes before the offsets of regions, and in all */
	uint8_t functab_row, inline_row; /* bytes */
	uint8_t inltree;                 /* index of the inline trees' funcdata */
} formats[FORMAT_MAX] = {
	[FORMAT_12] = { 0xfb, 0, 15, 16, 16, 16, 20, 4 },
	[FORMAT_116] = { 0xfa, 16, 17, 24, 64, 16, 20, 3 },
	[FORMAT_118] = { 0xf0, 18, 19, 32, 72, 8, 20, 3 },
	[FORMAT_120] = { 0xf1, 20, UINT8_MAX, 32, 72, 8, 16, 3 },
};

/* A decoded function. start and end are relative to text. */
struct entry {
	uint32_t start, end, start_line;
	uint32_t name, pcsp, pcfile, pcln, n_pcdata, cu;
	uint64_t tables; /* offset of its pcdata in funcs */
	uint8_t id, flags, n_funcdata;
};

static inline uint32_t u32_at(const struct cursor *c, uint64_t pos)
{
	uint32_t v;

	if (pos > c->len || c->len - pos < sizeof(v))
		return 0;
	memcpy(&v, c->data + pos, sizeof(v));
	return le32toh(v);
}

static inline uint64_t u64_at(const struct cursor *c, uint64_t pos)
{
	uint64_t v;

	if (pos > c->len || c->len - pos < sizeof(v))
		return 0;
	memcpy(&v, c->data + pos, sizeof(v));
	return le64toh(v);
}

/* Are entries and funcdata addresses? */
static inline bool is_wide(const struct gopclntab *t)
{
	return t->format <= FORMAT_116;
}

/* Start of a row of functab, relative to text; n_funcs gives the end of the code. */
static inline uint32_t start_of(const struct gopclntab *t, uint32_t row)
{
	uint64_t start;

	if (!is_wide(t))
		return u32_at(&t->funcs, t->functab + (uint64_t)row * 8);
	start = u64_at(&t->funcs, t->functab + (uint64_t)row * 16) - t->text;
	return start < UINT32_MAX ? (uint32_t)start : UINT32_MAX;
}

static inline bool entry_read(const struct gopclntab *t, uint32_t row, struct entry *e)
{
	const struct cursor *c = &t->funcs;
	uint64_t at = t->functab + (uint64_t)row * formats[t->format].functab_row;
	uint64_t pos = is_wide(t) ? u64_at(c, at + 8) : u32_at(c, at + 4);

	*e = (struct entry){ .start = start_of(t, row), .end = start_of(t, row + 1) };
	/* the row repeats the entry; only functab's is reliable */
	pos += is_wide(t) ? 8 : 4;
	e->name = u32_at(c, pos);
	e->pcsp = u32_at(c, pos + 12); /* after args and deferreturn */
	e->pcfile = u32_at(c, pos + 16);
	e->pcln = u32_at(c, pos + 20);
	e->n_pcdata = u32_at(c, pos + 24);
	pos += 28;
	if (t->format >= FORMAT_116) {
		e->cu = u32_at(c, pos);
		pos += 4;
	}
	if (t->format >= FORMAT_120) {
		e->start_line = u32_at(c, pos);
		pos += 4;
	}
	e->id = (uint8_t)u32_at(c, pos);
	e->flags = (uint8_t)(u32_at(c, pos) >> 8);
	e->n_funcdata = (uint8_t)(u32_at(c, pos) >> 24);
	e->tables = pos + 4;
	return e->tables <= c->len && pos < c->len && e->end >= e->start;
}

/* NULL: not a string of this table. */
static inline const char *string_at(const struct cursor *strs, uint32_t off)
{
	struct cursor c = *strs;
	size_t left;

	cursor_seek(&c, off);
	left = cursor_left(&c);
	if (!left || !memchr(c.data + c.pos, 0, left < MAX_NAME ? left : MAX_NAME))
		return NULL;
	return (const char *)c.data + c.pos;
}

/* The value of a packed table at pc; -1: none. */
static inline int32_t pcvalue(const struct gopclntab *t, const struct entry *e,
			      uint32_t off, uint32_t pc)
{
	uint64_t left = (pc - e->start) / t->quantum;
	struct pcvalues v;

	if (!pcvalues_open(&v, &t->pctab, off))
		return -1;
	while (pcvalues_next(&v)) {
		if (left < v.step)
			return v.value;
		left -= v.step;
	}
	return -1;
}

/* The bytes of a function's i-th funcdata; empty: none. */
static inline struct cursor funcdata_of(const struct gopclntab *t, const struct entry *e,
					unsigned i)
{
	uint64_t pos = e->tables + 4 * (uint64_t)e->n_pcdata;
	struct cursor none = { 0 };

	if (i >= e->n_funcdata)
		return none;
	if (is_wide(t)) {
		pos += -(pos + t->skew) % 8 + 8 * (uint64_t)i;
		return elf_at(t->elf, u64_at(&t->funcs, pos));
	}
	pos += 4 * (uint64_t)i;
	if (pos + 4 > t->funcs.len || u32_at(&t->funcs, pos) == UINT32_MAX /* none */)
		return none;
	pos = u32_at(&t->funcs, pos);
	return cursor_slice(&t->funcdata, pos, t->funcdata.len - pos);
}

static inline bool has_inlined(const struct gopclntab *t, const struct entry *e)
{
	return e->n_pcdata > PCDATA_INLTREE &&
	       funcdata_of(t, e, formats[t->format].inltree).len;
}

/* Fills name, id and start_line of *e with those of a row of the inline tree, as if that
 * body were a function of its own. parent_pc: where it is in its parent, from the start of
 * the function. False: there is no such row. */
static inline bool inlined_row(const struct gopclntab *t, struct entry *e, uint32_t row,
			       uint32_t *parent_pc)
{
	struct cursor c = funcdata_of(t, e, formats[t->format].inltree);

	cursor_seek(&c, (uint64_t)row * formats[t->format].inline_row);
	if (t->format >= FORMAT_120) {
		e->id = cursor_u8(&c);
		cursor_bytes(&c, 3);
		e->name = cursor_u32(&c);
		*parent_pc = cursor_u32(&c);
		e->start_line = cursor_u32(&c);
	} else {
		cursor_u16(&c); /* parent */
		e->id = cursor_u8(&c);
		cursor_bytes(&c, 9); /* file, line */
		e->name = cursor_u32(&c);
		*parent_pc = cursor_u32(&c);
	}
	return !c.bad;
}

/*
 * Finds the inlined body that pc is in: fills name, id and start_line of *e as if it were a
 * function of its own, and moves *pc into its parent. 0: none, *e is the function itself;
 * 1: filled in; -EBADMSG.
 */
static inline int inlined_at(const struct gopclntab *t, struct entry *e, uint32_t *pc)
{
	uint32_t parent_pc;
	int32_t row;

	if (!has_inlined(t, e))
		return 0;
	row = pcvalue(t, e, u32_at(&t->funcs, e->tables + 4 * PCDATA_INLTREE), *pc);
	if (row < 0)
		return 0;
	if (!inlined_row(t, e, (uint32_t)row, &parent_pc) || parent_pc >= e->end - e->start)
		return -EBADMSG;
	*pc = e->start + parent_pc;
	return 1;
}
