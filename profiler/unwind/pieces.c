/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/pieces.h"

#include <string.h>

#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/stackswitch.h"
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

	/* The function that switched stacks either has a frame, with whose record the chain
	 * begins (systemstack and asmcgocall since Go 1.21), or it has none, and its return
	 * address is at SP (before, and morestack). */
	if (s->resume == RESUME_SCHED && s->resume_fp == s->resume_sp) {
		g.sp = 0;
	} else if (s->resume == RESUME_SCHED && copy_word(&g.words, g.sp, &g.pc)) {
		ret->pcs[ret->n++] = s->resume_pc;
		g.sp += CALL_PUSHES;
	}
	gounwind(ret, space, &g);
}

/* The leaf is assembly of Go's that C has called: makes c its caller's. False: it is
 * not. */
static bool skip_go(struct cstack *c, struct space *space, const struct go_pc *f,
		    const struct sample *s)
{
	uint64_t sp = c->regs[REG_SP], ra;

	if (!(s->flags & SAMPLE_CGO || s->resume == RESUME_SWITCHED) || f->spwrite ||
	    !f->has_spdelta || !copy_word(&c->copy, frame_return(sp, f->spdelta), &ra))
		return false;
	c->regs[REG_PC] = ra;
	c->regs[REG_SP] = frame_cfa(sp, f->spdelta);
	return ra && !space_is_go(space, ra);
}

struct cstack cstack_at(const struct sample *s, uint64_t sp)
{
	const __u64 *regs = s->pcs + sample_c_at(s);
	uint64_t size = s->n_c_words > C_REGS ? (s->n_c_words - C_REGS) * WORD : 0;
	uint64_t below = sp - s->c_sp;
	struct cstack c = { .cut = false };

	if (sp % WORD || below >= size)
		return c;
	for (int i = 0; i < REGS; i++)
		c.regs[i] = regs[i];
	c.regs[REG_SP] = sp;
	c.copy = (struct stack_copy){ sp, (const uint8_t *)(regs + C_REGS) + below,
				      (uint32_t)(size - below) };
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
	switch_unwind(ret, &sw, c, ret->c_gap);
}

/* Go code on the thread's stack has called C right there: continues from pcs[n - 1], whose
 * frame c is. */
static void go_on_g0(struct pieces *ret, struct space *space, const struct cstack *c)
{
	uint64_t fp = c->lost >> REG_FP & 1 ? 0 : c->regs[REG_FP];
	__u64 chain[COPY_RECORDS];
	struct gostack g = gostack_in(c->copy, ret->pcs[--ret->n], c->regs[REG_SP], fp,
				      chain);

	gounwind(ret, space, &g);
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

	if (s->c_sp != s->sp || !c.copy.size || !space)
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
		go_on_g0(ret, space, &c);
		return true;
	}
	ret->c = true;
	ret->c_root = end == CUNWIND_ROOT;
	ret->c_gap = end == CUNWIND_BROKEN || end == CUNWIND_SHORT;
	return true;
}

/* The thread's stack, if Go code there has called the vDSO: the few words at SP lead back
 * to it. */
static bool vdso_stack(struct pieces *ret, struct space *space, struct cunwind *u,
		       const struct sample *s)
{
	struct gostack g = gostack_of(s);
	struct cstack c = {
		.regs = { [REG_FP] = s->fp, [REG_SP] = s->sp, [REG_PC] = s->ip },
		.copy = g.words
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
	struct gostack g = gostack_of(s);
	struct go_pc f;

	ret->n_handler = 0;
	ret->handled = s->flags & SAMPLE_HANDLER && sigstack_unwind(ret, space, u, s);
	ret->n = ret->own = 0;
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
	if (!ret->own)
		ret->own = ret->n;
	if (s->resume && s->resume != RESUME_SWITCHED)
		resumed_stack(ret, space, s);
	else if (s->resume && ret->own == ret->n && is_bare(space, ret))
		wazero_unwind(ret, space, s);
}
