/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/unwind.h"

#include "profiler/unwind/callback.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

/* A stack that is being put together. */
struct walk {
	struct stack *st;
	struct space *space;
	const struct sample *s;
	struct callbacks callbacks;
	uint32_t c_room; /* how many more entries the C of callbacks may have */
	bool gap;        /* callers are missing, but not only at the end */
	bool bare;       /* some code is in no file, and nothing is known of it */
	bool broken;
	uint8_t kind; /* of the last function added, as enum frame_kind */
};

/* Ends the stack, whatever a chain of frame pointers says. */
static bool is_root(uint8_t kind)
{
	return kind == FRAME_GOEXIT || kind == FRAME_MSTART || kind == FRAME_MCALL;
}

/* Calls on another stack. alone: it is the leaf, or no caller is known; asmcgocall may have
 * called on the stack that it was on. */
static bool switches(uint8_t kind, bool alone)
{
	return kind == FRAME_MORESTACK || kind == FRAME_SYSTEMSTACK ||
	       (kind == FRAME_ASMCGOCALL && alone);
}

/* Cannot run out of room: STACK_MAX is all that pieces and callbacks can have. */
static void add(struct walk *w, uint64_t pc)
{
	if (w->st->n < STACK_MAX)
		w->st->pcs[w->st->n++] = pc;
}

/* Callers are missing here; what follows is known again. */
static void add_gap(struct walk *w)
{
	add(w, STACK_GAP);
	w->gap = true;
}

/* Appends the C that has called Go back, by the cgocallback in which addr is. True: it
 * reaches the thread's first function. */
static bool add_callers_in_c(struct walk *w, uint64_t addr, bool entering)
{
	uint64_t pcs[MAX_USER_PCS];
	enum cunwind_end end;
	uint32_t n;

	if (!w->s->g0_sp || !w->c_room)
		return false;
	n = callbacks_next(&w->callbacks, addr, entering, pcs, w->c_room - 1, &end);
	w->c_room -= n + 1;
	for (uint32_t i = 0; i < n; i++)
		add(w, pcs[i] - 1);
	if (end != CUNWIND_GO && end != CUNWIND_ROOT)
		add_gap(w);
	return end == CUNWIND_ROOT;
}

/*
 * Appends one piece, up to the first function that ends the stack, or from which on another
 * stack is the true one: w->kind is that function's, else FRAME_UNNAMED. leaf: it begins
 * with the interrupted PC; else with a return address on the goroutine's own stack, below
 * another one.
 */
static void add_piece(struct walk *w, const uint64_t *pcs, uint32_t n_pcs, bool leaf)
{
	const struct sample *s = w->s;
	bool exact = leaf; /* a PC, no return address */
	bool bare = false; /* callers of such code may be missing */

	w->kind = FRAME_UNNAMED;
	for (uint32_t i = 0; i < n_pcs; i++) {
		struct go_pc f;
		uint64_t pc = exact ? pcs[i] : pcs[i] - 1;

		if (!pcs[i]) {
			if (w->kind != FRAME_CGOCALLBACK)
				break;
			continue;
		}
		if (pcs[i] == STACK_GAP) {
			add_gap(w);
			continue;
		}
		space_go_pc(w->space, pc, &f);
		if (i && w->space && !f.mapped) {
			w->broken = true; /* a frame pointer that was none led here */
			w->st->stray = pc;
			break;
		}
		if (s->time_ns < f.since) {
			w->bare = true;
			break;
		}
		if (bare && f.code != CODE_BARE)
			add_gap(w);
		bare = f.code == CODE_BARE && !(leaf && w->st->pieces.c);
		w->bare = w->bare || f.code == CODE_BARE;
		add(w, pc);
		w->kind = f.kind;
		if (is_root(w->kind) || w->kind == FRAME_SIGTRAMP ||
		    (w->kind == FRAME_MORESTACK && !s->goid))
			return;
		if (w->kind == FRAME_CGOCALLBACK) {
			bool first = leaf && !i;

			if (add_callers_in_c(w, pcs[i] - !first,
					     first && s->c_sp == s->sp)) {
				w->kind = FRAME_MSTART;
				return;
			}
			if (first && s->resume)
				return;
		}
		/* As the leaf it may have found that it is on the other stack already. Then
		 * the frame pointer is not the goroutine's. */
		if (s->resume == RESUME_SCHED && leaf &&
		    switches(w->kind, !i || i == n_pcs - 1) &&
		    (i || w->kind == FRAME_MORESTACK || s->fp == s->resume_fp))
			return;
		exact = w->kind == FRAME_SIGPANIC || w->kind == FRAME_INJECTED;
	}
	if (w->kind != FRAME_CGOCALLBACK)
		w->kind = FRAME_UNNAMED;
}

