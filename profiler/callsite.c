/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/callsite.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	CODE_MAX = 32 << 20,
	CALL_MAX = 7,   /* bytes */
	TAIL_MAX = 128, /* bytes of a function in which its jump to another is found */
};

static int start_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What a 32-bit displacement at this position means; pos moves behind it. */
static uint64_t read_target(struct cursor *c, uint64_t vaddr)
{
	uint64_t rel = (uint64_t)(int32_t)cursor_u32(c);

	return vaddr + c->pos + rel;
}

void callees_init(struct callees *t, const struct elf *e)
{
	uint32_t n = 0;

	*t = (struct callees){ 0 };
	for (uint32_t i = 0; i < e->n_segments; i++) {
		struct cursor c = elf_segment_bytes(e, i);
		const uint8_t *call;
		uint64_t vaddr = e->segments[i].vaddr, to;

		if (!e->segments[i].executable || c.len > CODE_MAX)
			continue;
		/* bytes inside of other instructions hardly ever lead into the segment */
		while (cursor_left(&c) &&
		       (call = memchr(c.data + c.pos, 0xe8, cursor_left(&c)))) {
			size_t next = (size_t)(call - c.data) + 1;

			cursor_seek(&c, next);
			to = read_target(&c, vaddr);
			if (!c.bad && to - vaddr < c.len)
				*table_add(t->starts, t->n, t->cap) = to;
			if (!c.bad)
				cursor_seek(&c, next);
		}
	}
	if (t->n)
		qsort(t->starts, t->n, sizeof(*t->starts), start_cmp);
	for (uint32_t i = 0; i < t->n; i++)
		if (!n || t->starts[i] != t->starts[n - 1])
			t->starts[n++] = t->starts[i];
	t->n = n;
}

void callees_release(struct callees *t)
{
	free(t->starts);
}

static struct cursor code_at(const struct object *o, uint64_t addr)
{
	return o->elf ? elf_at(o->elf, addr) : (struct cursor){ .bad = true };
}

static void skip_endbr(struct cursor *c)
{
	struct cursor after = *c;

	if (cursor_u32(&after) == 0xfa1e0ff3)
		*c = after;
}

/* Is there a jump to where the loader has put an address? */
static bool is_stub(const struct object *o, uint64_t addr)
{
	struct cursor c = code_at(o, addr);

	skip_endbr(&c);
	if (cursor_left(&c) && c.data[c.pos] == 0xf2) /* bnd */
		c.pos++;
	return cursor_u16(&c) == 0x25ff; /* jmp *disp32(%rip) */
}

struct callee callee_at(const struct callees *t, const struct object *o, uint64_t pc)
{
	uint32_t lo = 0, hi = t->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (t->starts[mid] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (struct callee){ o, pc, lo ? t->starts[lo - 1] : 0, is_stub(o, pc) };
}

bool is_trampoline(const struct object *o, uint64_t pc)
{
	/* mov $__NR_rt_sigreturn, %rax; syscall: debuggers go by these bytes, too */
	static const uint8_t code[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };
	struct cursor c = code_at(o, pc);
	const void *p = cursor_bytes(&c, sizeof(code));

	return p && !memcmp(p, code, sizeof(code));
}

/* The bytes before a return address: call *reg, *disp8(reg), *disp32(reg), *disp32(%rip), and
 * with an index register. */
static bool is_indirect(const uint8_t code[CALL_MAX])
{
	static const int displacements[] = { 0, 1, 4, 0 };

	for (int len = 2; len <= CALL_MAX; len++) {
		const uint8_t *p = code + CALL_MAX - len;
		int mod = p[1] >> 6, rm = p[1] & 7, need = 2 + displacements[mod];

		if (mod != 3 && rm == 4)
			need++;
		if (mod == 0 && rm == 5)
			need += 4;
		if (p[0] == 0xff && (p[1] >> 3 & 7) == 2 && need == len)
			return true;
	}
	return false;
}

/* Is the function at addr the callee, or does it soon jump there? A function that is only ever
 * jumped to is none of the known ones: then its start is behind the one before. */
static bool leads_to(uint64_t addr, struct callee *to)
{
	struct cursor c = code_at(to->object, addr);

	if (to->start && addr == to->start)
		return true;
	for (size_t i = 1; i < TAIL_MAX && i < c.len; i++) {
		uint8_t op = c.data[i - 1];
		uint64_t target;

		cursor_seek(&c, i);
		target = read_target(&c, addr);
		/* jmp, or one of those with a condition */
		if ((op == 0xe9 || (op & 0xf0) == 0x80) && !c.bad && target >= to->start &&
		    target <= to->pc && to->start) {
			to->start = target;
			return true;
		}
	}
	return false;
}

enum callsite callsite_find(struct space *space, uint64_t ra, struct callee *to)
{
	uint64_t at, target;
	const struct object *o = space_object(space, ra - CALL_MAX, &at);
	struct cursor c = o ? code_at(o, at) : (struct cursor){ .bad = true };
	const uint8_t *code = cursor_bytes(&c, CALL_MAX);

	if (!code)
		return CALLSITE_NONE;
	if (code[CALL_MAX - 5] != 0xe8)
		return is_indirect(code) ? CALLSITE_MAYBE : CALLSITE_NONE;
	cursor_seek(&c, CALL_MAX - 4);
	target = read_target(&c, at);
	if (o == to->object && leads_to(target, to))
		return CALLSITE_OF;
	return is_stub(o, target) ? CALLSITE_MAYBE : CALLSITE_OTHER;
}

int callee_pushes(const struct callee *to, uint8_t regs[8])
{
	/* rax rcx rdx rbx rsp rbp rsi rdi, as instructions number them */
	static const uint8_t dwarf[] = { 0, 2, 1, 3, 7, 6, 4, 5 };
	struct cursor c = code_at(to->object, to->start);
	int n = 0;

	skip_endbr(&c);
	while (n < 8) {
		uint8_t op = cursor_u8(&c);
		bool high = op == 0x41;

		if (high)
			op = cursor_u8(&c);
		if (c.bad || (op & 0xf8) != 0x50 || to->start + c.pos > to->pc)
			break;
		regs[n++] = high ? 8 + (op & 7) : dwarf[op & 7];
	}
	return n;
}
