/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiler marks an inlined call by an instruction of the caller's, which parent_pc in
 * the inline tree points to. If some other instruction has the same line, it serves as the
 * mark, wherever it is; else it is a no-operation in front of the body, which runs once for
 * each call. Without that, the body's instructions and the jumps between all of them show
 * where it is entered.
 */
#include "symbolizer/goinline.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "symbolizer/goentry.h"
#include "symbolizer/goflow.h"

enum {
	NOP = 0x90,
	MAX_CODE = 1 << 22, /* bytes of a function */
	MAX_NESTED = 256,   /* bodies in each other */
	MAX_WORK =
		1 << 30, /* bytes of code looked at: hostile tables have very many rows */
};

/* A function into which others were inlined. */
struct around {
	const struct gopclntab *t;
	struct entry e;
	struct cursor code; /* empty: not at hand */
	struct flow flow;   /* opened when it is needed */
	bool opened;
	int32_t *rows;        /* of the tree, per byte of code; -1: of none */
	uint32_t *parent_pcs; /* of the rows */
	uint32_t n, cap, n_code;
};

static uint32_t inline_table(const struct around *a)
{
	return u32_at(&a->t->funcs, a->e.tables + 4 * PCDATA_INLTREE);
}

/* The number of rows of a function's inline tree that its code refers to. */
static uint64_t rows_of(const struct around *a, uint64_t *steps)
{
	struct pcvalues v;
	int64_t last = -1;

	if (!has_inlined(a->t, &a->e) || !pcvalues_open(&v, &a->t->pctab, inline_table(a)))
		return 0;
	while (pcvalues_next(&v) && (*steps)++ < MAX_SAMPLED)
		last = v.value > last ? v.value : last;
	return (uint64_t)(last + 1);
}

static void open_code(struct around *a, uint64_t n_rows)
{
	struct pcvalues v;
	struct entry inner;
	uint32_t at = 0, pc;

	a->opened = true;
	if (a->code.len > MAX_CODE || !pcvalues_open(&v, &a->t->pctab, inline_table(a)))
		return;
	flow_open(&a->flow, a->code.data, (uint32_t)a->code.len);
	a->rows = mem_zalloc((a->code.len + 1) * sizeof(*a->rows));
	while (pcvalues_next(&v))
		for (uint32_t i = 0; i < v.step * a->t->quantum && at < a->code.len; i++)
			a->rows[at++] = v.value;
	while (at < a->code.len)
		a->rows[at++] = -1;
	for (uint32_t i = 0; i < n_rows; i++) {
		inner = a->e;
		if (!inlined_row(a->t, &inner, i, &pc))
			break;
		*table_add(a->parent_pcs, a->n, a->cap) = pc;
	}
}

static void close_code(struct around *a)
{
	flow_release(&a->flow);
	free(a->rows);
	free(a->parent_pcs);
}

/* Is this byte of code in the body of a row, or of one inlined there? */
static bool is_inside(const struct around *a, uint32_t at, uint32_t row)
{
	int32_t r = a->rows[at];

	for (int i = 0; i < MAX_NESTED && r >= 0 && (uint32_t)r < a->n; i++) {
		if ((uint32_t)r == row)
			return true;
		at = a->parent_pcs[r];
		r = at < a->code.len ? a->rows[at] : -1;
	}
	return false;
}

/* Does a range begin here in any table of the function? */
static bool begins_range(const struct around *a, uint32_t at)
{
	const struct gopclntab *t = a->t;
	uint32_t tables[] = { a->e.pcsp, a->e.pcfile, a->e.pcln };
	uint32_t n = a->e.n_pcdata < UINT8_MAX ? a->e.n_pcdata : UINT8_MAX;

	for (uint32_t i = 0; i < n + 3; i++) {
		uint32_t table = i < 3 ? tables[i]
				       : u32_at(&t->funcs, a->e.tables + 4 * (i - 3));
		struct pcvalues v;
		uint64_t pc = 0;

		if (!pcvalues_open(&v, &t->pctab, table))
			continue;
		while (pc <= at && pcvalues_next(&v)) {
			if (pc == at)
				return true;
			pc += (uint64_t)v.step * t->quantum;
		}
	}
	return false;
}

/* An instruction that runs as often as this one and begins a range; FLOW_NONE: none. */
static uint32_t on_range(const struct around *a, uint32_t insn)
{
	const struct flow *f = &a->flow;

	for (uint32_t i = insn;; i--) {
		if (begins_range(a, f->rows[i].at))
			return i;
		if (!flow_joined(f, i))
			break;
	}
	for (uint32_t i = insn + 1; i < f->n && flow_joined(f, i); i++)
		if (begins_range(a, f->rows[i].at))
			return i;
	return FLOW_NONE;
}

/* The instruction of a row's body to probe; FLOW_NONE: there is none. */
static uint32_t probe_of(struct around *a, uint32_t row, uint32_t mark)
{
	uint32_t insn = flow_find(&a->flow, mark);
	bool *inside;

	if (insn != FLOW_NONE && a->code.data[mark] == NOP && begins_range(a, mark))
		return insn;
	inside = mem_zalloc(a->flow.n + 1);
	for (uint32_t i = 0; i < a->flow.n; i++)
		inside[i] = is_inside(a, a->flow.rows[i].at, row);
	insn = flow_entrance(&a->flow, inside);
	free(inside);
	return insn == FLOW_NONE ? insn : on_range(a, insn);
}

/* Fills in where the place is. */
static void locate(struct around *a, uint32_t row, uint32_t mark, struct go_place *place)
{
	uint32_t body = 0, insn;

	while (body < a->code.len && a->rows[body] != (int32_t)row)
		body++;
	insn = body < a->code.len ? probe_of(a, row, mark) : FLOW_NONE;
	if (insn == FLOW_NONE)
		return;
	place->addr = place->entry + a->flow.rows[insn].at;
	place->body = place->entry + body;
}

/* The code of x86-64 only: there it has a quantum of 1. */
static struct cursor code_of(const struct gopclntab *t, const struct entry *e,
			     const struct elf *elf)
{
	struct cursor c = { 0 };

	if (elf && t->quantum == 1)
		c = elf_at(elf, t->text + e->start);
	return cursor_slice(&c, c.pos, e->end - e->start);
}

void goinline_each(const struct gopclntab *t, const struct elf *elf,
		   bool (*wanted)(void *arg, const char *name),
		   void (*fn)(void *arg, const struct go_place *place), void *arg)
{
	uint64_t steps = 0, work = 0, n;

	for (uint32_t row = 0; row < t->n_funcs && steps < MAX_SAMPLED; row++) {
		struct around a = { .t = t };

		n = entry_read(t, row, &a.e) ? rows_of(&a, &steps) : 0;
		a.code = code_of(t, &a.e, elf);
		for (uint32_t i = 0; i < n && steps++ < MAX_SAMPLED; i++) {
			struct entry inner = a.e;
			struct go_place place = { .entry = t->text + a.e.start,
						  .len = a.e.end - a.e.start };
			uint32_t mark;

			if (!inlined_row(t, &inner, i, &mark))
				break;
			place.name = string_at(&t->names, inner.name);
			if (!place.name || !wanted(arg, place.name))
				continue;
			if (!a.opened)
				open_code(&a, n);
			work += a.code.len;
			if (a.rows && work < MAX_WORK)
				locate(&a, (uint32_t)i, mark, &place);
			fn(arg, &place);
		}
		close_code(&a);
	}
}
