/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind.h"

#include <string.h>

#include "symbolizer/symbolizer.h"

enum {
	CSTACK_BP = 6, /* in struct cstack */
	CSTACK_SP = 7,
	CSTACK_IP = 16,
	MAX_ADDED = STACK_PCS - 2, /* leaves room for resumed_stack() */
	ARGS = 3 * 8,              /* of crosscall2's call */
	FAR = 1 << 18, /* no caller's frame is that far away on the same stack */
};

/* A part of a sample: words of a stack from sp on, then the chain from fp on. */
struct part {
	const __u64 *words, *chain;
	uint32_t n_words, n_chain;
	uint64_t sp, fp;
};

/* cgocallback is on the goroutine's stack, with its canonical frame address (CFA) there, and has the frame pointer
 * from the thread's: that of cgocall, as in walk_callbacks(). */
static uint64_t callback_caller(struct stack *st, struct space *space, const struct part *p,
				uint64_t cfa)
{
	uint64_t at = (cfa - p->sp) / 8;
	uint32_t d = 0;

	st->pcs[st->n++] = 0;
	if (at < p->n_words && space_is_go(space, p->words[at]) &&
	    space_spdelta(space, p->words[at] - 1, &d))
		st->pcs[st->n++] = p->words[at];
	return cfa + d;
}

/* Follows frame pointers from fp on in the copied words; what lies beyond them is cut off. */
static void add_from_words(struct stack *st, struct space *space, const struct part *p,
			   uint64_t fp)
{
	uint64_t end = p->sp + p->n_words * 8ull, next;
	uint32_t d;

	for (; fp && st->n < MAX_USER_PCS; fp = next) {
		const __u64 *frame;

		if (fp < p->sp || fp % 8 || fp >= end || end - fp < 16) {
			st->broken = true;
			return;
		}
		frame = p->words + (fp - p->sp) / 8;
		next = frame[0];
		st->pcs[st->n++] = frame[1];
		if (next - p->sp >= end - p->sp && space_spwrite(space, frame[1] - 1) &&
		    space_spdelta(space, frame[1] - 1, &d))
			next = callback_caller(st, space, p, fp + 16 + d + 8);
		if (next && next <= fp) {
			st->broken = true;
			return;
		}
	}
}

/* Callers of pc, a return address, and of those, by where pclntab says that their return addresses are: in n words of
 * the stack, of which the first is where SP is behind that return. */
static void add_by_pclntab(struct stack *st, struct space *space, uint64_t pc,
			   const __u64 *words, uint32_t n)
{
	uint64_t at = 0;
	uint32_t d;

	for (; st->n < MAX_ADDED && space_spdelta(space, pc - 1, &d); at++) {
		at += d / 8;
		if (at >= n || !space_is_go(space, words[at])) {
			st->broken = at >= n || words[at];
			return;
		}
		pc = st->pcs[st->n++] = words[at];
	}
}

/* Up to Go 1.20 functions of assembly may call without a frame (gcWriteBarrierR9, syscall.Syscall): their own
 * return addresses, above the frames of what they call, are not in the chain. */
static void add_chain(struct stack *st, struct space *space, const struct part *p)
{
	uint64_t at = (p->fp - p->sp) / 8;
	uint32_t d, i;

	for (i = 0; i < p->n_chain && st->n < MAX_ADDED; i++) {
		bool known = at < p->n_words && p->n_words - at > 2 &&
			     p->words[at + 1] == p->chain[i];

		if (p->chain[i] == PC_WORDS) {
			st->broken = !space;
			if (space && st->n)
				add_by_pclntab(st, space, st->pcs[st->n - 1],
					       &p->chain[i + 1], p->n_chain - i - 1);
			return;
		}
		st->pcs[st->n++] = p->chain[i];
		if (known && space && space_spdelta(space, p->chain[i] - 1, &d) && !d &&
		    space_is_go(space, p->words[at + 2]) && st->n < MAX_ADDED)
			st->pcs[st->n++] = p->words[at + 2];
		at = known ? (p->words[at] - p->sp) / 8 : UINT64_MAX;
	}
	st->cut |= i < p->n_chain;
}

