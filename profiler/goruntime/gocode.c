/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/gocode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	/* g is loaded first, or a little later in instrumented code */
	SLOT_SEARCH = 16,
	/* an offset beyond this is not a variable but a misread instruction */
	SLOT_MAX = 64 << 10,
	ALLGADD_TARGETS = 64,
};

/*
 * Is this the code at `at`? In a pattern two digits are a byte, ?? is any byte, and u1 and
 * u4 are a number of one or four bytes, which is stored in the next of numbers.
 */
static bool code_is(struct cursor code, size_t at, const char *pattern, uint32_t *numbers)
{
	cursor_seek(&code, at);
	for (const char *p = pattern; *p; p += 2 + (p[2] == ' ')) {
		unsigned byte = 0;

		sscanf(p, "%2x", &byte);
		if (!strncmp(p, "u4", 2))
			*numbers++ = cursor_u32(&code);
		else if (!strncmp(p, "u1", 2))
			*numbers++ = cursor_u8(&code);
		else if (cursor_u8(&code) != byte && *p != '?')
			return false;
	}
	return !code.bad;
}

static int amd64_slot(struct gocode_slot *ret, struct cursor code, uint64_t addr)
{
	for (uint32_t at = 0; at < SLOT_SEARCH; at++) {
		uint32_t number = 0;
		int32_t offset;

		/* in a library: mov disp(%rip),%rcx; mov %fs:(%rcx),%rax */
		if (code_is(code, at, "48 8b 0d u4 64 48 8b 01", &number)) {
			ret->got = addr + at + 7 + (uint64_t)(int32_t)number;
			return 0;
		}
		/* mov %fs:imm,%rax; in a PIE: mov $imm,%rcx; mov %fs:(%rcx),%rax */
		if (!code_is(code, at, "64 48 8b 04 25 u4", &number) &&
		    !code_is(code, at, "48 c7 c1 u4 64 48 8b 01", &number))
			continue;
		offset = (int32_t)number;
		if (offset < 0 && offset > -SLOT_MAX && offset % 8 == 0) {
			ret->offset = offset;
			return 0;
		}
	}
	return -ENOENT;
}

static uint64_t adrp(uint32_t insn, uint64_t pc)
{
	uint64_t pages = (insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3);

	if (pages & 1 << 20) /* 21 bits, signed */
		pages |= ~(uint64_t)0 << 21;
	return (pc & ~(uint64_t)0xfff) + (pages << 12);
}

/*
 *	adrp x27, page; (add x27, x27, #low;) ldrsb x0, [x27, #low]	runtime.iscgo
 *	cbz x0, …
 *	mrs x0, tpidr_el0
 *	movz x27, #off
 *		| movz x27, #0, lsl #16; movk x27, #off
 *		| adrp x27, page; ldr x27, [x27, #low]
 *	ldr x28, [x0, x27]
 */
static int arm64_slot(struct gocode_slot *ret, struct cursor c, uint64_t addr)
{
	uint64_t x27 = 0;
	bool tp = false;

	for (uint64_t pc = addr; cursor_left(&c) >= 4 && pc < addr + 64; pc += 4) {
		uint32_t insn = cursor_u32(&c), imm12 = insn >> 10 & 0xfff;

		if (insn == 0xd53bd040) /* mrs x0, tpidr_el0 */
			tp = true;
		else if ((insn & 0x9f00001f) == 0x9000001b) /* adrp x27 */
			x27 = adrp(insn, pc);
		else if ((insn & 0xffc003ff) == 0x9100037b) /* add x27, x27, #imm */
			x27 += imm12;
		else if ((insn & 0xffc003ff) == 0x39800360 &&
			 !tp) /* ldrsb x0, [x27, #imm] */
			ret->iscgo = x27 + imm12;
		else if ((insn & 0xffc003ff) == 0xf940037b && tp) /* ldr x27, [x27, #imm] */
			ret->got = x27 + imm12 * 8;
		else if ((insn & 0xff80001f) == 0xd280001b || /* movz x27, #imm */
			 (insn & 0xff80001f) == 0xf280001b)   /* movk x27, #imm */
			ret->offset = insn & 1 << 21 ? 0 : insn >> 5 & 0xffff;
		else if (insn == 0xf87b681c && tp &&
			 (ret->got || ret->offset)) /* ldr x28 */
			return 0;
	}
	return -ENOENT;
}

