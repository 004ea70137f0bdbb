/* SPDX-License-Identifier: BSD-2-Clause */
/* The leaf's missing caller, on the code of a real Go program. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/unwind.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"
#include "tests/go_binary.h"

enum { SP = 0x10000 };

static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct space *space;
static struct sample *sample;
static struct stack stack;
static pid_t pid;
static int in;

/* Where a function is in the process; 0: not yet, or there is none. */
static uint64_t find(const char *name)
{
	uint64_t entry, bias;
	const struct object *o = space_go(space, &bias);
	uint32_t len;

	return o && gopclntab_function(o->go, name, &entry, &len) ? entry + bias : 0;
}

static void setup(void)
{
	strs = strtab_new();
	cr_assert_eq(symbolizer_open(&symbolizer, strs), 0);
	pid = start_go(go_binary(), &in);
	/* until it is the Go program, whole, and no fork of ours */
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(space_open(&space, symbolizer, pid), 0);
		if (find("runtime.main") && space_is_go(space, find("runtime.main")))
			break;
		space_close(space);
		space = NULL;
		usleep(5000);
	}
	cr_assert(space);
	sample = calloc(1, sizeof(*sample) + 8 * (COPY_WORDS + MAX_USER_PCS));
	sample->sp = SP;
	sample->n_words = LEAF_WORDS;
}

static void teardown(void)
{
	free(sample);
	space_close(space);
	stop_go(pid, in);
	symbolizer_close(symbolizer);
	strtab_free(strs);
}

TestSuite(unwind, .init = setup, .fini = teardown);

static uint64_t entry_of(const char *name)
{
	uint64_t entry = find(name);

	cr_assert(entry, "%s", name);
	return entry;
}

/* An address in the function where the return address is d bytes above SP; *d at least min. */
static uint64_t pc_with_frame(const char *name, uint32_t min, uint32_t *d)
{
	uint64_t entry = entry_of(name);

	for (uint64_t pc = entry; pc < entry + 4096; pc++)
		if (space_spdelta(space, pc, d) && *d >= min)
			return pc;
	cr_assert(false, "no frame of %u bytes in %s", min, name);
	return 0;
}

static void add_chain(int n, const uint64_t *pcs)
{
	memcpy(sample->pcs + sample->n_words, pcs, (size_t)n * 8);
	sample->n_user = (__u16)n;
}

Test(unwind, caller_of_a_function_without_frame_is_put_back)
{
	uint64_t caller = entry_of("runtime.main") + 9,
		 root = entry_of("runtime.goexit") + 1;

	sample->ip = entry_of("runtime.memmove"); /* d is 0 at an entry */
	sample->pcs[0] = caller;
	sample->fp = SP + 64; /* the caller's */
	add_chain(1, &root);
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[0], sample->ip);
	cr_expect_eq(stack.pcs[1], caller);
	cr_expect_eq(stack.pcs[2], root);
	cr_expect(!stack.broken && !stack.cut);
}

Test(unwind, complete_frame_keeps_its_chain)
{
	uint64_t chain[] = { entry_of("runtime.main") + 9, entry_of("runtime.goexit") + 1 };
	uint32_t d;

	sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP + d - 8; /* CFA - 16 */
	add_chain(2, chain);
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[1], chain[0]);
	cr_expect_eq(stack.pcs[2], chain[1]);
}

Test(unwind, word_that_is_no_code_is_not_a_caller)
{
	sample->ip = entry_of("runtime.memmove");
	sample->pcs[0] = 0x1234;
	sample->fp = SP + 64;
	add_chain(1, &(uint64_t){ entry_of("runtime.goexit") + 1 });
	stack_unwind(&stack, space, NULL, sample);
	cr_expect_eq(stack.n, 1);
	cr_expect(stack.broken);
}

