/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/callsite.h"

#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	/* limits on the time that hostile files take: in bytes, and in numbers */
	CODE_MAX = 32 << 20,
	STARTS_MAX = 1 << 20,
	IMPORTS_MAX = 1024,
	SYMBOLS_MAX = 1 << 16,
	/* bytes */
	TAIL_MAX = 128, /* from the start of a function to its jump to another one */
	ENTRY_MAX = 64, /* from where the kernel starts a program to the last call there */
	BEGIN_MAX = 16, /* of that code, at least */
};

static int start_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return ascending(*x, *y);
}

/* The address that a displacement at this position means; pos moves behind it. */
static uint64_t read_target(struct cursor *c, uint64_t vaddr)
{
	uint64_t at = vaddr + c->pos;
	const uint8_t *p = cursor_bytes(c, DISPLACEMENT_LEN);

	return p ? insn_target(p, DISPLACEMENT_LEN, at) : 0;
}

/* The last of the first n starts that is at or before addr; 0: none. */
static uint64_t start_find(const struct callees *t, uint32_t n, uint64_t addr)
{
	uint32_t until = table_until(n, i, t->starts[i] <= addr);

	return until ? t->starts[until - 1] : 0;
}

/* The first start behind addr. */
static uint64_t start_after(const struct callees *t, uint64_t addr)
{
	uint32_t until = table_until(t->n, i, t->starts[i] <= addr);

	return until < t->n ? t->starts[until] : addr;
}

static void sort_starts(struct callees *t)
{
	uint32_t n = 0;

	table_sort(t->starts, t->n, start_cmp);
	for (uint32_t i = 0; i < t->n; i++)
		if (!n || t->starts[i] != t->starts[n - 1])
			t->starts[n++] = t->starts[i];
	t->n = n;
}

/*
 * A function begins where a call leads, or where an address that code takes points; and, in
 * a second pass (jumps), where a jump from another function leads. Every byte may be an
 * instruction here: what are really bytes inside another one hardly ever lead into the
 * segment.
 */
static void add_starts(struct callees *t, struct cursor c, uint64_t vaddr, bool jumps)
{
	uint32_t n = t->n;

	for (size_t i = 2; i + DISPLACEMENT_LEN <= c.len && t->n < STARTS_MAX; i++) {
		const uint8_t *op = c.data + i - 1;
		bool call = insn_is_call(op) || insn_is_address(op - 1);
		bool jump = insn_is_jump(op) || insn_is_branch(op - 1);
		uint64_t to;

		if (!(jumps ? jump : call))
			continue;
		cursor_seek(&c, i);
		to = read_target(&c, vaddr);
		if (to - vaddr < c.len &&
		    (!jumps || start_find(t, n, to) != start_find(t, n, vaddr + i)))
			*table_add(t->starts, t->n, t->cap) = to;
	}
}

/* Dynamic symbols and their names. */
static bool symbols_find(const struct elf *e, struct cursor *symbols, struct cursor *names)
{
	uint64_t unused;

	if (!elf_section(e, ".dynsym", &unused, symbols) ||
	    !elf_section(e, ".dynstr", &unused, names))
		return false;
	if (symbols->len > SYMBOLS_MAX * sizeof(Elf64_Sym))
		symbols->len = SYMBOLS_MAX * sizeof(Elf64_Sym);
	return true;
}

/* Returns the symbol's address, and moves `names` to its name. */
static uint64_t symbol_read(struct cursor *symbols, struct cursor *names)
{
	uint64_t value;

	cursor_seek(names, cursor_u32(symbols));
	cursor_u32(symbols); /* st_info, st_other, st_shndx */
	value = cursor_u64(symbols);
	cursor_u64(symbols);
	return value;
}

void callees_init(struct callees *t, const struct elf *e)
{
	struct cursor symbols = { 0 }, names;

	*t = (struct callees){ .elf = e };
	symbols_find(e, &symbols, &names);
	while (cursor_left(&symbols)) {
		uint64_t value = symbol_read(&symbols, &names);

		if (value)
			*table_add(t->starts, t->n, t->cap) = value;
	}
	for (int jumps = 0; jumps < 2; jumps++) {
		uint64_t left = CODE_MAX;

		for (uint32_t i = 0; i < e->n_segments; i++) {
			const struct elf_segment *s = &e->segments[i];

			if (!s->executable || s->filesz > left)
				continue;
			left -= s->filesz;
			add_starts(t, elf_segment_bytes(e, i), s->vaddr, jumps);
		}
		sort_starts(t);
	}
}

void callees_release(struct callees *t)
{
	free(t->starts);
	free(t->imports);
}

/* Is there a jump through a slot of the loader? Sets *slot. */
static bool is_stub(const struct object *o, uint64_t addr, uint64_t *slot)
{
	struct cursor c = code_in(o, addr);

	if (!insn_is_stub(&c))
		return false;
	*slot = read_target(&c, addr);
	return !c.bad;
}

