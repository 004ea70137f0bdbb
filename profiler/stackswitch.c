/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/stackswitch.h"

#include "profiler/gocall.h"
#include "profiler/gounwind.h"
#include "profiler/unwind.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

enum { R12 = 12, RSP = 7 };

/* The goroutine's stack, as far as it was copied. */
struct words {
	const __u64 *at;
	uint64_t addr;
	uint32_t n;
};

static struct words own_words(const struct sample *s)
{
	return (struct words){ s->pcs + s->n_words + s->n_user, s->resume_sp,
			       s->n_resume_words };
}

/* Is ra behind a direct call of assembly? All of the runtime's functions that lead to racecall and
 * the like are called so. */
static bool calls_assembly(struct space *space, uint64_t ra)
{
	struct go_pc f;
	uint64_t target, entry;

	return gocall_target(space, ra, &target) && space_entry(space, target, &entry) &&
	       entry == target && space_go_pc(space, target, &f) && f.assembly;
}

/* Can this have been SP when assembly switched stacks? Its return address is there. */
static bool is_left_at(struct space *space, const struct words *w, uint64_t sp)
{
	return sp % 8 == 0 && (sp - w->addr) / 8 < w->n &&
	       calls_assembly(space, w->at[(sp - w->addr) / 8]);
}

/*
 * Where the goroutine's stack was left; 0: not known. In R12 if unwind tables have kept it, else in
 * the register still, or in the one place of C's frames where that was saved: C built without
 * tables, as the race detector is, tells no more.
 */
static uint64_t find_sp(struct space *space, const struct cstack *c, const struct sample *s)
{
	const __u64 *regs = s->pcs + sample_c_at(s), *frames = regs + C_REGS;
	struct words w = own_words(s);
	uint64_t n = (c->regs[RSP] - s->sp) / 8, found = 0;

	if (!(c->lost >> R12 & 1))
		return is_left_at(space, &w, c->regs[R12]) ? c->regs[R12] : 0;
	if (is_left_at(space, &w, regs[R12]))
		return regs[R12];
	for (uint64_t i = 0; i < n && i + C_REGS < s->n_c_words; i++) {
		if (frames[i] == found || !is_left_at(space, &w, frames[i]))
			continue;
		if (found)
			return 0;
		found = frames[i];
	}
	return found;
}

void switch_unwind(struct stack *ret, struct space *space, const struct cstack *c,
		   const struct sample *s)
{
	struct words w = own_words(s);
	uint64_t sp = find_sp(space, c, s);
	uint32_t n = ret->n;
	struct go_pc f;

	if (!sp || !space_go_pc(space, ret->pcs[n - 1] - (n > 1), &f) || !f.spwrite)
		return;
	gounwind(ret, space,
		 &(struct gostack){
			 .pc = w.at[(sp - w.addr) / 8],
			 .sp = sp + 8,
			 .words = w.at,
			 .n_words = w.n,
			 .words_at = w.addr,
			 .chain = w.at + w.n,
		 });
	ret->n_resume = ret->n - n;
	ret->n = n;
}
