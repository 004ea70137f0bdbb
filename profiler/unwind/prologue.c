/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/prologue.h"

#include <stdbool.h>

#include "profiler/base/cursor.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	INSNS = 24, /* that are looked at */
	REX_B = 1,
	REX_W = 8,
	RSP = 4, /* as instructions number it */
	MOV_IMM = 0xb8,
};

/* Instructions and DWARF number these registers otherwise. */
static uint32_t dwarf_number(uint32_t reg)
{
	static const uint8_t numbers[] = { 0, 2, 1, 3, 7, 6, 4, 5 };

	return reg < 8 ? numbers[reg] : reg;
}

/* Skips a ModRM byte and what belongs to it. *reg: the register that it names besides memory; *rm: the other one, or -1
 * for memory. */
static void skip_modrm(struct cursor *c, uint32_t *reg, int *rm)
{
	uint8_t m = cursor_u8(c), mod = m >> 6, sib;

	*reg = m >> 3 & 7;
	*rm = mod == 3 ? m & 7 : -1;
	if (mod == 3)
		return;
	if ((m & 7) == 4) {
		sib = cursor_u8(c);
		if (mod == 0 && (sib & 7) == 5)
			cursor_u32(c);
	} else if (mod == 0 && (m & 7) == 5) {
		cursor_u32(c);
	}
	if (mod == 1)
		cursor_u8(c);
	else if (mod == 2)
		cursor_u32(c);
}

/* Skips one of the instructions between the pushes, whose opcode was read: moves and the like, which leave the stack
 * as it is. false: another. */
static bool skip_other(struct cursor *c, uint8_t op, uint8_t rex)
{
	uint32_t reg;
	int rm;

	if ((op & 0xf8) == MOV_IMM) {
		cursor_u32(c);
		if (rex & REX_W)
			cursor_u32(c);
		return !c->bad;
	}
	switch (op) {
	case 0x89: /* mov to r/m */
	case 0x85: /* test */
		skip_modrm(c, &reg, &rm);
		return !c->bad && (rm != RSP || rex & REX_B);
	case 0x31: /* xor */
		skip_modrm(c, &reg, &rm);
		return !c->bad && rm >= 0 && (rm != RSP || rex & REX_B);
	case 0x8b: /* mov from r/m */
	case 0x8d: /* lea */
	case 0x63: /* movslq */
		skip_modrm(c, &reg, &rm);
		return !c->bad && (reg != RSP || rex & 4);
	default: return false;
	}
}

/* From one address of a process to the code there. */
static struct cursor code_at(struct space *space, uint64_t pc)
{
	uint64_t at;
	const struct object *o = space_object(space, pc, &at);

	return o && o->elf ? elf_at(o->elf, at) : (struct cursor){ .bad = true };
}

uint32_t prologue_saved(struct space *space, uint64_t addr, uint32_t reg)
{
	struct cursor c = code_at(space, addr);
	uint32_t pushed = 0;
	bool jumped = false;

	for (int i = 0; i < INSNS && !c.bad; i++) {
		uint8_t op = cursor_u8(&c), rex = 0;

		if ((op & 0xf0) == 0x40) {
			rex = op;
			op = cursor_u8(&c);
		}
		if ((op & 0xf8) == 0x50) {
			uint32_t r = (op & 7u) + (rex & REX_B ? 8 : 0);

			pushed++;
			if (!c.bad && dwarf_number(r) == reg)
				return pushed;
		} else if (op == 0xe9 && !pushed && !jumped) {
			int32_t rel = (int32_t)cursor_u32(&c);

			addr += c.pos + (uint64_t)rel;
			c = c.bad ? c : code_at(space, addr);
			jumped = true;
		} else if (!skip_other(&c, op, rex)) {
			return 0;
		}
	}
	return 0;
}