int gocode_slot(struct gocode_slot *ret, bool arm64, struct cursor code, uint64_t addr)
{
	int err;

	*ret = (struct gocode_slot){ 0 };
	err = arm64 ? arm64_slot(ret, code, addr) : amd64_slot(ret, code, addr);
	if (err)
		*ret = (struct gocode_slot){ 0 };
	return err;
}

int gocode_fields(struct gocode_fields *ret, struct cursor code)
{
	/* clang-format off */
	static const char pattern[] =
		"48 8b 40 u1 48 85 c0 74 ?? "    /* mov g.m(%rax),%rax; test; je */
		"8b 88 u4 85 c9 74 ?? "          /* mov m.ncgo(%rax),%ecx; test; je */
		"48 8b 88 u4 48 85 c9 74 ?? "    /* mov m.curg(%rax),%rcx; test; je */
		"48 8b 49 u1";                   /* mov g.syscallsp(%rcx),%rcx */
	/* clang-format on */
	uint32_t n[4];

	for (size_t at = 0; at < code.len; at++) {
		if (!code_is(code, at, pattern, n))
			continue;
		*ret = (struct gocode_fields){
			.g_m = n[0], .m_ncgo = n[1], .m_curg = n[2], .g_syscallsp = n[3]
		};
		return 0;
	}
	return -ENOENT;
}

int gocode_vdsosp(uint32_t *ret, struct cursor code)
{
	/* mov g.m(%r14),%rbx; mov m.vdsoPC(%rbx),%rcx; mov m.vdsoSP(%rbx),%rdx */
	static const char pattern[] = "49 8b 5e u1 48 8b 8b u4 48 8b 93 u4";
	uint32_t n[3];

	for (size_t at = 0; at < code.len; at++) {
		if (!code_is(code, at, pattern, n) || n[1] != n[2] + 8)
			continue;
		*ret = n[2];
		return 0;
	}
	return -ENOENT;
}

/* The target of an instruction of seven bytes with this opcode, an 8-byte operand and an
 * address relative to its end; 0: it is another one. */
static uint64_t rip_target(struct cursor code, size_t at, uint64_t addr, uint8_t opcode)
{
	uint8_t rex, op, modrm;
	int32_t offset;

	cursor_seek(&code, at);
	rex = cursor_u8(&code);
	op = cursor_u8(&code);
	modrm = cursor_u8(&code);
	offset = (int32_t)cursor_u32(&code);
	return !code.bad && (rex & 0xf8) == 0x48 && op == opcode && (modrm & 0xc7) == 5
		       ? addr + at + 7 + (uint64_t)(int64_t)offset
		       : 0;
}

/*
 * append() to allgs loads and stores the words of the slice: pointer, length and capacity,
 * at A, A + 8 and A + 16. No other variable that allgadd uses has two neighbours there.
 */
uint64_t gocode_allgs(struct cursor code, uint64_t addr)
{
	uint64_t targets[ALLGADD_TARGETS], found = 0;
	uint32_t n = 0;

	for (size_t at = 0; at < code.len && n < ALLGADD_TARGETS; at++) {
		uint64_t to = rip_target(code, at, addr, 0x8b); /* mov mem,%reg */

		to = to ? to : rip_target(code, at, addr, 0x89); /* mov %reg,mem */
		if (to)
			targets[n++] = to;
	}
	for (uint32_t i = 0; i < n; i++) {
		bool len = false, cap = false;

		for (uint32_t k = 0; k < n; k++) {
			len |= targets[k] == targets[i] + 8;
			cap |= targets[k] == targets[i] + 16;
		}
		if (len && cap && found && found != targets[i])
			return 0;
		found = len && cap ? targets[i] : found;
	}
	return found;
}

uint32_t gocode_addresses(struct cursor code, uint64_t addr, uint64_t *ret, uint32_t max)
{
	uint32_t n = 0;

	for (size_t at = 0; at < code.len && n < max; at++) {
		uint64_t to = rip_target(code, at, addr, 0x8d);

		if (to)
			ret[n++] = to;
	}
	return n;
}