/*
 * With d bytes between SP and the return address, which is just below the canonical frame address
 * (CFA), a complete frame has its frame pointer, and the saved one, below it. A frame pointer that
 * is above the CFA is the caller's. One that is neither is not a frame pointer now: assembly uses
 * the register for data, and the caller's is where the prologue has saved it.
 */
static void interrupted_stack(struct stack *ret, struct space *space, uint64_t pc,
			      const struct part *p)
{
	uint64_t cfa, ra, at;
	uint32_t d;

	ret->pcs[ret->n++] = pc;
	if (!space || !space_spdelta(space, pc, &d)) {
		add_chain(ret, space, p);
		return;
	}
	cfa = p->sp + d + 8;
	/* complete, or around a call of duffzero or duffcopy, which get a frame before they are called */
	if (p->fp == cfa - 16 || (p->fp == p->sp - 16 && d >= 8 && p->n_chain)) {
		add_chain(ret, space, p);
		return;
	}
	at = d / 8; /* of the return address */
	ra = d % 8 == 0 && at < p->n_words ? p->words[at] : 0;
	/* it has moved SP to another stack, and has a frame */
	if (space_spwrite(space, pc) && (p->fp - cfa >= FAR || !space_is_go(space, ra))) {
		ret->broken = !p->n_chain;
		if (!p->n_chain && space_is_go(space, ra))
			add_from_words(ret, space, p, callback_caller(ret, space, p, cfa));
		else
			add_chain(ret, space, p);
		return;
	}
	if (!space_is_go(space, ra)) {
		ret->broken = true;
		return;
	}
	ret->pcs[ret->n++] = ra;
	/* morestack is called before there is a frame, and sigpanic at any instruction, the first one included */
	if (space_spdelta(space, ra - !space_is_entry(space, ra), &d) && !d &&
	    at + 1 < p->n_words && space_is_go(space, p->words[at + 1])) {
		at++;
		cfa += 8;
		ret->pcs[ret->n++] = p->words[at];
	}
	if (p->fp >= cfa && p->n_chain && space_is_go(space, p->chain[0]))
		add_chain(ret, space, p);
	else if (!p->n_chain && space_spwrite(space, ra - 1) &&
		 space_spdelta(space, ra - 1, &d))
		add_from_words(ret, space, p, callback_caller(ret, space, p, cfa + d + 8));
	else if (at && !p->n_chain)
		add_from_words(ret, space, p, p->words[at - 1]);
	else if (p->fp) /* 0: the caller is the root */
		ret->broken = true;
}

/*
 * What switched stacks has either a frame of its own, which the chain begins with (systemstack and
 * asmcgocall since Go 1.21), or none, and its return address is at SP (before, and morestack).
 */
