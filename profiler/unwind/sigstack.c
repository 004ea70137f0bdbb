/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal handlers. A sample taken in one has two parts: what was interrupted, as if there
 * were no handler, and the handler's own stack on top of that. Between them are the
 * registers that the kernel has saved for the return. The kernel side finds these by their
 * looks; that is only believed if the handler's frames lead to that very place.
 */
#include <string.h>

#include "profiler/unwind/arch.h"
#include "profiler/unwind/callsite.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

enum { TURNS = 16 /* from C to Go or back */ };

/* On the way from a handler to what it has interrupted. */
struct walk {
	struct pieces *st;
	struct space *space;
	struct cstack c;
	uint64_t sp, end; /* how far the way is known, and where the ucontext is */
	bool exact;       /* the PC was interrupted */
};

/* Continues with this SP, which is further up. */
static bool move(struct walk *w, uint64_t sp)
{
	if (sp % WORD || sp < w->sp || sp > w->end)
		return false;
	w->sp = w->c.regs[REG_SP] = sp;
	return true;
}

static void keep(struct walk *w, const uint64_t *pcs, uint32_t n)
{
	struct pieces *st = w->st;

	if (n > HANDLER_PCS - st->n_handler)
		n = HANDLER_PCS - st->n_handler;
	memcpy(st->handler + st->n_handler, pcs, n * sizeof(*pcs));
	st->n_handler += n;
}

/* Through Go code, up to the function that the kernel or C has called. */
static bool walk_go(struct walk *w)
{
	struct pieces *st = w->st;
	__u64 chain[COPY_RECORDS];
	struct gostack g = gostack_in(w->c.copy, w->c.regs[REG_PC], w->sp,
				      w->c.regs[REG_FP], chain);
	uint64_t ra, at;
	bool first = !st->n_handler;
	const struct object *o;
	struct go_pc f;

	g.exact = w->exact;
	st->n = 0;
	st->broken = st->cut = false;
	gounwind(st, w->space, &g);
	if (!st->n || st->broken || st->cut)
		return false;
	ra = st->pcs[st->n - 1];
	if (st->n > 1 || !w->exact)
		ra--;
	if (w->exact && !first)
		st->pcs[0]++;
	keep(w, st->pcs, st->n);
	/* nothing marks the first function; what it returns to does */
	if (st->sp < w->sp || !space_go_pc(w->space, ra, &f) || !f.has_spdelta ||
	    !move(w, frame_cfa(st->sp, f.spdelta)))
		return false;
	if (w->sp == w->end)
		return true;
	if (!copy_word(&w->c.copy, w->sp - CALL_PUSHES, &ra))
		return false;
	o = space_object(w->space, ra, &at);
	w->exact = f.kind == FRAME_SIGTRAMP &&
		   (space_is_go(w->space, ra) || is_trampoline(o, at));
	if (w->exact) /* a handler was interrupted */
		return ucontext_read(&w->c.copy, w->sp, w->c.regs) &&
		       move(w, w->c.regs[REG_SP]);
	if (space_is_go(w->space, ra))
		return false;
	w->c.regs[REG_PC] = ra;
	w->c.regs[REG_FP] = w->c.regs[REG_ALIGNED] = 0;
	return true;
}

/* Through C, up to Go code or the return to the kernel. */
static bool walk_c(struct walk *w, struct cunwind *u)
{
	uint64_t pcs[HANDLER_PCS], *regs = w->c.regs, sp;
	enum cunwind_end end;
	struct go_pc f;
	uint32_t n;

	end = cunwind(u, w->space, &w->c, pcs, HANDLER_PCS, &n);
	sp = regs[REG_SP];
	if (w->exact && w->st->n_handler)
		pcs[0]++;
	if (n < 2 && end == CUNWIND_GO)
		return false;
	keep(w, pcs, end == CUNWIND_GO ? n - 1 : n);
	if (end == CUNWIND_GO) {
		w->exact = pcs[n - 1] != regs[REG_PC];
		/* sigfwd aligns SP */
		if (!w->exact && space_go_pc(w->space, regs[REG_PC] - 1, &f) && f.spwrite) {
			if (w->c.lost >> REG_ALIGNED & 1 ||
			    regs[REG_ALIGNED] - sp > STACK_ALIGN - WORD)
				return false;
			sp = regs[REG_ALIGNED];
		}
		if (w->c.lost >> REG_FP & 1)
			regs[REG_FP] = 0;
	} else if (end != CUNWIND_SHORT || sp != w->end) {
		return false;
	}
	return move(w, sp);
}

bool sigstack_unwind(struct pieces *ret, struct space *space, struct cunwind *u,
		     const struct sample *s)
{
	const __u64 *regs = s->pcs + sample_handler_at(s);
	struct walk w = { .st = ret, .space = space, .exact = true };
	bool ok = true;

	ret->n_handler = 0;
	if (s->n_handler_words < C_REGS)
		return false;
	for (int i = 0; i < REGS; i++)
		w.c.regs[i] = regs[i];
	w.sp = w.c.regs[REG_SP];
	w.end = s->handler_uc;
	w.c.copy = (struct stack_copy){ w.sp, regs + C_REGS,
					(s->n_handler_words - C_REGS) * WORD };
	if (w.sp == w.end || !space) {
		keep(&w, &w.c.regs[REG_PC], 1);
		return w.sp == w.end; /* about to return to the kernel */
	}
	if (w.end - w.sp != w.c.copy.size)
		return false;
	for (int i = 0; ok && w.sp != w.end && i < TURNS; i++)
		ok = space_is_go(space, w.c.regs[REG_PC] - !w.exact) ? walk_go(&w)
								     : walk_c(&w, u);
	return ok && w.sp == w.end && ret->n_handler < HANDLER_PCS;
}
