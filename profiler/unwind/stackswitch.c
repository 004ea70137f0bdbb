/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/stackswitch.h"

#include <string.h>

#include "profiler/unwind/arch.h"
#include "profiler/unwind/cunwind.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	BEFORE = 24, /* bytes before a call in which what it leads to is loaded */
};

/* Reads a word of the goroutine's stack. False: it was not copied. */
static bool own_word(const struct sample *s, uint64_t addr, uint64_t *ret)
{
	struct stack_copy own = gostack_resumed(s).words;

	return copy_word(&own, addr, ret);
}

/* The assembly that is called directly before ra; 0: none is. All functions of the runtime
 * that lead to racecall and the like are called this way. */
static uint64_t called_assembly(struct space *space, uint64_t ra)
{
	uint64_t target;

	return gocall_target(space, ra, &target) && gocall_is_assembly(space, target)
		       ? target
		       : 0;
}

static void add_call(void *arg, uint64_t addr)
{
	struct stack_switch *sw = arg;
	uint64_t unused;

	if (sw->n_calls < SWITCH_CALLS && space_object(sw->space, addr, &unused) &&
	    !space_is_go(sw->space, addr))
		sw->calls[sw->n_calls++] = addr;
}

/* Adds what the last instructions before ra load. */
static void add_calls_before(struct stack_switch *sw, uint64_t ra)
{
	uint64_t begin = ra - BEFORE;
	struct go_pc f;

	space_go_pc(sw->space, ra - 1, &f);
	if (f.entry > begin)
		begin = f.entry;
	gocall_follow(sw->space, begin, ra, 0, 0, add_call, sw);
}

/*
 * Was SP here when the assembly switched stacks? Then its return address is here, behind a
 * call that leads to it. Sets sw->sp, and the C functions that the assembly may have
 * called: racecall gets its function as an argument, which is loaded by the assembly that
 * was called last, or right before that call, or before the call of the assembly around
 * that.
 */
static bool is_left_at(struct stack_switch *sw, uint64_t sp)
{
	uint64_t ra, above, pc;

	sw->sp = sp;
	sw->n_calls = 0;
	if (!own_word(sw->s, frame_return(sp, sw->delta), &ra))
		return false;
	pc = called_assembly(sw->space, ra);
	if (!pc || !gocall_follow(sw->space, pc, UINT64_MAX, GOCALL_JUMPS, sw->entry,
				  add_call, sw))
		return false;
	add_calls_before(sw, ra);
	if (own_word(sw->s, frame_cfa(sp, sw->delta), &above)) {
		add_call(sw, above);
		if (called_assembly(sw->space, above))
			add_calls_before(sw, above);
	}
	return true;
}

/* Does one of the C functions that may have been called save REG_KEPT at this place of its
 * stack? */
static bool is_saved_at(const struct stack_switch *sw, uint64_t place)
{
	for (uint32_t i = 0; i < sw->n_calls; i++)
		if (place ==
		    sw->top - CALL_PUSHES -
			    WORD * prologue_saved(sw->space, sw->calls[i], REG_KEPT))
			return true;
	return false;
}

/*
 * Finds the SP at which the goroutine's stack was left: still in the register, or where the
 * function that was called saves that. Otherwise, if exactly one word of C's frames can be
 * it, that word: C without unwind tables, as the race detector is, says no more.
 */
static void find_sp(struct stack_switch *sw, const struct cstack *c)
{
	struct stack_switch try = *sw, found = *sw;
	bool several = false;
	uint64_t v;

	if (is_left_at(&try, c->regs[REG_KEPT])) {
		*sw = try;
		return;
	}
	for (uint64_t at = sw->top - WORD;
	     at >= c->regs[REG_SP] && copy_word(&c->copy, at, &v); at -= WORD) {
		if (v == found.sp || !is_left_at(&try, v))
			continue;
		if (is_saved_at(&try, at)) {
			*sw = try;
			return;
		}
		several |= found.sp != 0;
		found = try;
	}
	if (!several)
		*sw = found;
}

/* False: pc is not in such assembly. */
static bool switch_init(struct stack_switch *sw, struct space *space,
			const struct sample *s, uint64_t pc, bool leaf)
{
	struct go_pc f;

	*sw = (struct stack_switch){ .space = space, .s = s };
	if (!space_go_pc(space, pc - !leaf, &f) || !f.spwrite || !f.has_spdelta)
		return false;
	sw->pc = pc;
	sw->entry = f.entry;
	sw->delta = f.spdelta;
	return true;
}

void switch_find(struct stack_switch *ret, struct space *space, struct cstack *c,
		 const struct sample *s)
{
	uint64_t top = s->g0_sp & -(uint64_t)STACK_ALIGN, pc;

	*ret = (struct stack_switch){ .pc = 0 };
	if (top <= c->regs[REG_SP] || !copy_word(&c->copy, top - CALL_PUSHES, &pc) ||
	    !switch_init(ret, space, s, pc, false))
		return;
	ret->top = top;
	c->copy.size = (uint32_t)(top - c->copy.addr);
	c->cut = false;
	find_sp(ret, c);
}

/* Appends the goroutine's own stack, from the assembly's caller on. */
static void add_callers(struct pieces *ret, const struct stack_switch *sw)
{
	struct gostack g = gostack_resumed(sw->s);

	if (!copy_word(&g.words, frame_return(sw->sp, sw->delta), &g.pc))
		return;
	g.sp = frame_cfa(sw->sp, sw->delta);
	gounwind(ret, sw->space, &g);
}

bool switch_leaf(struct pieces *ret, struct space *space, const struct cstack *c,
		 const struct sample *s)
{
	struct stack_switch sw;

	if (!switch_init(&sw, space, s, s->ip, true) || !is_left_at(&sw, c->regs[REG_KEPT]))
		return false;
	ret->pcs[0] = s->ip;
	ret->n = ret->own = 1;
	add_callers(ret, &sw);
	return true;
}

void switch_unwind(struct pieces *ret, struct stack_switch *sw, const struct cstack *c,
		   bool gap)
{
	ret->own = ret->n;
	if (!sw->pc)
		return;
	if (gap)
		ret->pcs[ret->n++] = sw->pc;
	if (gap || c->lost >> REG_KEPT & 1 ? sw->sp : is_left_at(sw, c->regs[REG_KEPT]))
		add_callers(ret, sw);
}
