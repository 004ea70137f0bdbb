/* SPDX-License-Identifier: BSD-2-Clause */
/* Where functions save registers, with what compilers put between the pushes. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/unwind/arch.h"
#include "symbolizer/symbolizer.h"

enum { RBP = 6, R12 = 12, R13 = 13 };

#define BEGIN(name) ".text; .type " #name ", @function; " #name ":\n"

void all_at_once(void), between(void), jumps(void), late(void), moves_sp(void), never(void);

asm(BEGIN(
	all_at_once) "push %r15; push %r14; push %r13; push %r12; push %rbp; push %rbx\n"
		     "sub $24, %rsp; ret\n" BEGIN(
			     between) "push %r13; mov %rcx, %r13; movabs $0x100000000000, %rax; push %r12\n"
				      "mov %rdi, %r12; mov $0x2c0, %edi; xor %esi, %esi; mov 4(%rdi, %rax, 8), %ecx\n"
				      "lea 0x1234(%rip), %rdx; test %eax, %eax; mov %rcx, -8(%rsp); push %rbp; ret\n" BEGIN(
					      jumps) "mov %rsi, %rdx; xor %esi, %esi\n"
						     ".byte 0xe9; .long all_at_once - . - 4\n" BEGIN(late) "push %rbx; test %rdi, %rdi; je 1f; ret; 1: push %r12; ret\n" BEGIN(
							     moves_sp) "push %r13; lea -16(%rsp), %rsp; push %r12; ret\n" BEGIN(never) "push %rbx; mov %rdi, %rbx; call all_at_once; push %r12; ret\n");

Test(prologue, registers_are_found_where_they_are_pushed)
{
	struct strtab *strs = strtab_new();
	struct symbolizer *sy;
	struct space *space;
	const struct {
		void (*f)(void);
		uint32_t reg, saved;
	} rows[] = {
		{ all_at_once, R12, 4 }, { all_at_once, R13, 3 }, { all_at_once, RBP, 5 },
		{ between, R13, 1 },     { between, R12, 2 },     { between, RBP, 3 },
		{ jumps, R12, 4 },       { late, R12, 0 },        { moves_sp, R13, 1 },
		{ moves_sp, R12, 0 },    { never, R12, 0 },       { never, 3, 1 },
	};

	sy = symbolizer_new(strs);
	cr_assert_eq(space_open(&space, sy, getpid()), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(prologue_saved(space, (uintptr_t)rows[i].f, rows[i].reg),
			     rows[i].saved, "row %zu", i);
	cr_expect_eq(prologue_saved(space, 0x10, R12), 0);
	space_close(space);
	symbolizer_close(sy);
	strtab_free(strs);
}
