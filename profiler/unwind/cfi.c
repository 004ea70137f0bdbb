/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table is a list of entries: CIEs hold what several functions have in common, each FDE
 * describes one function. It does so by a program, whose instructions change the rules of
 * the frame from some address on. The row of an address is found by running the program up
 * to there.
 */
#include "profiler/unwind/cfi.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "symbolizer/elf.h"

enum {
	/* limits on the time that it takes, far above what compilers write; in bytes: */
	SECTION_MAX = 64 << 20,
	COMMON_MAX = 512,
	ENTRY_MAX = 64 << 10,
	RANGES_MAX = 2 << 20,
	REMEMBERED_MAX = 4, /* gcc and clang need 1 */
};

/* The unread rest of an entry, as a cursor whose positions are those of the section. */
struct entry {
	struct cursor c;
	bool common;
	size_t cie;  /* where its CIE is */
	size_t next; /* where the next entry is */
};

struct common {
	struct cursor program;
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of addresses; DW_EH_PE_* */
	bool sized, signal;
};

int64_t cfi_sleb(struct cursor *c)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 70; shift += 7) {
		uint8_t byte = cursor_u8(c);

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift < 57)
			v |= UINT64_MAX << (shift + 7);
		return c->bad ? 0 : (int64_t)v;
	}
	c->bad = true;
	return 0;
}

/* An encoded address; vaddr is that of the section. */
static uint64_t read_address(struct cursor *c, uint8_t encoding, uint64_t vaddr)
{
	uint64_t at = vaddr + c->pos, v = 0;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: v = cursor_u64(c); break;
	case DW_EH_PE_udata4: v = cursor_u32(c); break;
	case DW_EH_PE_sdata4: v = (uint64_t)(int32_t)cursor_u32(c); break;
	case DW_EH_PE_udata2: v = cursor_u16(c); break;
	case DW_EH_PE_sdata2: v = (uint64_t)(int16_t)cursor_u16(c); break;
	default: c->bad = true;
	}
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		v += at;
	else if (encoding & 0x70)
		c->bad = true;
	return v;
}

/* False: there are no more entries. The cursor of a malformed one is bad. */
static bool entry_read(const struct cfi *t, int s, size_t pos, struct entry *ret)
{
	struct cursor c = t->sections[s];
	uint32_t len, id;

	cursor_seek(&c, pos);
	len = cursor_u32(&c);
	if (c.bad || len > cursor_left(&c))
		return false;
	ret->next = c.pos + len;
	ret->c = cursor_slice(&c, 0, ret->next);
	cursor_seek(&ret->c, c.pos);
	id = cursor_u32(&ret->c);
	ret->common = id == (s ? UINT32_MAX : 0);
	/* in .eh_frame it is a distance; one that is too large is found out later */
	ret->cie = s ? id : c.pos - id;
	ret->c.bad |= len > (ret->common ? COMMON_MAX : ENTRY_MAX);
	return true;
}

static bool common_read(const struct cfi *t, int s, size_t pos, struct common *ret)
{
	struct entry e;
	struct cursor *c = &e.c;
	const char *extra;
	uint8_t version;
	size_t len = 0;

	*ret = (struct common){ 0 };
	if (!entry_read(t, s, pos, &e) || !e.common)
		return false;
	version = cursor_u8(c);
	extra = cursor_str(c);
	if (version == 4) /* sizes of addresses and of segment selectors */
		c->bad |= cursor_u16(c) != 8;
	ret->code_align = cursor_uvarint(c);
	ret->data_align = cfi_sleb(c);
	c->bad |= (version == 1 ? cursor_u8(c) : cursor_uvarint(c)) != REG_PC;
	ret->sized = *extra == 'z';
	if (ret->sized)
		len = cursor_uvarint(c);
	else if (*extra)
		return false;
	c->bad |= len > cursor_left(c);
	len += c->pos;
	for (; *extra && !c->bad; extra++) {
		if (*extra == 'R')
			ret->encoding = cursor_u8(c);
		else if (*extra == 'S')
			ret->signal = true;
		else if (*extra == 'L')
			cursor_u8(c);
		else if (*extra == 'P')
			read_address(c, cursor_u8(c) & 0x0f, 0);
	}
	cursor_seek(c, len);
	ret->program = *c;
	return !c->bad;
}

/* Reads the part of an FDE that is before its program. */
static bool range_read(const struct cfi *t, int s, const struct common *common,
		       struct entry *e, struct cfi_range *ret)
{
	uint64_t size;