/* The frame pointer holds data: the chain goes on where the prologue has saved it. */
Test(unwind, chain_in_the_copied_stack)
{
	uint64_t caller = entry_of("runtime.main") + 9,
		 root = entry_of("runtime.goexit") + 1;
	uint32_t d;

	sample->n_words = COPY_WORDS;
	sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = 0xdeadbeef;
	sample->pcs[d / 8] = caller;
	sample->pcs[d / 8 - 1] = SP + 8 * 300; /* caller's frame pointer */
	sample->pcs[300] = 0;
	sample->pcs[301] = root;
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[1], caller);
	cr_expect_eq(stack.pcs[2], root);
	cr_expect(!stack.broken);

	sample->pcs[300] = SP + 8 * 300; /* a frame that is its own caller */
	stack_unwind(&stack, space, NULL, sample);
	cr_expect_eq(stack.n, 3);
	cr_expect(stack.broken);

	sample->pcs[d / 8 - 1] = SP + 8 * (COPY_WORDS - 1); /* its second word is outside */
	stack_unwind(&stack, space, NULL, sample);
	cr_expect_eq(stack.n, 2);
	cr_expect(stack.broken);
}

Test(unwind, without_a_space_the_chain_is_taken_as_it_is)
{
	sample->ip = 0x1000;
	add_chain(2, (uint64_t[]){ 0x2000, 0x3000 });
	stack_unwind(&stack, NULL, NULL, sample);
	cr_expect_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[2], 0x3000);
}

/* duffzero and duffcopy get a frame, below SP, before they are called. */
Test(unwind, fake_frame_of_duffzero_hides_nobody)
{
	uint64_t chain[] = { entry_of("runtime.main") + 9, entry_of("runtime.goexit") + 1 };
	uint32_t d;

	sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP - 16;
	add_chain(2, chain);
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[0], sample->ip);
	cr_expect_eq(stack.pcs[1], chain[0]);
	cr_expect_eq(stack.pcs[2], chain[1]);
	cr_expect_not(stack.broken);
}

/* morestack is called by functions that have no frame yet. */
Test(unwind, both_callers_of_morestack_are_put_back)
{
	uint64_t root = entry_of("runtime.goexit") + 1, f = 0;
	uint32_t d;

	/* after the call, which is the last thing but a jump in a function that checks its stack */
	for (uint64_t pc = entry_of("runtime.main") + 64;
	     !f && pc < entry_of("runtime.main") + 2048; pc++)
		if (space_spdelta(space, pc, &d) && !d)
			f = pc + 1;
	cr_assert(f);
	sample->ip = entry_of("runtime.morestack_noctxt");
	sample->pcs[0] = f;
	sample->pcs[1] = entry_of("runtime.mallocgc") + 9;
	sample->fp = SP + 64;
	add_chain(1, &root);
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, 4);
	cr_expect_eq(stack.pcs[1], f);
	cr_expect_eq(stack.pcs[2], sample->pcs[1]);
	cr_expect_eq(stack.pcs[3], root);
}

/* On another stack than the goroutine's: that one follows, from where it was left. */
Test(unwind, resumed_stack_follows)
{
	uint64_t chain = entry_of("runtime.main") + 9;
	__u64 *p;

	sample->ip = entry_of("runtime.systemstack");
	sample->fp = 0;
	sample->n_words = 0;
	sample->resume = RESUME_SCHED;
	sample->resume_pc = entry_of("runtime.systemstack_switch") + 1;
	sample->resume_sp = sample->resume_fp = 2 * SP; /* it has a frame: Go 1.21 */
	sample->n_resume_words = 1;
	sample->n_resume = 1;
	p = sample->pcs;
	p[0] = 77;
	p[1] = chain;
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n_resume, 2);
	cr_expect_eq(stack.pcs[stack.n], sample->resume_pc);
	cr_expect_eq(stack.pcs[stack.n + 1], chain);

	sample->resume_fp = 2 * SP + 64; /* it has none: the return address is at SP */
	p[0] = entry_of("runtime.mallocgc") + 9;
	stack_unwind(&stack, space, NULL, sample);
	cr_assert_eq(stack.n_resume, 3);
	cr_expect_eq(stack.pcs[stack.n + 1], p[0]);
	cr_expect_eq(stack.pcs[stack.n + 2], chain);
}
