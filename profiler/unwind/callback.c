/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/callback.h"

#include "bpf/sample.h"
#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

/* Is ra behind asmcgocall's call of C, or one like it? */
static bool has_called_c(struct space *space, uint64_t ra)
{
	struct go_pc f;

	return space_go_pc(space, ra - 1, &f) && f.assembly &&
	       gocall_by_register(space, ra);
}

/*
 * Unwinds from purego's assembly, which C has called and which calls Go without cgo. It
 * moves SP by itself, so pclntab does not know its frame: there is a return address with a
 * frame record below it, and nothing else says where the caller's frame is. So this is only
 * believed if it leads to assembly that has called C.
 */
static enum cunwind_end callers_of_assembly(struct space *space, struct cunwind *u,
					    struct cstack *c, uint64_t *pcs, uint32_t max,
					    uint32_t *n)
{
	uint64_t fp = c->regs[REG_FP], sp = c->regs[REG_SP], record[2];
	struct cstack caller = *c;
	enum cunwind_end end;

	pcs[0] = c->regs[REG_PC];
	*n = 1;
	if (fp < sp || (fp - sp) % WORD || max < 2 ||
	    !copy_read(&c->copy, fp, record, sizeof(record)) ||
	    space_is_go(space, record[1]))
		return CUNWIND_BROKEN;
	caller.regs[REG_SP] = fp + PUREGO_FRAME;
	caller.regs[REG_FP] = record[0];
	caller.regs[REG_PC] = record[1];
	end = cunwind(u, space, &caller, pcs + 1, max - 1, n);
	if (end != CUNWIND_GO || !has_called_c(space, pcs[*n])) {
		*n = 0;
		end = CUNWIND_BROKEN;
	}
	*n += 1;
	return end;
}

uint32_t callbacks_next(struct callbacks *cb, uint64_t addr, bool entering, uint64_t *pcs,
			uint32_t max, enum cunwind_end *end)
{
	uint64_t sp = entering ? cb->s->sp : cb->sp, before, ra, record[2];
	uint64_t saved[CROSSCALL2_SAVED];
	struct space *space = cb->space;
	struct cstack c = cstack_at(cb->s, sp);
	struct go_pc inner, outer; /* cgocallback, crosscall2 */
	uint32_t n;

	*end = CUNWIND_BROKEN;
	if (!entering || sp == cb->sp)
		cb->sp = 0;
	if (!max || !space_go_pc(space, addr, &inner) || !inner.has_spdelta ||
	    !copy_word(&c.copy, sp, &before) ||
	    !copy_word(&c.copy, frame_return(sp, inner.spdelta), &ra))
		return 0;
	if (!cb->sp) /* cgocallback keeps where the callback before it had left */
		cb->sp = before;
	if (cb->sp <= sp)
		cb->sp = 0;
	sp = frame_cfa(sp, inner.spdelta);
	if (!space_go_pc(space, ra - 1, &outer) || !outer.has_spdelta ||
	    outer.spdelta < CROSSCALL2_ARGS + sizeof(saved) + WORD ||
	    !copy_read(&c.copy, sp + CROSSCALL2_ARGS, saved, sizeof(saved)) ||
	    !copy_read(&c.copy, frame_record(sp, outer.spdelta), record, sizeof(record)))
		return 0;
	pcs[0] = ra;
	for (uint32_t i = 0; i < CROSSCALL2_SAVED; i++)
		c.regs[crosscall2_saved[i]] = saved[i];
	c.regs[REG_FP] = record[0];
	c.regs[REG_PC] = record[1];
	c.regs[REG_SP] = frame_cfa(sp, outer.spdelta);
	*end = space_is_go(space, c.regs[REG_PC])
		       ? callers_of_assembly(space, cb->u, &c, pcs + 1, max - 1, &n)
		       : cunwind(cb->u, space, &c, pcs + 1, max - 1, &n);
	return n + 1;
}
