/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind.h"

#include <string.h>

#include "symbolizer/symbolizer.h"

static void add_chain(struct stack *st, const struct sample *s)
{
	memcpy(&st->pcs[st->n], s->pcs + MAX_WORDS, s->n_user * sizeof(*st->pcs));
	st->n += s->n_user;
}

/*
 * With d bytes between SP and the return address, which is just below the canonical frame address
 * (CFA), a complete frame has its frame pointer, and the saved one, below it. A frame pointer that
 * is above the CFA is the caller's. One that is neither is not a frame pointer now: assembly uses
 * the register for data, and only the direct caller is known.
 */
void stack_unwind(struct stack *ret, struct space *space, const struct sample *s)
{
	const __u64 *chain = s->pcs + MAX_WORDS;
	uint64_t cfa, ra;
	uint32_t d;

	ret->n = 0;
	ret->cut = s->flags & SAMPLE_CUT;
	ret->broken = s->flags & SAMPLE_STACK_FAULT;
	if (!s->ip)
		return;
	ret->pcs[ret->n++] = s->ip;
	if (!space || !space_spdelta(space, s->ip, &d)) {
		add_chain(ret, s);
		return;
	}
	cfa = s->sp + d + 8;
	if (s->fp == cfa - 16) {
		add_chain(ret, s);
		return;
	}
	if (d % 8 || d / 8 >= s->n_words) {	/* too far from SP: the caller is not known */
		ret->broken = true;
		return;
	}
	ra = s->pcs[d / 8];
	if (!space_is_go(space, ra)) {
		ret->broken = true;
		return;
	}
	ret->pcs[ret->n++] = ra;
	if (s->fp >= cfa && s->n_user && space_is_go(space, chain[0]))
		add_chain(ret, s);
	else if (s->fp)		/* 0: the caller is the root */
		ret->broken = true;
}
