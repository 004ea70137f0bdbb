/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/callback.h"

#include <string.h>

#include "bpf/sample.h"
#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

static uint64_t word_of(const struct cstack *c, uint64_t at)
{
	uint64_t word = 0;

	if (at <= c->size && c->size - at >= 8)
		memcpy(&word, c->bytes + at, 8);
	return word;
}

/* The same stack with SP `at` bytes further up. */
static struct cstack cstack_above(const struct cstack *c, uint64_t at)
{
	struct cstack ret = *c;

	ret.bytes += at;
	ret.size -= (uint32_t)at;
	ret.regs[REG_SP] += at;
	return ret;
}

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
	uint64_t record = c->regs[REG_FP] - c->regs[REG_SP];
	struct cstack caller;
	enum cunwind_end end;

	pcs[0] = c->regs[REG_PC];
	*n = 1;
	if (record % 8 || record > c->size || c->size - record < PUREGO_FRAME || max < 2 ||
	    space_is_go(space, word_of(c, record + 8)))
		return CUNWIND_BROKEN;
	caller = cstack_above(c, record + PUREGO_FRAME);
	caller.regs[REG_FP] = word_of(c, record);
	caller.regs[REG_PC] = word_of(c, record + 8);
	end = cunwind(u, space, &caller, pcs + 1, max - 1, n);
	if (end != CUNWIND_GO || !has_called_c(space, pcs[*n])) {
		*n = 0;
		end = CUNWIND_BROKEN;
	}
	*n += 1;
	return end;
}

struct callbacks callbacks_of(const struct sample *s, struct space *space,
			      struct cunwind *u)
{
	return (struct callbacks){ .space = space, .u = u, .s = s, .sp = s->g0_sp };
}

uint32_t callbacks_next(struct callbacks *cb, uint64_t addr, bool entering, uint64_t *pcs,
			uint32_t max, enum cunwind_end *end)
{
	uint64_t sp = entering ? cb->s->sp : cb->sp, ra;
	struct space *space = cb->space;
	struct cstack c = cstack_at(cb->s, sp);
	struct go_pc inner, outer; /* cgocallback, crosscall2 */
	uint32_t d, d2, n;

	*end = CUNWIND_BROKEN;
	if (!entering || sp == cb->sp)
		cb->sp = 0;
	if (!max || !space_go_pc(space, addr, &inner) || !inner.has_spdelta ||
	    c.size < inner.spdelta + 8)
		return 0;
	d = inner.spdelta;
	if (!cb->sp) /* cgocallback keeps where the callback before it had left */
		memcpy(&cb->sp, c.bytes, 8);
	if (cb->sp <= sp)
		cb->sp = 0;
	memcpy(&ra, c.bytes + d, 8);
	d2 = space_go_pc(space, ra - 1, &outer) && outer.has_spdelta ? outer.spdelta : 0;
	if (d2 < CROSSCALL2_ARGS + CROSSCALL2_SAVED * 8 + 8 || c.size - d - 8 < d2 + 8)
		return 0;
	pcs[0] = ra;
	c.bytes += d + 8;
	c.size -= d + 8 + d2 + 8;
	for (uint32_t i = 0; i < CROSSCALL2_SAVED; i++)
		memcpy(&c.regs[crosscall2_saved[i]], c.bytes + CROSSCALL2_ARGS + 8 * i, 8);
	memcpy(&c.regs[REG_FP], c.bytes + d2 - 8, 8);
	memcpy(&c.regs[REG_PC], c.bytes + d2, 8);
	c.regs[REG_SP] += d + 8 + d2 + 8;
	c.bytes += d2 + 8;
	if (space_is_go(space, c.regs[REG_PC])) {
		*end = callers_of_assembly(space, cb->u, &c, pcs + 1, max - 1, &n);
		return n + 1;
	}
	*end = cunwind(cb->u, space, &c, pcs + 1, max - 1, &n);
	return n + 1;
}