static void resumed_stack(struct stack *ret, struct space *space, const struct sample *s)
{
	const __u64 *words = s->pcs + s->n_words + s->n_user;
	const struct part rest = { words,
				   words + s->n_resume_words,
				   s->n_resume_words,
				   s->n_resume,
				   s->resume_sp,
				   s->resume_fp };
	uint32_t n = ret->n;

	if (s->resume == RESUME_SIGNAL) {
		interrupted_stack(ret, space, s->resume_pc, &rest);
	} else {
		ret->pcs[ret->n++] = s->resume_pc;
		if (s->resume == RESUME_SCHED && s->resume_fp != s->resume_sp &&
		    s->n_resume_words)
			ret->pcs[ret->n++] = words[0];
		add_chain(ret, space, &rest);
	}
	ret->n_resume = ret->n - n;
	ret->n = n;
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

/* The thread's stack from sp on, as far as it was copied. */
static struct cstack cstack_at(const struct sample *s, uint64_t sp)
{
	const __u64 *regs = s->pcs + sample_c_at(s);
	uint64_t size = s->n_c_words > C_REGS ? (s->n_c_words - C_REGS) * 8u : 0;
	struct cstack c = { .size = 0 };

	if (sp % 8 || sp - s->c_sp >= size)
		return c;
	for (int i = 0; i < C_REGS; i++)
		c.regs[i] = regs[i];
	c.regs[CSTACK_SP] = sp;
	c.bytes = (const uint8_t *)(regs + C_REGS) + (sp - s->c_sp);
	c.size = (uint32_t)(size - (sp - s->c_sp));
	/* what c_stack_take() takes at most, and what it halves that to */
	c.cut = size >= C_BYTES_LEAST && !(size & (size - 1));
	return c;
}

uint32_t stack_callers_in_c(struct stack *st, struct space *space, struct cunwind *u,
			    const struct sample *s, uint64_t addr, bool entering,
			    uint64_t *pcs, uint32_t max, enum cunwind_end *end)
{
	/* what crosscall2 has saved, above its arguments: rbx r12 … r15; then rbp where its frame ends */
	static const uint8_t saved[] = { 3, 12, 13, 14, 15 };
	uint64_t sp = entering ? s->sp : st->g0_sp, ra;
	struct cstack c = cstack_at(s, sp);
	uint32_t d, d2, n;

	*end = CUNWIND_BROKEN;
	if (!entering || sp == st->g0_sp)
		st->g0_sp = 0;
	if (!max || !space || !space_spdelta(space, addr, &d) || c.size < d + 8)
		return 0;
	if (!st->g0_sp) /* where the one before did */
		memcpy(&st->g0_sp, c.bytes, 8);
	if (st->g0_sp <= sp)
		st->g0_sp = 0;
	memcpy(&ra, c.bytes + d, 8);
	if (!space_spdelta(space, ra - 1, &d2) || d2 < ARGS + sizeof(saved) * 8 + 8 ||
	    c.size - d - 8 < d2 + 8)
		return 0;
	pcs[0] = ra;
	c.bytes += d + 8;
	c.size -= d + 8 + d2 + 8;
	for (uint32_t i = 0; i < sizeof(saved); i++)
		memcpy(&c.regs[saved[i]], c.bytes + ARGS + 8 * i, 8);
	memcpy(&c.regs[CSTACK_BP], c.bytes + d2 - 8, 8);
	memcpy(&c.regs[CSTACK_IP], c.bytes + d2, 8);
	c.regs[CSTACK_SP] += d + 8 + d2 + 8;
	c.bytes += d2 + 8;
	if (space_is_go(space, c.regs[CSTACK_IP]))
		return 1;
	*end = cunwind(u, space, &c, pcs + 1, max - 1, &n);
	return n + 1;
}

/* C has other ways than frame pointers to find its callers. */
static bool c_stack(struct stack *ret, struct space *space, struct cunwind *u,
		    const struct sample *s)
{
	struct cstack c = cstack_at(s, s->sp);
	uint32_t n = 0, before = 0;
	enum cunwind_end end;

	if (s->c_sp != s->sp || !c.size || !space)
		return false;
	if (space_is_go(space, s->ip)) {
		if (!skip_go(&c, space, s))
			return false;
		ret->pcs[before++] = s->ip;
	}
	end = cunwind(u, space, &c, ret->pcs + before, MAX_USER_PCS, &n);
	ret->n = before + n;
	ret->c = true;
	ret->c_root = end == CUNWIND_ROOT;
	ret->c_gap = end == CUNWIND_BROKEN || end == CUNWIND_SHORT;
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
	const struct part all = { s->pcs, s->pcs + s->n_words, s->n_words, s->n_user, s->sp,
				  s->fp };

	ret->n = ret->n_resume = 0;
	ret->cut = s->flags & SAMPLE_CUT;
	ret->broken = s->flags & SAMPLE_STACK_FAULT;
	ret->c = ret->c_root = ret->c_gap = false;
	ret->g0_sp = s->g0_sp;
	if (!s->ip)
		return;
	if (s->resume == RESUME_VDSO && space_spwrite(space, s->ip))
		ret->pcs[ret->n++] =
			s->ip; /* about to call it, or back: on another stack */
	else if (!c_stack(ret, space, u, s) && !vdso_stack(ret, space, u, s))
		interrupted_stack(ret, space, s->ip, &all);
	if (s->resume)
		resumed_stack(ret, space, s);
}
