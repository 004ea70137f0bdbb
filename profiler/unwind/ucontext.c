/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/ucontext.h"

#include <string.h>

enum {
	REGS_AT = 40,
	REGS = 17,
	FPU_AT = 224, /* the address of the FPU's state, which lies behind */
	FPU = 448,
};

bool ucontext_read(const uint8_t *bytes, uint32_t size, uint64_t at, uint64_t regs[17])
{
	/* r8 … r15 rdi rsi rbp rbx rdx rax rcx rsp rip */
	static const uint8_t order[REGS] = { 8, 9, 10, 11, 12, 13, 14, 15, 5,
					     4, 6, 3,  1,  0,  2,  7,  16 };

	if (at > size || size - at < REGS_AT + REGS * 8)
		return false;
	for (int i = 0; i < REGS; i++)
		memcpy(&regs[order[i]], bytes + at + REGS_AT + 8 * i, 8);
	return true;
}

bool ucontext_is(const uint8_t *bytes, uint32_t size, uint64_t at, uint64_t addr)
{
	uint64_t fpu;

	if (at > size || size - at < FPU_AT + sizeof(fpu))
		return false;
	memcpy(&fpu, bytes + at + FPU_AT, sizeof(fpu));
	return fpu == addr + FPU;
}
