/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of arch.h that is more than a line: reading x86-64 instructions, and the
 * kernel's ucontext. */
#include "profiler/unwind/arch.h"

#ifdef __x86_64__

#include "profiler/unwind/gocall.h"

bool insn_is_indirect_call(const uint8_t code[CALL_MAX])
{
	/* call *reg, *disp8(reg), *disp32(reg), *disp32(%rip), and with an index
	 * register */
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

bool insn_is_stub(struct cursor *c)
{
	struct cursor after = *c;

	if (cursor_u32(&after) == 0xfa1e0ff3) /* endbr64 */
		*c = after;
	if (cursor_left(c) && c->data[c->pos] == 0xf2) /* bnd */
		c->pos++;
	return cursor_u16(c) == 0x25ff; /* jmp *disp32(%rip) */
}

bool insn_is_sigreturn(struct cursor c)
{
	/* mov $__NR_rt_sigreturn, %rax; syscall: debuggers recognize it by these bytes,
	 * too */
	static const uint8_t code[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };

	return cursor_left(&c) >= sizeof(code) && !memcmp(c.data, code, sizeof(code));
}

bool insn_exits_soon(struct cursor c)
{
	enum { WITHIN = 16 };
	static const uint8_t code[] = { 60, 0x0f, 0x05 }; /* mov $__NR_exit, %al; syscall */

	return cursor_left(&c) >= WITHIN && memmem(c.data, WITHIN, code, sizeof(code));
}

bool ucontext_read(const struct stack_copy *c, uint64_t addr, uint64_t regs[REGS])
{
	enum { REGS_AT = 40 / WORD };
	/* r8 … r15 rdi rsi rbp rbx rdx rax rcx rsp rip */
	static const uint8_t order[REGS] = { 8, 9, 10, 11, 12, 13, 14, 15, 5,
					     4, 6, 3,  1,  0,  2,  7,  16 };
	uint64_t uc[REGS_AT + REGS];

	if (!copy_read(c, addr, uc, sizeof(uc)))
		return false;
	for (int i = 0; i < REGS; i++)
		regs[order[i]] = uc[REGS_AT + i];
	return true;
}

bool ucontext_is(const struct stack_copy *c, uint64_t addr)
{
	/* where the address of the FPU's state is, and how far behind the ucontext that
	 * state begins */
	enum { FPU_AT = 224 / WORD, FPU = 448 };
	uint64_t uc[FPU_AT + 1];

	return copy_read(c, addr, uc, sizeof(uc)) && uc[FPU_AT] == addr + FPU;
}

enum {
	INSNS = 24, /* that are read */
	REX_B = 1,
	REX_W = 8,
	RSP = 4, /* as instructions number it */
	MOV_IMM = 0xb8,
};

/* DWARF's number of a register that an instruction names. */
static uint32_t dwarf_number(uint32_t reg)
{
	static const uint8_t numbers[] = { 0, 2, 1, 3, 7, 6, 4, 5 };

	return reg < 8 ? numbers[reg] : reg;
}

/* Skips a ModRM byte and what belongs to it. *reg: the register operand; *rm: the other
 * operand's register, or -1 if that is memory. */
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

/* Skips an instruction whose opcode was read, if it is one of those that compilers put
 * between the pushes: moves and the like, which leave SP as it is. */
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
		} else if (insn_is_jump(&op) && !pushed && !jumped) {
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

bool wazero_entry(struct cursor c, struct wazero_entry *ret)
{
	static const struct {
		const char *code;
		uint8_t len;
		struct wazero_entry entry;
	} entries[] = {
		{ "\x4c\x8b\x5c\x24\x08" /* mov 8(%rsp),%r11 */
		  "\x4c\x8b\x74\x24\x10" /* mov 16(%rsp),%r14 */
		  "\x48\x8b\x44\x24\x18" /* mov 24(%rsp),%rax */
		  "\x48\x8b\x5c\x24\x20" /* mov 32(%rsp),%rbx */
		  "\x4c\x8b\x64\x24\x28" /* mov 40(%rsp),%r12 */
		  "\x4c\x8b\x6c\x24\x30" /* mov 48(%rsp),%r13 */
		  "\x41\xff\xe3" /* jmp *%r11 */,
		  33,
		  { .code = 2 } },
		{ "\x48\x8b\x4c\x24\x08" /* mov 8(%rsp),%rcx */
		  "\x48\x8b\x44\x24\x10" /* mov 16(%rsp),%rax: the execution context */
		  "\x48\x89\x68\x10"     /* mov %rbp,16(%rax) */
		  "\x48\x89\x60\x18"     /* mov %rsp,24(%rax) */
		  "\x48\x8b\x6c\x24\x20" /* mov 32(%rsp),%rbp */
		  "\x48\x8b\x64\x24\x18" /* mov 24(%rsp),%rsp */
		  "\xff\xe1" /* jmp *%rcx */,
		  30,
		  { .sp = 3 } },
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		if (cursor_left(&c) < entries[i].len ||
		    memcmp(c.data + c.pos, entries[i].code, entries[i].len))
			continue;
		*ret = entries[i].entry;
		return true;
	}
	return false;
}

#endif
