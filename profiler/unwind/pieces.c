/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/pieces.h"

#include <string.h>

#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/sigstack.h"
#include "profiler/unwind/stackswitch.h"
#include "profiler/unwind/wazero.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	PAGE = 4096,
};

/* Appends the goroutine's own stack, of a sample that was taken on another one. */
static void resumed_stack(struct pieces *ret, struct space *space, const struct sample *s)
{
	struct gostack g = gostack_resumed(s);
	uint32_t n = ret->n;

	g.sigpanic_fp = s->sigpanic_fp;
	g.above_sigpanic = &s->above_sigpanic;
	/* The function that switched stacks either has a frame, with whose record the chain
	 * begins (systemstack and asmcgocall since Go 1.21), or it has none, and its return
	 * address is at SP (before, and morestack). */
	if (s->resume == RESUME_SCHED && s->resume_fp == s->resume_sp) {
		g.sp = 0;
	} else if (s->resume == RESUME_SCHED && s->n_resume_words) {
		ret->pcs[ret->n++] = s->resume_pc;
		g.pc = g.words[0];
		g.sp += CALL_PUSHES;
	}
	gounwind(ret, space, &g);
	ret->n_resume = ret->n - n;
	ret->n = n;
}

/* The leaf is assembly of Go's that C has called: makes c its caller's. False: it is
 * not. */
static bool skip_go(struct cstack *c, struct space *space, const struct go_pc *f,
		    const struct sample *s)
{
	uint32_t d = f->spdelta;

	if (!(s->flags & SAMPLE_CGO || s->resume == RESUME_SWITCHED) || f->spwrite ||
	    !f->has_spdelta || d > c->size || c->size - d < CALL_PUSHES)
		return false;
	memcpy(&c->regs[REG_PC], c->bytes + d, 8);
	c->regs[REG_SP] += d + 8;
	c->bytes += d + 8;
	c->size -= d + 8;
	return c->regs[REG_PC] && !space_is_go(space, c->regs[REG_PC]);
}

/* The thread's stack from sp on, as far as it was copied. */
struct cstack cstack_at(const struct sample *s, uint64_t sp)
{
	const __u64 *regs = s->pcs + sample_c_at(s);
	uint64_t size = s->n_c_words > C_REGS ? (s->n_c_words - C_REGS) * 8u : 0;
	struct cstack c = { .size = 0 };

	if (sp % 8 || sp - s->c_sp >= size)
		return c;
	for (int i = 0; i < REGS; i++)
		c.regs[i] = regs[i];
	c.regs[REG_SP] = sp;
	c.bytes = (const uint8_t *)(regs + C_REGS) + (sp - s->c_sp);
	c.size = (uint32_t)(size - (sp - s->c_sp));
	/* c_stack_take() had no room for more, or could not read the next page */
	c.cut = size == C_BYTES || (s->c_sp + size) % PAGE == 0;
	return c;
}

/* Appends C that assembly like racecall has called on the thread's stack, and then the
 * goroutine's own stack. */
static void switched_stack(struct pieces *ret, struct space *space, struct cunwind *u,
			   const struct sample *s, struct cstack *c)
{
	struct stack_switch sw;
	enum cunwind_end end;
	uint32_t n = 0;

	switch_find(&sw, space, c, s);
	c->calls = sw.calls;
	c->n_calls = sw.n_calls;
	end = cunwind(u, space, c, ret->pcs + ret->n, MAX_USER_PCS, &n);
	ret->n += n;
	ret->c = true;
	ret->c_gap = end != CUNWIND_GO || c->regs[REG_SP] != sw.top;
	switch_unwind(ret, space, &sw, c, s, ret->c_gap);
}

enum { G0_RECORDS = 64 };

/* Makes the chain of the frame records from fp on, in n words of the stack at addr. Returns
 * its length. */
static uint32_t chain_of(__u64 chain[G0_RECORDS], const __u64 *words, uint32_t n,
			 uint64_t addr, uint64_t fp)
{
	uint32_t len = 0;

	while (len < G0_RECORDS && fp % 8 == 0 && (fp - addr) / 8 + 1 < n) {
		uint64_t next = words[(fp - addr) / 8], ra = words[(fp - addr) / 8 + 1];
		bool last = next <= fp || next - fp >= CHAIN_NO_RECORD * 8ull;

		if (ra < CHAIN_MARKS || ra >> CHAIN_PC_BITS)
			break;
		chain[len++] = ra | (last ? 0 : next - fp) << (CHAIN_PC_BITS - 3);
		if (last)
			break;
		fp = next;
	}
	return len;
}

/* Go code on the thread's stack has called C right there: continues from pcs[n - 1], whose
 * frame c is. */
static void go_on_g0(struct pieces *ret, struct space *space, const struct cstack *c,
		     const struct sample *s)
{
	const __u64 *words = s->pcs + sample_c_at(s) + C_REGS;
	uint32_t n = s->n_c_words - C_REGS;
	uint64_t fp = c->lost >> REG_FP & 1 ? 0 : c->regs[REG_FP];
	__u64 chain[G0_RECORDS];

	gounwind(ret, space,
		 &(struct gostack){
			 .pc = ret->pcs[--ret->n],
			 .sp = c->regs[REG_SP],
			 .words = words,
			 .n_words = n,
			 .words_at = s->c_sp,
			 .chain = chain,
			 .n_chain = chain_of(chain, words, n, s->c_sp, fp),
			 .chain_fp = fp,
		 });
}

