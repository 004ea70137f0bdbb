/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that a signal has interrupted, from untrusted bytes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "profiler/unwind/arch.h"

enum { NEEDED = 40 + 17 * 8, FPU_NEEDED = 224 + 8 };

/* compilers believe that raise() does not call us */
static volatile uint64_t uc_addr;
static volatile bool looks_like_one;

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	const greg_t *r = ((ucontext_t *)uc)->uc_mcontext.gregs;
	struct stack_copy copy = { (uint64_t)(uintptr_t)uc, uc, NEEDED }, moved;
	uint64_t regs[17];

	(void)sig;
	(void)info;
	uc_addr = copy.addr;
	cr_expect(ucontext_read(&copy, uc_addr, regs));
	copy.size = FPU_NEEDED;
	moved = copy;
	moved.addr += 8;
	looks_like_one = ucontext_is(&copy, uc_addr) && !ucontext_is(&moved, moved.addr);
	cr_expect_eq(regs[0], r[REG_RAX]);
	cr_expect_eq(regs[3], r[REG_RBX]);
	cr_expect_eq(regs[6], r[REG_RBP]);
	cr_expect_eq(regs[7], r[REG_RSP]);
	cr_expect_eq(regs[8], r[REG_R8]);
	cr_expect_eq(regs[15], r[REG_R15]);
	cr_expect_eq(regs[16], r[REG_RIP]);
}

/* Frames of this kernel, on the thread's stack and on an alternate one. */
Test(ucontext, is_what_the_kernel_leaves)
{
	static char memory[64 << 10];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };

	cr_assert_eq(sigaltstack(&stack, NULL), 0);
	for (int on_stack = 0; on_stack < 2; on_stack++) {
		struct sigaction a = { .sa_sigaction = on_signal,
				       .sa_flags = SA_SIGINFO |
						   (on_stack ? SA_ONSTACK : 0) };

		looks_like_one = false;
		sigaction(SIGUSR1, &a, NULL);
		raise(SIGUSR1);
		cr_expect(looks_like_one);
		cr_expect_eq(uc_addr - (uint64_t)(uintptr_t)memory < sizeof(memory),
			     on_stack);
	}
}

Test(ucontext, nothing_outside_the_copy_is_read)
{
	static const uint64_t far[] = { UINT64_MAX,     UINT64_MAX - 39, UINT64_MAX - 175,
					1ull << 63,     UINT32_MAX,      1ull << 32,
					-(uint64_t)224, -(uint64_t)232 };
	const uint64_t uc = UINT64_MAX - 448; /* so that the address of its FPU is ~0 */
	uint64_t regs[17];

	for (uint32_t size = 0; size < 300; size++) {
		uint8_t *bytes = malloc(size ? size : 1); /* ASan knows where it ends */

		memset(bytes, 0xff, size);
		for (uint64_t at = 0; at < 310; at++) {
			struct stack_copy copy = { uc - at, bytes, size };

			cr_assert_eq(ucontext_read(&copy, uc, regs), at + NEEDED <= size,
				     "%u %lu", size, at);
			cr_assert_eq(ucontext_is(&copy, uc), at + FPU_NEEDED <= size,
				     "%u %lu", size, at);
		}
		for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++) {
			struct stack_copy copy = { uc - far[i], bytes, size };

			cr_assert_not(ucontext_read(&copy, uc, regs));
			cr_assert_not(ucontext_is(&copy, uc));
		}
		free(bytes);
	}
}
