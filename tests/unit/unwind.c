/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the leaf's missing caller, in the code of a real Go program. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/unwind/callback.h"
#include "profiler/unwind/callsite.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/arch.h"
#include "profiler/unwind/pieces.h"
#include "profiler/unwind/unwind.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

enum { SP = 0x10000 };

static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct space *space;
static struct sample *sample;
static struct pieces stack;
static pid_t pid;
static int in;

/* Where a function is in the process; 0: not yet, or nowhere. */
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
	symbolizer = symbolizer_new(strs);
	pid = start_go(go_binary(), &in);
	/* until it has called exec and is mapped */
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(space_open(&space, symbolizer, pid), 0);
		if (find("runtime.main") && space_is_go(space, find("runtime.main")))
			break;
		space_close(space);
		space = NULL;
		usleep(5000);
	}
	cr_assert(space);
	sample = calloc(1, sizeof(*sample) + 8 * MAX_USER_WORDS);
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

static bool spdelta(struct space *sp, uint64_t pc, uint32_t *ret)
{
	struct go_pc f;

	if (!space_go_pc(sp, pc, &f) || !f.has_spdelta)
		return false;
	*ret = f.spdelta;
	return true;
}

/* An address in the function where the return address is d bytes above SP; *d at least
 * min. */
static uint64_t pc_with_frame(const char *name, uint32_t min, uint32_t *d)
{
	uint64_t entry = entry_of(name);

	for (uint64_t pc = entry; pc < entry + 4096; pc++)
		if (spdelta(space, pc, d) && *d >= min)
			return pc;
	cr_assert(false, "no frame of %u bytes in %s", min, name);
	return 0;
}

/* A return address in a function that has its frame there. */
static uint64_t call_in(const char *name)
{
	uint32_t d;

	return pc_with_frame(name, 16, &d) + 1;
}

/* A chain of these return addresses that begins with the record at fp; each record is
 * where pclntab says that its function keeps it. `more` follows. */
static void add_chain(uint64_t fp, int n, const uint64_t *pcs)
{
	__u64 *chain = sample->pcs + sample->n_words;
	uint32_t d = 0;

	sample->chain_fp = fp;
	for (int i = 0; i < n; i++) {
		cr_assert(i == n - 1 || spdelta(space, pcs[i] - 1, &d));
		chain[i] = pcs[i];
		if (i < n - 1)
			chain[i] |= (__u64)(d + 8) << (CHAIN_PC_BITS - 3);
	}
	sample->n_user = (__u16)n;
}

/* Where a function keeps its caller's record if SP is cfa after its return. */
static uint64_t record_of(uint64_t ra, uint64_t cfa)
{
	uint32_t d = 0;

	cr_assert(spdelta(space, ra - 1, &d));
	return cfa + d - 8;
}

static void expect_stack(const uint64_t *pcs, uint32_t n, bool broken)
{
	pieces_find(&stack, space, NULL, sample);
	cr_assert_eq(stack.n, n, "%u frames", stack.n);
	for (uint32_t i = 0; i < n; i++)
		cr_expect_eq(stack.pcs[i], pcs[i], "frame %u", i);
	cr_expect_eq(stack.broken, broken);
	cr_expect_not(stack.cut);
}

Test(unwind, caller_of_a_function_without_frame_is_put_back)
{
	uint64_t caller = call_in("runtime.main"), root = entry_of("runtime.goexit") + 1;
	uint64_t want[] = { entry_of("runtime.memmove"), caller, root };

	sample->ip = want[0]; /* at an entry the return address is at SP */
	sample->pcs[0] = caller;
	sample->fp = record_of(caller, SP + 8);
	add_chain(sample->fp, 1, &root);
	expect_stack(want, 3, false);
}

Test(unwind, complete_frame_keeps_its_chain)
{
	uint64_t want[3] = { 0, call_in("runtime.main"), entry_of("runtime.goexit") + 1 };
	uint32_t d;

	want[0] = sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP + d - 8;
	add_chain(sample->fp, 2, want + 1);
	expect_stack(want, 3, false);
}

/* A record that is not where pclntab says is not a caller's: data looked like a frame
 * pointer. */
Test(unwind, record_at_another_place_is_not_believed)
{
	uint64_t want[3] = { 0, call_in("runtime.main"), entry_of("runtime.goexit") + 1 };
	uint32_t d;

	want[0] = sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP + d - 8;
	add_chain(sample->fp, 2, want + 1);
	sample->pcs[sample->n_words] += 1ull << CHAIN_PC_BITS;
	expect_stack(want, 2, true);
}