/* The thread's stack, if the sample was taken in C. False: it was not, or cannot be unwound
 * as C. */
static bool c_stack(struct pieces *ret, struct space *space, struct cunwind *u,
		    const struct sample *s)
{
	struct cstack c = cstack_at(s, s->sp);
	uint32_t n = 0, before = 0;
	enum cunwind_end end;
	struct go_pc f;

	if (s->c_sp != s->sp || !c.size || !space)
		return false;
	space_go_pc(space, s->ip, &f);
	if (s->resume == RESUME_SWITCHED && f.spwrite)
		/* false: it is systemstack, about to set SP, which is in the chain */
		return f.kind == FRAME_GO && switch_leaf(ret, space, &c, s);
	if (f.go) {
		if (!skip_go(&c, space, &f, s))
			return false;
		ret->pcs[before++] = s->ip;
	}
	if (s->resume == RESUME_SWITCHED) {
		ret->n = before;
		switched_stack(ret, space, u, s, &c);
		return true;
	}
	end = cunwind(u, space, &c, ret->pcs + before, MAX_USER_PCS, &n);
	ret->n = before + n;
	if (end == CUNWIND_GO && s->flags & SAMPLE_G0 && !(s->flags & SAMPLE_CGO)) {
		go_on_g0(ret, space, &c, s);
		return true;
	}
	ret->c = true;
	ret->c_root = end == CUNWIND_ROOT;
	ret->c_gap = end == CUNWIND_BROKEN || end == CUNWIND_SHORT;
	return true;
}

/* The stack that the thread runs on, as the kernel side has copied it. */
static struct gostack own_stack(const struct sample *s)
{
	return (struct gostack){
		.pc = s->ip,
		.sp = s->sp,
		.fp = s->fp,
		.exact = true,
		.words = s->pcs,
		.n_words = s->n_words,
		.words_at = s->sp,
		.chain = s->pcs + s->n_words,
		.n_chain = s->n_user,
		.chain_fp = s->chain_fp,
		.sigpanic_fp = s->sigpanic_fp,
		.above_sigpanic = &s->above_sigpanic,
	};
}

/* The thread's stack, if Go code there has called the vDSO: the few words at SP lead back
 * to it. */
static bool vdso_stack(struct pieces *ret, struct space *space, struct cunwind *u,
		       const struct sample *s)
{
	struct gostack g = own_stack(s);
	struct cstack c = {
		.regs = { [REG_FP] = s->fp, [REG_SP] = s->sp, [REG_PC] = s->ip },
		.bytes = (const uint8_t *)s->pcs,
		.size = s->n_words * 8u
	};
	uint32_t n = 0;

	if (!(s->flags & SAMPLE_G0) || s->flags & SAMPLE_CGO || !space ||
	    space_is_go(space, s->ip) ||
	    cunwind(u, space, &c, ret->pcs, LEAF_WORDS, &n) != CUNWIND_GO)
		return false;
	ret->n = n - 1;
	g.pc = ret->pcs[n - 1];
	g.sp = c.regs[REG_SP];
	g.exact = false;
	gounwind(ret, space, &g);
	return true;
}

/* Does what was found of the thread's stack end in code of which nothing is known? */
static bool is_bare(const struct space *space, const struct pieces *st)
{
	return st->n && space_code(space, st->pcs[st->n - 1] - (st->n > 1)) == CODE_BARE;
}

/* Is the leaf C on the stack of Go code that has not called it by cgo, such as a handler
 * that was interrupted? It does not keep frame pointers, so the chain may begin anywhere
 * further out. */
static bool is_foreign(struct space *space, const struct sample *s)
{
	uint64_t unused;
	const struct object *o = space_object(space, s->ip, &unused);

	return o && o->elf && !o->vdso && s->goid && !space_is_go(space, s->ip) &&
	       space_runtime(space, 0);
}

void pieces_find(struct pieces *ret, struct space *space, struct cunwind *u,
		 const struct sample *s)
{
	struct gostack g = own_stack(s);
	struct go_pc f;

	ret->n_handler = 0;
	ret->handled = s->flags & SAMPLE_HANDLER && sigstack_unwind(ret, space, u, s);
	ret->n = ret->n_resume = 0;
	ret->cut = s->flags & SAMPLE_CUT;
	ret->broken = s->flags & SAMPLE_STACK_FAULT;
	ret->c = ret->c_root = ret->c_gap = false;
	ret->stray = 0;
	if (!s->ip)
		return;
	if (s->resume == RESUME_VDSO && space_go_pc(space, s->ip, &f) && f.spwrite)
		ret->pcs[ret->n++] =
			s->ip; /* before or after the call: the stack is another one */
	else if (!c_stack(ret, space, u, s) && !vdso_stack(ret, space, u, s)) {
		gounwind(ret, space, &g);
		if (is_foreign(space, s)) {
			memmove(ret->pcs + 2, ret->pcs + 1,
				(ret->n++ - 1) * sizeof(*ret->pcs));
			ret->pcs[1] = STACK_GAP;
		}
	}
	if (s->resume && s->resume != RESUME_SWITCHED)
		resumed_stack(ret, space, s);
	else if (s->resume && !ret->n_resume && is_bare(space, ret))
		wazero_unwind(ret, space, s);
}
