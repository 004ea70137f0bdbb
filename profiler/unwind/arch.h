/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the unwinder knows of an architecture, as far as user space goes: registers,
 * frames, the instructions that call and jump, and what some assembly keeps where.
 * bpf/arch.bpf.h is the same for the kernel side. A port adds a section here and a file
 * beside arch_x86_64.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/cursor.h"
#include "profiler/unwind/stackcopy.h"

struct space;

#if defined(__x86_64__)

/* Registers by their DWARF numbers, as in struct cstack and in the registers of a
 * sample. */
enum {
	REG_FP = 6,
	REG_SP = 7,
	REG_PC = 16, /* also the column of the return address */
	REGS = C_REGS,
	REG_KEPT = 12,   /* holds the goroutine's SP while racecall and the like call C */
	REG_ALIGNED = 3, /* holds SP while sigfwd calls C, for which it is aligned */
};

/*
 * A frame of Go code, by the number of bytes from SP to the return address (pclntab's SP
 * delta):
 *
 *	cfa	SP when the function has returned
 *	cfa-8	the return address, which the call has pushed
 *	cfa-16	the caller's frame pointer: with the return address, the frame record
 */
enum { WORD = 8, CALL_PUSHES = WORD, RECORD_BYTES = 2 * WORD };
enum { STACK_ALIGN = 16 }; /* of SP where C is called */

static inline uint64_t frame_cfa(uint64_t sp, uint32_t spdelta)
{
	return sp + spdelta + CALL_PUSHES;
}

static inline uint64_t frame_return(uint64_t sp, uint32_t spdelta)
{
	return sp + spdelta;
}

static inline uint64_t frame_record(uint64_t sp, uint32_t spdelta)
{
	return frame_cfa(sp, spdelta) - RECORD_BYTES;
}

/* asmcgocall saves SP before it aligns SP for C: so many bytes above the new SP (since Go
 * 1.21, and before). The old SP is at most so far above the new one. */
static const uint8_t asmcgocall_saved[2] = { 0, 40 };
enum { ASMCGOCALL_MAX = 96 };

/* crosscall2, which C calls and which calls cgocallback: above the arguments of that call
 * it saves these registers, in this order, and the frame pointer right below its return
 * address. */
enum { CROSSCALL2_ARGS = 3 * WORD, CROSSCALL2_SAVED = 5 };
static const uint8_t crosscall2_saved[CROSSCALL2_SAVED] = { 3, 12, 13, 14, 15 };

/* purego's callbackasm1 (0.4 to 0.11): from its frame record to the end of its frame. */
enum { PUREGO_FRAME = 17 * WORD };

/* Instructions. A displacement is counted from the end of the instruction. */
enum {
	CALL_LEN = 5, /* of a direct call; its displacement is at its end */
	CALL_REGISTER_LEN =
		2, /* of a call through a register, as Go's assembler encodes it */
	CALL_MAX = 7,
	JUMP_LEN = 5,
	ADDRESS_LEN = 7,
	FUNCTION_ALIGN = 16,
	SYSCALL_LEN = 2,
	DISPLACEMENT_LEN = 4,
};

/* Where an instruction of len bytes at addr leads, by the displacement at its end. */
static inline uint64_t insn_target(const uint8_t *code, uint32_t len, uint64_t addr)
{
	int32_t d;

	memcpy(&d, code + len - DISPLACEMENT_LEN, sizeof(d));
	return addr + len + (uint64_t)(int64_t)d;
}

static inline bool insn_is_call(const uint8_t *p)
{
	return p[0] == 0xe8;
}

/* p[0, 2): call *reg */
static inline bool insn_is_call_register(const uint8_t *p)
{
	return p[0] == 0xff && (p[1] & 0xf8) == 0xd0;
}

static inline bool insn_is_jump(const uint8_t *p)
{
	return p[0] == 0xe9;
}

/* p[0, 2): jcc */
static inline bool insn_is_branch(const uint8_t *p)
{
	return p[0] == 0x0f && (p[1] & 0xf0) == 0x80;
}

/* p[0, 2): lea disp32(%rip), without its prefix */
static inline bool insn_is_address(const uint8_t *p)
{
	return p[0] == 0x8d && (p[1] & 0xc7) == 5;
}

/* p[0, 3): the same into one of the first eight registers */
static inline bool insn_loads_address(const uint8_t *p)
{
	return p[0] == 0x48 && insn_is_address(p + 1);
}

/* The bytes before a return address: a call through a register or a pointer in memory, in
 * any encoding. */
bool insn_is_indirect_call(const uint8_t code[CALL_MAX]);
/* A jump to the address in a slot, as linkers write for functions of other files. Leaves c
 * at the displacement of the slot. */
bool insn_is_stub(struct cursor *c);
/* Where signal handlers return to, from its first instruction on. */
bool insn_is_sigreturn(struct cursor c);
enum { SIGRETURN_SYSCALL = 7 }; /* bytes from there to its system call */
/* Does code end its thread within a few instructions? */
bool insn_exits_soon(struct cursor c);

#elif defined(__aarch64__)
#error "the registers, frames and instructions of arm64 go here"
#else
#error "the unwinder knows nothing of this architecture"
#endif

/*
 * What the kernel leaves on the stack for a signal handler, which returns with SP at it.
 *
 * ucontext_read() reads the registers that the signal has interrupted, by their DWARF
 * numbers, from the ucontext at addr. False: not all of them are in the copy.
 * ucontext_is(): does it look like one?
 */
bool ucontext_read(const struct stack_copy *c, uint64_t addr, uint64_t regs[REGS]);
bool ucontext_is(const struct stack_copy *c, uint64_t addr);

/*
 * For C without unwind tables: how many words below its return address the function at
 * addr, in the process, pushes this register before it changes it. 0: it does not, or it is
 * not understood. A function that begins with a jump to another one saves what that saves.
 */
uint32_t prologue_saved(struct space *space, uint64_t addr, uint32_t reg);

/*
 * wazero's assembly that enters WebAssembly: a call of it, and the return from a Go
 * function that it called. Neither has a frame; their arguments are above the return
 * address. False: code is neither.
 */
struct wazero_entry {
	uint32_t code; /* the number of the argument that is the function called; or 0 */
	uint32_t sp;   /* of the one that is its stack pointer, where it goes on; or 0 */
};
bool wazero_entry(struct cursor code, struct wazero_entry *ret);