Test(unwind, word_that_is_no_code_is_not_a_caller)
{
	uint64_t leaf = entry_of("runtime.memmove");

	sample->ip = leaf;
	sample->pcs[0] = 0x1234;
	sample->fp = SP + 64;
	add_chain(sample->fp, 1, &(uint64_t){ entry_of("runtime.goexit") + 1 });
	expect_stack(&leaf, 1, true);
}

/* The frame pointer holds data: pclntab leads through the copy of the stack. */
Test(unwind, copied_stack_needs_no_frame_pointers)
{
	uint64_t want[4] = { 0, call_in("runtime.schedule"), call_in("runtime.main"),
			     entry_of("runtime.goexit") + 1 };
	uint64_t sp = SP;
	uint32_t d;

	sample->n_words = 512;
	want[0] = sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = 0xdeadbeef;
	for (int i = 1; i < 4; i++) {
		sp += d;
		cr_assert_lt(sp, SP + 512 * 8);
		sample->pcs[(sp - SP) / 8] = want[i];
		sp += 8;
		spdelta(space, want[i] - 1, &d);
	}
	expect_stack(want, 4, false);

	sample->n_words = (__u16)((sp - SP) / 8 - 1); /* the copy ends too soon */
	expect_stack(want, 3, true);

	/* and the chain continues if it begins at a frame of the copy or above */
	add_chain(sp - 16, 1, &want[3]);
	expect_stack(want, 4, false);
	sample->chain_fp += 8;
	expect_stack(want, 3, true);
}

/* The chain leaves the stack: a copy follows, then the chain again. */
Test(unwind, copy_behind_a_chain)
{
	uint64_t want[4] = { 0, call_in("runtime.schedule"), call_in("runtime.main"),
			     entry_of("runtime.goexit") + 1 };
	__u64 *chain = sample->pcs + sample->n_words;
	uint64_t at;
	uint32_t d;

	want[0] = sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP + d - 8;
	add_chain(sample->fp, 1, want + 1);
	at = sample->fp + 16;
	spdelta(space, want[1] - 1, &d);
	chain[1] = CHAIN_WORDS;
	chain[2] = at;
	chain[3] = d / 8 + 1;
	chain[4] = record_of(want[2], at + d + 8);
	chain[5 + d / 8] = want[2];
	chain[6 + d / 8] = want[3];
	sample->n_user = (__u16)(7 + d / 8);
	expect_stack(want, 4, false);

	chain[3] = 4096; /* more than the sample has */
	expect_stack(want, 2, true);
	sample->n_user = 2; /* a mark without its operands */
	expect_stack(want, 2, true);
}

Test(unwind, without_a_space_the_chain_is_taken_as_it_is)
{
	sample->ip = 0x1000;
	sample->pcs[sample->n_words] = 0x2000 | 2ull << CHAIN_PC_BITS;
	sample->pcs[sample->n_words + 1] = 0x3000;
	sample->n_user = 2;
	pieces_find(&stack, NULL, NULL, sample);
	cr_expect_eq(stack.n, 3);
	cr_expect_eq(stack.pcs[1], 0x2000);
	cr_expect_eq(stack.pcs[2], 0x3000);
}

/* duffzero and duffcopy get a frame, below SP, before they are called. */
Test(unwind, fake_frame_of_duffzero_hides_nobody)
{
	uint64_t want[3] = { 0, call_in("runtime.main"), entry_of("runtime.goexit") + 1 };
	uint32_t d;

	want[0] = sample->ip = pc_with_frame("runtime.mallocgc", 16, &d);
	sample->fp = SP - 16;
	add_chain(SP + d - 8, 2, want + 1); /* the kernel side begins at the real one */
	expect_stack(want, 3, false);
}