	ret->start = read_address(&e->c, common->encoding, t->vaddr[s]);
	size = read_address(&e->c, common->encoding & 0x0f, 0);
	ret->size = (uint32_t)size;
	if (common->sized)
		cursor_bytes(&e->c, cursor_uvarint(&e->c));
	return !e->c.bad && size <= UINT32_MAX;
}

static void read_ranges(struct cfi *t, int s)
{
	struct common common;
	struct cfi_range r;
	struct entry e;
	size_t cie = SIZE_MAX;
	bool good = false;

	for (size_t pos = 0;
	     pos < SECTION_MAX && t->n < RANGES_MAX && entry_read(t, s, pos, &e);
	     pos = e.next) {
		if (e.common || e.c.bad)
			continue;
		if (e.cie != cie)
			good = common_read(t, s, e.cie, &common);
		cie = e.cie;
		r.entry = (uint32_t)pos * 2 + (uint32_t)s;
		/* of sections that the linker has dropped the address is 0 */
		if (good && range_read(t, s, &common, &e, &r) && r.start && r.size)
			*table_add(t->ranges, t->n, t->cap) = r;
	}
}

static int range_cmp(const void *a, const void *b)
{
	const struct cfi_range *x = a, *y = b;

	return ascending(x->start, y->start);
}

void cfi_init(struct cfi *t, const struct elf *e)
{
	*t = (struct cfi){ 0 };
	for (int s = 0; s < 2; s++)
		if (elf_section(e, s ? ".debug_frame" : ".eh_frame", &t->vaddr[s],
				&t->sections[s]))
			read_ranges(t, s);
	table_sort(t->ranges, t->n, range_cmp);
}

void cfi_release(struct cfi *t)
{
	free(t->ranges);
}

/* The state of a running program. */
struct run {
	const struct common *common;
	struct cursor c;
	uint64_t loc; /* the address from which on the next rules hold */
	struct cfi_row *row;
	const struct cfi_row *first; /* the CIE's, to which DW_CFA_restore goes back */
	struct cfi_row remembered[REMEMBERED_MAX];
	int n_remembered;
};

/* Vector registers are not ours, and have no rule. */
static uint64_t ours(uint64_t reg)
{
	return reg < REGS ? reg : UINT64_MAX;
}

static void set_rule(struct run *r, uint64_t reg, enum cfi_how how, uint64_t from,
		     int64_t value)
{
	struct cfi_rule rule = { .how = how,
				 .reg = (uint8_t)from,
				 .value = (int32_t)value };

	if (reg > CFI_CFA)
		return;
	r->c.bad |= from >= REGS || rule.value != value;
	r->row->rules[reg] = rule;
}

static void set_expr(struct run *r, uint64_t reg, enum cfi_how how)
{
	uint64_t len = cursor_uvarint(&r->c);
	size_t at = r->c.pos;

	cursor_bytes(&r->c, len);
	set_rule(r, reg, how, 0, (int64_t)at);
	if (reg <= CFI_CFA)
		r->row->rules[reg].len = (uint16_t)len; /* < ENTRY_MAX */
}

static void restore(struct run *r, uint64_t reg)
{
	if (!r->first)
		r->c.bad = true;
	else if (reg < REGS)
		r->row->rules[reg] = r->first->rules[reg];
}

static uint64_t reg_read(struct run *r)
{
	return ours(cursor_uvarint(&r->c));
}

/* An operand, signed or not, in units of the table's data alignment. */
static int64_t scaled(struct run *r, bool sign)
{
	uint64_t v = sign ? (uint64_t)cfi_sleb(&r->c) : cursor_uvarint(&r->c);

	return (int64_t)(v * (uint64_t)r->common->data_align);
}

static void run_cfa(struct run *r, uint8_t op)
{
	struct cfi_rule cfa = r->row->rules[CFI_CFA];
	uint64_t from = cfa.reg;
	int64_t value = cfa.value;

	if (op == DW_CFA_def_cfa || op == DW_CFA_def_cfa_sf ||
	    op == DW_CFA_def_cfa_register)
		from = reg_read(r);
	else
		r->c.bad |= cfa.how != CFI_IS;
	if (op == DW_CFA_def_cfa || op == DW_CFA_def_cfa_offset)
		value = (int64_t)cursor_uvarint(&r->c);
	else if (op == DW_CFA_def_cfa_sf || op == DW_CFA_def_cfa_offset_sf)
		value = scaled(r, true);
	else
		r->c.bad |= cfa.how != CFI_IS;
	set_rule(r, CFI_CFA, CFI_IS, from, value);
}

