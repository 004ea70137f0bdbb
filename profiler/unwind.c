/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind.h"

#include <string.h>

#include "profiler/cunwind.h"
#include "symbolizer/symbolizer.h"

enum {
	CSTACK_SP = 7, /* in struct cstack */
	CSTACK_IP = 16,
	FAR = 1 << 18, /* no caller's frame is that far away on the same stack */
};

static void add_chain(struct stack *st, const struct sample *s)
{
	memcpy(&st->pcs[st->n], s->pcs + s->n_words, s->n_user * sizeof(*st->pcs));
	st->n += s->n_user;
}

/* Follows frame pointers from fp on in the copied words; what lies beyond them is cut off. */
static void add_from_words(struct stack *st, const struct sample *s, uint64_t fp)
{
	while (fp && st->n < MAX_USER_PCS) {
		uint64_t at = (fp - s->sp) / 8, next;

		if (fp < s->sp || fp % 8 || at + 2 > s->n_words) {
			st->broken = true;
			return;
		}
		next = s->pcs[at];
		st->pcs[st->n++] = s->pcs[at + 1];
		if (next && next <= fp) {
			st->broken = true;
			return;
		}
		fp = next;
	}
}

/* Up to Go 1.20 a function of assembly may call without a frame (gcWriteBarrier): its own return address,
 * at that word, is missing behind the leaf's. */
static void frameless_caller(struct stack *ret, struct space *space, const struct sample *s,
			     uint32_t at)
{
	uint32_t d;

	if (s->n_words < LEAF_WORDS_OLD || at >= s->n_words || ret->n < 2 ||
	    !space_spdelta(space, ret->pcs[1] - 1, &d) || d ||
	    !space_is_go(space, s->pcs[at]))
		return;
	memmove(ret->pcs + 3, ret->pcs + 2, (ret->n - 2) * sizeof(*ret->pcs));
	ret->pcs[2] = s->pcs[at];
	ret->n++;
}

/*
 * With d bytes between SP and the return address, which is just below the canonical frame address
 * (CFA), a complete frame has its frame pointer, and the saved one, below it. A frame pointer that
 * is above the CFA is the caller's. One that is neither is not a frame pointer now: assembly uses
 * the register for data, and the caller's is where the prologue has saved it.
 */
static void sampled_stack(struct stack *ret, struct space *space, const struct sample *s)
{
	uint64_t cfa, ra, at;
	uint32_t d;

	ret->pcs[ret->n++] = s->ip;
	if (!space || !space_spdelta(space, s->ip, &d)) {
		add_chain(ret, s);
		return;
	}
	cfa = s->sp + d + 8;
	if (s->fp == cfa - 16) {
		add_chain(ret, s);
		frameless_caller(ret, space, s, d / 8 + 1);
		return;
	}
	/* around a call of duffzero or duffcopy, which get a frame before they are called */
	if (s->fp == s->sp - 16 && d >= 8 && s->n_user) {
		add_chain(ret, s);
		return;
	}
	at = d / 8; /* of the return address */
	ra = d % 8 == 0 && at < s->n_words ? s->pcs[at] : 0;
	/* it has moved SP to another stack, and has a frame */
	if (space_spwrite(space, s->ip) &&
	    (s->fp - cfa >= FAR || !space_is_go(space, ra))) {
		ret->broken = !s->n_user;
		add_chain(ret, s);
		return;
	}
	if (!space_is_go(space, ra)) {
		ret->broken = true;
		return;
	}
	ret->pcs[ret->n++] = ra;
	/* morestack is called before there is a frame */
	if (space_spdelta(space, ra - 1, &d) && !d && at + 1 < s->n_words &&
	    space_is_go(space, s->pcs[at + 1])) {
		at++;
		cfa += 8;
		ret->pcs[ret->n++] = s->pcs[at];
	}
	if (s->fp >= cfa && s->n_user && space_is_go(space, s->pcs[s->n_words]))
		add_chain(ret, s);
	else if (at && s->n_words > LEAF_WORDS_OLD)
		add_from_words(ret, s, s->pcs[at - 1]);
	else if (s->fp) /* 0: the caller is the root */
		ret->broken = true;
}

/*
 * What switched stacks has either a frame of its own, which the chain begins with (systemstack and
 * asmcgocall since Go 1.21), or none, and its return address is at SP (before, and morestack).
 */