/* morestack is called by functions that have no frame yet. */
Test(unwind, both_callers_of_morestack_are_put_back)
{
	uint64_t want[4] = { entry_of("runtime.morestack_noctxt"), 0,
			     call_in("runtime.schedule"), entry_of("runtime.goexit") + 1 };
	uint32_t d;

	/* after the call: in a function that checks its stack only a jump follows it */
	for (uint64_t pc = entry_of("runtime.main") + 64;
	     !want[1] && pc < entry_of("runtime.main") + 2048; pc++)
		if (spdelta(space, pc, &d) && !d)
			want[1] = pc + 1;
	cr_assert(want[1]);
	sample->ip = want[0];
	sample->pcs[0] = want[1];
	sample->pcs[1] = want[2];
	sample->fp = record_of(want[2], SP + 16);
	add_chain(sample->fp, 1, &want[3]);
	expect_stack(want, 4, false);
}

/* On another stack: the goroutine's own stack follows, from where it was left. */
Test(unwind, resumed_stack_follows)
{
	uint64_t caller = call_in("runtime.main");
	__u64 *p;

	sample->ip = entry_of("runtime.systemstack");
	sample->fp = 0;
	sample->n_words = 0;
	sample->resume = RESUME_SCHED;
	sample->resume_pc = entry_of("runtime.systemstack_switch") + 1;
	sample->resume_sp = sample->resume_fp = 2 * SP; /* it has a frame: Go 1.21 */
	sample->resume_chain_fp = 2 * SP;
	sample->n_resume_words = 1;
	sample->n_resume = 1;
	p = sample->pcs;
	p[0] = 77;
	p[1] = caller;
	pieces_find(&stack, space, NULL, sample);
	cr_assert_eq(stack.n - stack.own, 2);
	cr_expect_eq(stack.pcs[stack.own], sample->resume_pc);
	cr_expect_eq(stack.pcs[stack.own + 1], caller);

	p[0] = call_in("runtime.schedule"); /* it has none: the return address is at SP */
	sample->resume_chain_fp = sample->resume_fp = record_of(p[0], 2 * SP + 8);
	pieces_find(&stack, space, NULL, sample);
	cr_assert_eq(stack.n - stack.own, 3);
	cr_expect_eq(stack.pcs[stack.own + 1], p[0]);
	cr_expect_eq(stack.pcs[stack.own + 2], caller);
}

/* A chain of any two return addresses. */
static void set_chain(uint64_t fp, uint64_t first, uint64_t second)
{
	__u64 *chain = sample->pcs + sample->n_words;

	sample->chain_fp = fp;
	chain[0] = first | 2ull << CHAIN_PC_BITS;
	chain[1] = second;
	sample->n_user = 2;
}

/* The list of addresses, whether it is complete, and why not. */
Test(unwind, a_stack_ends_at_its_root_or_says_why_not)
{
	uint64_t caller = call_in("runtime.main"), root = entry_of("runtime.goexit") + 1;
	struct stack *st = calloc(1, sizeof(*st));
	const uint64_t want[] = { entry_of("runtime.memmove"), caller - 1, root - 1 };

	sample->ip = want[0];
	sample->pcs[0] = caller;
	sample->fp = record_of(caller, SP + 8);
	set_chain(sample->fp, root, caller);
	stack_unwind(st, space, NULL, sample);
	cr_expect(st->complete);
	cr_assert_eq(st->n, 3, "nothing calls goexit: %u", st->n);
	cr_expect_arr_eq(st->pcs, want, sizeof(want));

	sample->flags = SAMPLE_GSIGNAL; /* what a handler interrupted is unknown */
	stack_unwind(st, space, NULL, sample);
	cr_expect_not(st->complete);
	cr_expect_eq(st->pcs[3], STACK_GAP);

	sample->flags = 0;
	sample->n_user = 0; /* there is no record where main keeps its own */
	stack_unwind(st, space, NULL, sample);
	cr_expect(!st->complete && st->end == END_BROKEN, "%d", st->end);
	cr_assert_eq(st->n, 3);
	cr_expect_eq(st->pcs[2], STACK_GAP);
	sample->flags = SAMPLE_STACK_FAULT;
	stack_unwind(st, space, NULL, sample);
	cr_expect(!st->complete && st->end == END_FAULT, "%d", st->end);
	sample->flags = SAMPLE_CUT | SAMPLE_STACK_FAULT;
	stack_unwind(st, space, NULL, sample);
	cr_expect(!st->complete && st->end == END_DEEP, "%d", st->end);

	/* a chain has to lead to code */
	sample->flags = 0;
	sample->pcs[0] = 0;
	sample->ip = (uint64_t)(uintptr_t)st;
	set_chain(sample->fp, 0x1235, root);
	stack_unwind(st, space, NULL, sample);
	cr_expect(!st->complete && st->n == 2 && st->pcs[1] == STACK_GAP, "%u", st->n);
	cr_expect_eq(st->stray, 0x1234);
	free(st);
}

