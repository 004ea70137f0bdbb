/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/gocode.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/cursor.h"

enum {
	/* g is loaded first, or a little later in instrumented code */
	SLOT_SEARCH = 16,
	/* an offset beyond this is not a variable but a misread instruction */
	SLOT_MAX = 64 << 10,
};

/* Does the code at c continue with these bytes? If so, moves past them. */
static bool code_is(struct cursor *c, const char *bytes, size_t n)
{
	struct cursor next = *c;
	const void *p = cursor_bytes(&next, n);

	if (!p || memcmp(p, bytes, n))
		return false;
	*c = next;
	return true;
}

#define CODE_IS(c, bytes) code_is(c, bytes, sizeof(bytes) - 1)

static int amd64_slot(struct gocode_slot *ret, const uint8_t *code, uint32_t len,
		      uint64_t addr)
{
	static const char load[] = "\x64\x48\x8b\x01"; /* mov %fs:(%rcx),%rax */

	for (uint32_t at = 0; at < SLOT_SEARCH && at < len; at++) {
		struct cursor c = cursor_over(code + at, len - at);
		int32_t imm = 0;

		if (CODE_IS(&c, "\x64\x48\x8b\x04\x25")) { /* mov %fs:imm,%rax */
			imm = (int32_t)cursor_u32(&c);
		} else if (CODE_IS(&c, "\x48\xc7\xc1")) { /* mov $imm,%rcx: PIE */
			imm = (int32_t)cursor_u32(&c);
			if (!CODE_IS(&c, load))
				continue;
		} else if (CODE_IS(&c, "\x48\x8b\x0d")) { /* mov disp(%rip),%rcx: library */
			imm = (int32_t)cursor_u32(&c);
			ret->got = addr + at + c.pos + (uint64_t)(int64_t)imm;
			if (CODE_IS(&c, load))
				return 0;
			ret->got = 0;
			continue;
		}
		if (imm < 0 && imm > -SLOT_MAX && imm % 8 == 0) {
			ret->offset = imm;
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
static int arm64_slot(struct gocode_slot *ret, const uint8_t *code, uint32_t len,
		      uint64_t addr)
{
	struct cursor c = cursor_over(code, len);
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

int gocode_slot(struct gocode_slot *ret, bool arm64, const uint8_t *code, uint32_t len,
		uint64_t addr)
{
	int err;

	*ret = (struct gocode_slot){ 0 };
	err = arm64 ? arm64_slot(ret, code, len, addr) : amd64_slot(ret, code, len, addr);
	if (err)
		*ret = (struct gocode_slot){ 0 };
	return err;
}

/* Matches mov off8(%rax),%rax, then a test and a jump, and so on. */
int gocode_fields(struct gocode_fields *ret, const uint8_t *code, uint32_t len)
{
	for (uint32_t at = 0; at < len; at++) {
		struct cursor c = cursor_over(code + at, len - at);
		struct gocode_fields f;

		if (!CODE_IS(&c, "\x48\x8b\x40")) /* mov g.m(%rax),%rax */
			continue;
		f.g_m = cursor_u8(&c);
		if (!CODE_IS(&c, "\x48\x85\xc0\x74")) /* test %rax,%rax; je */
			continue;
		cursor_u8(&c);
		if (!CODE_IS(&c, "\x8b\x88")) /* mov m.ncgo(%rax),%ecx */
			continue;
		f.m_ncgo = cursor_u32(&c);
		if (!CODE_IS(&c, "\x85\xc9\x74")) /* test %ecx,%ecx; je */
			continue;
		cursor_u8(&c);
		if (!CODE_IS(&c, "\x48\x8b\x88")) /* mov m.curg(%rax),%rcx */
			continue;
		f.m_curg = cursor_u32(&c);
		if (!CODE_IS(&c, "\x48\x85\xc9\x74")) /* test %rcx,%rcx; je */
			continue;
		cursor_u8(&c);
		if (!CODE_IS(&c, "\x48\x8b\x49")) /* mov g.syscallsp(%rcx),%rcx */
			continue;
		f.g_syscallsp = cursor_u8(&c);
		if (c.bad)
			continue;
		*ret = f;
		return 0;
	}
	return -ENOENT;
}

int gocode_vdsosp(uint32_t *ret, const uint8_t *code, uint32_t len)
{
	for (uint32_t at = 0; at < len; at++) {
		struct cursor c = cursor_over(code + at, len - at);
		uint32_t pc, sp;

		if (!CODE_IS(&c, "\x49\x8b\x5e")) /* mov g.m(%r14),%rbx */
			continue;
		cursor_u8(&c);
		if (!CODE_IS(&c, "\x48\x8b\x8b")) /* mov m.vdsoPC(%rbx),%rcx */
			continue;
		pc = cursor_u32(&c);
		if (!CODE_IS(&c, "\x48\x8b\x93")) /* mov m.vdsoSP(%rbx),%rdx */
			continue;
		sp = cursor_u32(&c);
		if (c.bad || pc != sp + 8)
			continue;
		*ret = sp;
		return 0;
	}
	return -ENOENT;
}