/* Appends what the pieces have. True: it reaches a root. */
static bool add_pieces(struct walk *w)
{
	const struct pieces *p = &w->st->pieces;
	const struct sample *s = w->s;
	uint32_t own = p->own;
	/* frame pointers say nothing in C that a goroutine has called */
	bool native = s->resume && s->flags & SAMPLE_CGO && p->own && w->space &&
		      !space_is_go(w->space, p->pcs[0]);
	bool rooted;

	for (uint32_t i = 0; i < p->n_handler; i++)
		add(w, p->handler[i] - !!i);
	if (s->flags & SAMPLE_HANDLER && !p->handled)
		return false;
	add_piece(w, p->pcs, native && !p->c ? 1 : own, true);
	if ((p->c ? p->c_gap : native) || (w->bare && s->resume == RESUME_SWITCHED))
		add_gap(w);
	/* or a goroutine that left its thread in newstack */
	rooted = is_root(w->kind) || (w->kind == FRAME_MORESTACK && !s->goid) || p->c_root;
	if (s->flags & SAMPLE_GSIGNAL)
		rooted = false;
	if (own == p->n || rooted)
		return rooted;
	if (s->resume == RESUME_SCHED && w->kind != FRAME_MORESTACK) {
		if (w->kind == FRAME_UNNAMED && !native)
			return false;
		own++; /* systemstack_switch, which never runs */
	}
	add_piece(w, p->pcs + own, p->n - own, false);
	return is_root(w->kind);
}

/* Why the stack is not complete. */
static enum stack_end end_of(const struct walk *w)
{
	const struct stack *st = w->st;
	struct go_pc f;

	if (st->pieces.cut)
		return END_DEEP;
	if (w->bare)
		return END_BARE;
	if (w->gap)
		return w->broken ? END_BROKEN : END_NATIVE;
	if (w->s->flags & SAMPLE_STACK_FAULT)
		return END_FAULT;
	if (st->n) {
		space_go_pc(w->space, st->pcs[st->n - 1], &f);
		if (!f.entry || f.kind == FRAME_CGOCALLBACK)
			return END_NATIVE;
	}
	return w->broken ? END_BROKEN : END_OTHER;
}

void stack_unwind(struct stack *ret, struct space *space, struct cunwind *u,
		  const struct sample *s)
{
	struct walk w = {
		.st = ret,
		.space = space,
		.s = s,
		.callbacks = { .space = space, .u = u, .s = s, .sp = s->g0_sp },
		.c_room = MAX_USER_PCS,
	};
	bool rooted;

	pieces_find(&ret->pieces, space, u, s);
	ret->n = 0;
	ret->stray = ret->pieces.stray;
	w.broken = ret->pieces.broken;
	rooted = add_pieces(&w);
	ret->complete = rooted && !w.gap && !w.bare;
	ret->end = ret->complete ? END_OTHER : end_of(&w);
	if (!rooted && (!ret->n || ret->pcs[ret->n - 1] != STACK_GAP))
		add(&w, STACK_GAP);
}