static void run_state(struct run *r, bool remember)
{
	if (remember && r->n_remembered < REMEMBERED_MAX)
		r->remembered[r->n_remembered++] = *r->row;
	else if (!remember && r->n_remembered)
		*r->row = r->remembered[--r->n_remembered];
	else
		r->c.bad = true;
}

static void run_register(struct run *r, uint8_t op)
{
	uint64_t reg = reg_read(r);
	bool sign = op == DW_CFA_offset_extended_sf || op == DW_CFA_val_offset_sf;

	switch (op) {
	case DW_CFA_undefined: set_rule(r, reg, CFI_LOST, 0, 0); break;
	case DW_CFA_same_value: set_rule(r, reg, CFI_KEPT, 0, 0); break;
	case DW_CFA_restore_extended: restore(r, reg); break;
	case DW_CFA_register: set_rule(r, reg, CFI_IN, reg_read(r), 0); break;
	case DW_CFA_expression: set_expr(r, reg, CFI_AT_EXPR); break;
	case DW_CFA_val_expression: set_expr(r, reg, CFI_IS_EXPR); break;
	case DW_CFA_offset_extended:
	case DW_CFA_offset_extended_sf: set_rule(r, reg, CFI_AT, 0, scaled(r, sign)); break;
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf: set_rule(r, reg, CFI_IS, 0, scaled(r, sign)); break;
	default: r->c.bad = true;
	}
}

static void run_op(struct run *r, uint8_t op)
{
	uint64_t low = op & 0x3f, advance = 0;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc: r->loc += low * r->common->code_align; return;
	case DW_CFA_offset: set_rule(r, ours(low), CFI_AT, 0, scaled(r, false)); return;
	case DW_CFA_restore: restore(r, low); return;
	}
	switch (op) {
	case DW_CFA_nop: break;
	case DW_CFA_advance_loc1: advance = cursor_u8(&r->c); break;
	case DW_CFA_advance_loc2: advance = cursor_u16(&r->c); break;
	case DW_CFA_advance_loc4: advance = cursor_u32(&r->c); break;
	case DW_CFA_remember_state:
	case DW_CFA_restore_state: run_state(r, op == DW_CFA_remember_state); break;
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
	case DW_CFA_def_cfa_register:
	case DW_CFA_def_cfa_offset:
	case DW_CFA_def_cfa_offset_sf: run_cfa(r, op); break;
	case DW_CFA_def_cfa_expression: set_expr(r, CFI_CFA, CFI_IS_EXPR); break;
	case DW_CFA_GNU_args_size: cursor_uvarint(&r->c); break;
	default: run_register(r, op);
	}
	r->loc += advance * r->common->code_align;
}

/* Runs a program until it is past addr, or ends. */
static bool run(struct run *r, struct cursor program, uint64_t addr)
{
	r->c = program;
	while (cursor_left(&r->c) && r->loc <= addr)
		run_op(r, cursor_u8(&r->c));
	return !r->c.bad;
}

static const struct cfi_range *range_find(const struct cfi *t, uint64_t addr)
{
	uint32_t n = table_until(t->n, i, t->ranges[i].start <= addr);
	const struct cfi_range *r = n ? &t->ranges[n - 1] : NULL;

	return r && addr - r->start < r->size ? r : NULL;
}

bool cfi_find(const struct cfi *t, uint64_t addr, struct cfi_row *ret)
{
	const struct cfi_range *range = range_find(t, addr);
	int s = range ? range->entry & 1 : 0;
	struct run r = { .row = ret };
	struct common common;
	struct cfi_row first;
	struct cfi_range again;
	struct entry e;

	*ret = (struct cfi_row){ .exprs = t->sections[s].data };
	ret->rules[CFI_CFA].how = CFI_LOST;
	r.common = &common;
	if (!range || !entry_read(t, s, range->entry / 2, &e) ||
	    !common_read(t, s, e.cie, &common) || !range_read(t, s, &common, &e, &again) ||
	    !run(&r, common.program, UINT64_MAX))
		return false;
	first = *ret;
	r.first = &first;
	r.loc = range->start;
	ret->signal = common.signal;
	return run(&r, e.c, addr) && ret->rules[CFI_CFA].how != CFI_LOST;
}