/* The name of the function whose address the loader puts into the slot. */
static const char *slot_name(const struct elf *e, uint64_t slot)
{
	struct cursor tables[2] = { e->rela }, symbols, names;
	uint64_t unused, info;

	if (!symbols_find(e, &symbols, &names))
		return "";
	elf_section(e, ".rela.plt", &unused, &tables[1]);
	for (int i = 0; i < 2; i++)
		for (int n = 0; n < SYMBOLS_MAX && cursor_left(&tables[i]); n++) {
			bool here = cursor_u64(&tables[i]) == slot;

			info = cursor_u64(&tables[i]);
			cursor_u64(&tables[i]);
			if (!here)
				continue;
			cursor_seek(&symbols, ELF64_R_SYM(info) * sizeof(Elf64_Sym));
			symbol_read(&symbols, &names);
			return symbols.bad ? "" : cursor_str(&names);
		}
	return "";
}

static uint64_t export_find(const struct elf *e, const char *name)
{
	struct cursor symbols, all, names;
	size_t len = strnlen(name, NAME_MAX + 1) + 1;

	if (len == 1 || len > NAME_MAX || !symbols_find(e, &symbols, &all))
		return 0;
	while (cursor_left(&symbols)) {
		const char *s;
		uint64_t value;

		names = all;
		value = symbol_read(&symbols, &names);
		s = cursor_bytes(&names, len);
		if (value && s && !memcmp(s, name, len))
			return value;
	}
	return 0;
}

void callees_forget(struct callees *t, const struct object *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_imports; i++)
		if (t->imports[i].object != o)
			t->imports[n++] = t->imports[i];
	t->n_imports = n;
}

static uint64_t import_start(struct callees *t, const struct object *o, uint64_t slot)
{
	struct import *im;

	for (uint32_t i = 0; i < t->n_imports; i++)
		if (t->imports[i].slot == slot && t->imports[i].object == o)
			return t->imports[i].start;
	if (t->n_imports == IMPORTS_MAX)
		return 0;
	im = table_add(t->imports, t->n_imports, t->cap_imports);
	*im = (struct import){ o, slot, export_find(t->elf, slot_name(o->elf, slot)) };
	return im->start;
}

struct callee callee_at(struct callees *t, const struct object *o, uint64_t pc)
{
	struct go_pc f = { 0 };
	uint64_t unused;

	if (o && o->go) /* Go's own linker lists the C that it links in */
		gopclntab_pc(o->go, pc, &f);
	if (!f.entry)
		f.entry = start_find(t, t->n, pc);
	return (struct callee){ t, o, pc, f.entry, is_stub(o, pc, &unused) };
}

bool is_trampoline(const struct object *o, uint64_t pc)
{
	return insn_is_sigreturn(code_in(o, pc)) ||
	       insn_is_sigreturn(code_in(o, pc - SIGRETURN_SYSCALL));
}

bool is_first_function(const struct object *o, uint64_t pc, bool leaf)
{
	GElf_Ehdr eh;

	if (!o || !o->elf || !gelf_getehdr(o->elf->lib, &eh))
		return false;
	return pc - eh.e_entry < (leaf ? BEGIN_MAX : ENTRY_MAX) ||
	       insn_exits_soon(code_in(o, pc));
}

/* Is the function at addr the callee, or does it jump there within max bytes? Sets the
 * callee's start: a function whose start was not known had been taken for the end of the
 * one before. */
static bool leads_to(uint64_t addr, uint64_t max, struct callee *to)
{
	struct cursor c = code_in(to->object, addr);

	if (!to->start)
		return false;
	if (addr >= to->start && addr <= to->pc) {
		to->start = addr;
		return true;
	}
	for (size_t i = 1; i < max && i < c.len; i++) {
		const uint8_t *op = c.data + i - 1;
		uint64_t target;

		if (!insn_is_jump(op) && (i < 2 || !insn_is_branch(op - 1)))
			continue;
		cursor_seek(&c, i);
		target = read_target(&c, addr);
		if (!c.bad && target >= to->start && target <= to->pc) {
			to->start = target;
			return true;
		}
	}
	return false;
}

bool callee_is(struct space *space, uint64_t addr, struct callee *to)
{
	uint64_t at;

	return to->object && space_object(space, addr, &at) == to->object &&
	       leads_to(at, start_after(to->callees, at) - at, to);
}

enum callsite callsite_find(struct space *space, uint64_t ra, struct callee *to)
{
	uint64_t at, target, slot;
	const struct object *o = space_object(space, ra - CALL_MAX, &at);
	struct cursor c = code_in(o, at);
	const uint8_t *code = cursor_bytes(&c, CALL_MAX);

	if (o && !o->elf)
		return CALLSITE_BLIND;
	if (!code)
		return CALLSITE_NONE;
	if (!insn_is_call(code + CALL_MAX - CALL_LEN))
		return insn_is_indirect_call(code) ? CALLSITE_MAYBE : CALLSITE_NONE;
	cursor_seek(&c, CALL_MAX - DISPLACEMENT_LEN);
	target = read_target(&c, at);
	if (o == to->object && leads_to(target, TAIL_MAX, to))
		return CALLSITE_OF;
	if (!is_stub(o, target, &slot) || !to->object || !to->object->elf)
		return CALLSITE_OTHER;
	target = import_start(to->callees, o, slot);
	return target && leads_to(target, TAIL_MAX, to) ? CALLSITE_OF : CALLSITE_OTHER;
}