enum { HANDLER_SP = 0x70000 };

/* Where Go's signal handlers return to. */
static uint64_t restorer(void)
{
	uint64_t entry = find("runtime.sigreturn__sigaction"); /* Go 1.20 */

	return entry ? entry : entry_of("runtime.sigreturn");
}

/* A handler that the kernel called: runtime.sighandler below sigtramp. Returns where the
 * ucontext is. */
static uint64_t put_handler(struct sample *s, uint64_t *leaf, uint64_t *tramp)
{
	__u64 *regs = s->pcs + sample_handler_at(s);
	uint32_t d, d2;
	uint64_t uc;

	*leaf = pc_with_frame("runtime.sighandler", 16, &d);
	*tramp = pc_with_frame("runtime.sigtramp", 8, &d2) + 1;
	uc = HANDLER_SP + d + 8 + d2 + 8;
	memset(regs, 0, C_REGS * 8 + uc - HANDLER_SP);
	regs[7] = HANDLER_SP;
	regs[16] = *leaf;
	regs[C_REGS + d / 8] = *tramp;
	s->n_handler_words = (__u16)(C_REGS + (uc - HANDLER_SP) / 8);
	s->handler_uc = uc;
	s->flags = SAMPLE_HANDLER;
	return uc;
}

Test(unwind, handler_stands_above_what_it_has_interrupted)
{
	uint64_t caller = call_in("runtime.main"), root = entry_of("runtime.goexit") + 1;
	uint64_t want[] = { entry_of("runtime.memmove"), caller, root }, leaf, tramp, uc;

	sample->ip = want[0];
	sample->pcs[0] = caller;
	sample->fp = record_of(caller, SP + 8);
	add_chain(sample->fp, 1, &root);
	uc = put_handler(sample, &leaf, &tramp);
	expect_stack(want, 3, false);
	cr_assert(stack.handled);
	cr_assert_eq(stack.n_handler, 2);
	cr_expect_eq(stack.handler[0], leaf);
	cr_expect_eq(stack.handler[1], tramp);

	/* before its first instruction, and when it has returned */
	sample->pcs[sample_handler_at(sample) + 16] = entry_of("runtime.sigtramp");
	sample->pcs[sample_handler_at(sample) + 7] = uc - 8;
	sample->n_handler_words = C_REGS + 1;
	expect_stack(want, 3, false);
	cr_expect(stack.handled && stack.n_handler == 1);
	sample->pcs[sample_handler_at(sample) + 16] = restorer();
	sample->pcs[sample_handler_at(sample) + 7] = uc;
	sample->n_handler_words = C_REGS;
	expect_stack(want, 3, false);
	cr_expect(stack.handled && stack.n_handler == 1);
}

/* Memory that only looks like a ucontext: the handler does not lead there. */
Test(unwind, handler_that_leads_elsewhere_says_nothing_of_what_it_interrupted)
{
	uint64_t leaf, tramp, uc;
	__u16 n;

	sample->ip = entry_of("runtime.memmove");
	uc = put_handler(sample, &leaf, &tramp);
	n = sample->n_handler_words;
	for (int64_t off = -64; off <= 64; off += 8) {
		sample->handler_uc = uc + (uint64_t)off;
		sample->n_handler_words = (__u16)(n + off / 8);
		pieces_find(&stack, space, NULL, sample);
		cr_expect_eq(stack.handled, !off, "%ld", off);
	}
	sample->handler_uc = uc;
	for (__u16 i = 0; i < 2 * n; i++) {
		sample->n_handler_words = i;
		pieces_find(&stack, space, NULL, sample);
		cr_expect_eq(stack.handled, i == n, "%u of %u words", i, n);
	}
}