static void resumed_stack(struct stack *ret, const struct sample *s)
{
	const __u64 *words = s->pcs + s->n_words + s->n_user;
	uint32_t n = ret->n;

	ret->pcs[n++] = s->resume_pc;
	if (s->resume == RESUME_SCHED && s->resume_fp != s->resume_sp && s->n_resume_words)
		ret->pcs[n++] = words[0];
	for (uint32_t i = 0; i < s->n_resume && n < sizeof(ret->pcs) / sizeof(*ret->pcs);
	     i++)
		ret->pcs[n++] = words[s->n_resume_words + i];
	ret->n_resume = n - ret->n;
}

/* Assembly that belongs to Go and that C has called: its caller instead, in c. */
static bool skip_go(struct cstack *c, struct space *space, const struct sample *s)
{
	uint32_t d;

	if (!(s->flags & SAMPLE_CGO) || space_spwrite(space, s->ip) ||
	    !space_spdelta(space, s->ip, &d) || d > c->size || c->size - d < 8)
		return false;
	memcpy(&c->regs[CSTACK_IP], c->bytes + d, 8);
	c->regs[CSTACK_SP] += d + 8;
	c->bytes += d + 8;
	c->size -= d + 8;
	return c->regs[CSTACK_IP] && !space_is_go(space, c->regs[CSTACK_IP]);
}

/* C has other ways than frame pointers to find its callers. */
static bool c_stack(struct stack *ret, struct space *space, struct cunwind *u,
		    const struct sample *s)
{
	const __u64 *regs = s->pcs + sample_c_at(s);
	uint32_t n = 0, before = 0;
	enum cunwind_end end;
	struct cstack c;

	if (s->n_c_words <= C_REGS || !space)
		return false;
	for (int i = 0; i < C_REGS; i++)
		c.regs[i] = regs[i];
	c.bytes = (const uint8_t *)(regs + C_REGS);
	c.size = (s->n_c_words - C_REGS) * 8u;
	if (space_is_go(space, s->ip)) {
		if (!skip_go(&c, space, s))
			return false;
		ret->pcs[before++] = s->ip;
	}
	end = cunwind(u, space, &c, ret->pcs + before, MAX_USER_PCS, &n);
	ret->n = before + n;
	ret->c = true;
	ret->c_root = end == CUNWIND_ROOT;
	/* of C that Go called, the copy ends where the first function's caller would be */
	ret->c_gap = end == CUNWIND_BROKEN || (end == CUNWIND_SHORT && !s->resume);
	return true;
}

/* Go that is on the thread's stack calls the vDSO right there, and a few words tell the way back. */
static bool vdso_stack(struct stack *ret, struct space *space, struct cunwind *u,
		       const struct sample *s)
{
	const __u64 *chain = s->pcs + s->n_words;
	struct cstack c = {
		.regs = { [6] = s->fp, [CSTACK_SP] = s->sp, [CSTACK_IP] = s->ip },
		.bytes = (const uint8_t *)s->pcs,
		.size = s->n_words * 8u
	};
	uint32_t n = 0, skip = 0;

	if (!(s->flags & SAMPLE_G0) || s->flags & SAMPLE_CGO || !space ||
	    space_is_go(space, s->ip) ||
	    cunwind(u, space, &c, ret->pcs, LEAF_WORDS, &n) != CUNWIND_GO)
		return false;
	/* those of the vDSO may have frame pointers too */
	for (uint32_t i = 0; i < s->n_user && i < n && !skip; i++)
		if (chain[i] == ret->pcs[n - 1])
			skip = i + 1;
	ret->n = n;
	memcpy(&ret->pcs[n], chain + skip, (s->n_user - skip) * sizeof(*ret->pcs));
	ret->n += s->n_user - skip;
	return true;
}

void stack_unwind(struct stack *ret, struct space *space, struct cunwind *u,
		  const struct sample *s)
{
	ret->n = ret->n_resume = 0;
	ret->cut = s->flags & SAMPLE_CUT;
	ret->broken = s->flags & SAMPLE_STACK_FAULT;
	ret->c = ret->c_root = ret->c_gap = false;
	if (!s->ip)
		return;
	if (s->resume == RESUME_VDSO && space_spwrite(space, s->ip))
		ret->pcs[ret->n++] =
			s->ip; /* about to call it, or back: on another stack */
	else if (!c_stack(ret, space, u, s) && !vdso_stack(ret, space, u, s))
		sampled_stack(ret, space, s);
	if (s->resume)
		resumed_stack(ret, s);
}
