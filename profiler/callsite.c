/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/callsite.h"

#include <string.h>

#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { CALL_MAX = 7, JUMPS_MAX = 4 };

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
	for (int i = 0; i < JUMPS_MAX; i++) {
		uint16_t op;

		if (space_same_function(space, to, pc)) {
			*entry = to;
			return CALLSITE_OF;
		}
		c = code_at(space, to);
		to -= c.pos;
		skip_endbr(&c);
		if (!c.bad && c.pos < c.len && c.data[c.pos] == 0xf2) /* bnd */
			c.pos++;
		op = cursor_u16(&c);
		if (op == 0x25ff) /* jmp *disp32(%rip): of a procedure linkage table */
			return CALLSITE_MAYBE;
		if ((op & 0xff) != 0xe9)
			break;
		cursor_seek(&c, c.pos - 1);
		rel = (int32_t)cursor_u32(&c);
		to += c.pos + (uint64_t)(int64_t)rel;
	}
	return CALLSITE_OTHER;
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