Test(unwind, handler_with_any_words_reads_no_others)
{
	static const char *const names[] = { "runtime.sighandler", "runtime.sigtramp",
					     "runtime.systemstack", "runtime.memmove",
					     "runtime.goexit" };
	uint64_t entries[6] = { restorer() };
	struct cunwind *u;

	u = cunwind_new();
	for (int i = 1; i < 6; i++)
		entries[i] = entry_of(names[i - 1]);
	for (int i = 0; i < 20000; i++) {
		uint32_t words = (uint32_t)rand() % 64;
		struct sample *s = calloc(1, sizeof(*s) + (C_REGS + words) * 8);

		for (uint32_t k = 0; k < C_REGS + words; k++)
			s->pcs[k] = rand() % 2 ? entries[rand() % 6] + (uint64_t)rand() % 90
				    : rand() % 8 ? HANDLER_SP + 8 * ((uint64_t)rand() % 70)
						 : -(uint64_t)rand() % 512;
		s->ip = entries[4];
		s->sp = SP;
		s->flags = SAMPLE_HANDLER;
		s->n_handler_words = (__u16)(C_REGS + words);
		s->handler_uc = s->pcs[7] + words * 8 - (rand() % 8 ? 0 : 8);
		pieces_find(&stack, space, u, s);
		cr_assert_leq(stack.n_handler, HANDLER_PCS);
		free(s);
	}
	cunwind_free(u);
}

static int no_function(void *arg, const struct func *f)
{
	(void)f;
	return ++*(int *)arg;
}

/* A process may be gone before anything can be read. */
Test(unwind, nothing_is_known_of_a_process_that_is_gone)
{
	static const struct elf empty;
	const struct object nothing = { .path = (char *)"" };
	uint64_t leaf = entry_of("runtime.memmove"), unused, pcs[8];
	struct callees callees = { .elf = &empty };
	struct frame f[FRAMES_AT_PC];
	struct go_program program;
	struct callbacks callbacks;
	struct callee callee;
	enum cunwind_end end;
	bool unmapped = false;
	struct cunwind *u;
	struct go_pc pc;
	uint32_t n = 0;
	int calls = 0;

	u = cunwind_new();
	cr_expect_eq(symbolizer_user(symbolizer, NULL, leaf, f, FRAMES_AT_PC, &unmapped),
		     1);
	cr_expect(unmapped);
	cr_expect_not(space_go_pc(NULL, leaf, &pc));
	cr_expect_not(pc.mapped || pc.entry);
	cr_expect_not(gocall_target(NULL, leaf, &unused));
	cr_expect_not(gocall_may_be_of(NULL, leaf, leaf));
	cr_expect_not(gocall_by_register(NULL, leaf));
	cr_expect_not(gocall_is_assembly(NULL, leaf));
	cr_expect_not(gocall_follow(NULL, leaf, UINT64_MAX, 1, leaf + 1, NULL, NULL));
	cr_expect_eq(prologue_saved(NULL, leaf, 12), 0);
	cr_expect_not(space_is_go(NULL, leaf));
	cr_expect_null(space_object(NULL, leaf, &unused));
	cr_expect_null(space_go(NULL, &unused));
	cr_expect_null(space_exe(NULL));
	cr_expect_eq(space_start_function(NULL, leaf), 0);
	cr_expect_eq(space_functions(NULL, no_function, &calls), 0);
	space_program(NULL, &program);
	cr_expect_null(program.version);
	space_close(NULL);

	for (int i = 0; i < 2; i++) {
		const struct object *o = i ? &nothing : NULL;

		cr_expect_not(is_trampoline(o, leaf));
		cr_expect_not(is_first_function(o, leaf, true));
		callee = callee_at(&callees, o, leaf);
		cr_expect_eq(callsite_find(NULL, leaf, &callee), CALLSITE_NONE);
		cr_expect_not(callee_is(NULL, leaf, &callee));
	}
	for (uint32_t flags = 0; flags < 1 << 16; flags += 1 << 4) {
		for (uint16_t resume = RESUME_NONE; resume <= RESUME_SWITCHED; resume++) {
			struct cstack c = { .regs = { [16] = leaf } };

			sample->flags = flags;
			sample->resume = resume;
			sample->ip = sample->resume_pc = leaf;
			sample->n_c_words = C_REGS + 4;
			sample->c_sp = sample->g0_sp = SP;
			pieces_find(&stack, NULL, u, sample);
			cr_expect_eq(stack.pcs[0], leaf);
			callbacks = (struct callbacks){ .u = u, .s = sample, .sp = SP };
			callbacks_next(&callbacks, leaf, true, pcs, 8, &end);
			cr_expect_eq(end, CUNWIND_BROKEN);
			cr_expect_eq(cunwind(u, NULL, &c, pcs, 8, &n), CUNWIND_BROKEN);
		}
	}
	cunwind_free(u);
}
