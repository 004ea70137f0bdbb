/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/callsite.h"

#include <string.h>

#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { CALL_MAX = 7, TAIL_MAX = 128, FUNCTION_MAX = 1 << 16 /* bytes */ };

/* What the file has at an address; bad: none. */
static struct cursor code_at(struct space *space, uint64_t addr)
{
	uint64_t at;
	const struct object *o = space_object(space, addr, &at);

	return o && o->elf ? elf_at(o->elf, at) : (struct cursor){ .bad = true };
}

/* The last byte of code is before the return address. call *reg, *disp8(reg), *disp32(reg) and
 * *disp32(%rip) or with an index register. */
static bool is_indirect(const uint8_t code[CALL_MAX])
{
	for (int len = 2; len <= CALL_MAX; len++) {
		const uint8_t *p = code + CALL_MAX - len;
		static const uint8_t displacement[] = { 0, 1, 4, 0 };
		int mod = p[1] >> 6, rm = p[1] & 7, need = 2 + displacement[mod];

		if (p[0] != 0xff || (p[1] >> 3 & 7) != 2)
			continue;
		if (mod != 3 && rm == 4)
			need++; /* SIB */
		if (mod == 0 && rm == 5)
			need += 4;
		if (need == len)
			return true;
	}
	return false;
}

static void skip_endbr(struct cursor *c)
{
	struct cursor after = *c;

	if (cursor_u32(&after) == 0xfa1e0ff3)
		*c = after;
}

/* Is the function at addr the one at pc, or does one of its first instructions jump there? */
static bool leads_to(struct space *space, uint64_t addr, uint64_t pc, uint64_t *entry)
{
	struct cursor c = code_at(space, addr);

	*entry = addr;
	if (space_same_function(space, addr, pc))
		return true;
	for (size_t i = 1; i < TAIL_MAX && c.len >= 4 && i <= c.len - 4; i++) {
		uint8_t op = c.data[i - 1];

		cursor_seek(&c, i);
		*entry = addr + i + 4 + (uint64_t)(int64_t)(int32_t)cursor_u32(&c);
		/* jmp; or if so */
		if ((op == 0xe9 || (op & 0xf0) == 0x80) && pc - *entry < FUNCTION_MAX &&
		    space_same_function(space, *entry, pc))
			return true;
	}
	return false;
}

bool callsite_import(struct space *space, uint64_t addr)
{
	struct cursor c = code_at(space, addr);

	skip_endbr(&c);
	if (!c.bad && c.pos < c.len && c.data[c.pos] == 0xf2) /* bnd */
		c.pos++;
	return cursor_u16(&c) == 0x25ff; /* jmp *disp32(%rip) */
}

enum callsite callsite_find(struct space *space, uint64_t ra, uint64_t pc, uint64_t *entry)
{
	struct cursor c = code_at(space, ra - CALL_MAX);
	const uint8_t *code = cursor_bytes(&c, CALL_MAX);
	uint64_t to;
	int32_t rel;

	if (!code)
		return CALLSITE_NONE;
	if (code[2] != 0xe8)
		return is_indirect(code) ? CALLSITE_MAYBE : CALLSITE_NONE;
	memcpy(&rel, code + 3, sizeof(rel));
	to = ra + (uint64_t)(int64_t)rel;
	if (leads_to(space, to, pc, entry))
		return CALLSITE_OF;
	return callsite_import(space, to) ? CALLSITE_MAYBE : CALLSITE_OTHER;
}

int callsite_pushes(struct space *space, uint64_t entry, uint64_t pc, uint8_t regs[8])
{
	/* rax rcx rdx rbx rsp rbp rsi rdi, as instructions number them */
	static const uint8_t dwarf[] = { 0, 2, 1, 3, 7, 6, 4, 5 };
	struct cursor c = code_at(space, entry);
	int n = 0;

	skip_endbr(&c);
	while (n < 8 && !c.bad && entry + c.pos < pc) {
		uint8_t op = cursor_u8(&c);
		bool high = op == 0x41;

		if (high)
			op = cursor_u8(&c);
		if (c.bad || (op & 0xf8) != 0x50 || entry + c.pos > pc)
			break;
		regs[n++] = high ? 8 + (op & 7) : dwarf[op & 7];
	}
	return n;
}
