/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/gounwind.h"

#include <stddef.h>

#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

enum {
	MAX_ADDED = STACK_PCS - 4, /* leaves room for what follows on another stack */
	COPIES = 5,
	FAR = 1 << 18, /* no caller's frame is that far away on the same stack */
};

struct walk {
	struct pieces *st;
	struct space *space;
	struct stack_copy copies[COPIES];
	uint32_t n_copies;
	const __u64 *next, *end; /* of the chain */
	uint64_t record;         /* address of the record of *next; 0: not known */
	uint64_t pc, sp;         /* of the frame that we are at; sp 0: not known */
	bool exact;
};

static bool word_at(const struct walk *w, uint64_t addr, uint64_t *ret)
{
	for (uint32_t i = 0; i < w->n_copies; i++)
		if (copy_word(&w->copies[i], addr, ret))
			return true;
	return false;
}

/* Is there another record in the chain? Takes in the copied words that come before it. */
static bool has_record(struct walk *w)
{
	while (w->next < w->end && *w->next == CHAIN_WORDS) {
		ptrdiff_t left = w->end - w->next;
		uint64_t n = left > 4 ? w->next[2] : 0;

		if (left <= 4 || n > (uint64_t)left - 4) {
			w->next = w->end;
			break;
		}
		if (w->n_copies < COPIES)
			w->copies[w->n_copies++] = (struct stack_copy){
				w->next[1], w->next + 4, (uint32_t)n * WORD
			};
		w->record = w->next[3];
		w->next += 4 + n;
	}
	return w->next < w->end && *w->next >= CHAIN_MARKS;
}

/* Takes a record: gives its return address, and in *sp where the caller's frame begins,
 * right above it. */
static uint64_t take_record(struct walk *w, uint64_t *sp)
{
	uint64_t entry = *w->next++, distance = chain_distance(entry);

	if (distance == CHAIN_NO_RECORD * WORD) {
		*sp = 0;
	} else {
		*sp = w->record ? w->record + RECORD_BYTES : 0;
		w->record = w->record && distance ? w->record + distance : 0;
	}
	return chain_pc(entry);
}

static void drop_records_below(struct walk *w, uint64_t addr)
{
	uint64_t unused;

	while (w->record && w->record < addr && has_record(w) && w->record < addr)
		take_record(w, &unused);
}

/* Continues at the caller, to which ra returns with this SP. */
static bool add(struct walk *w, uint64_t ra, uint64_t sp)
{
	w->st->pcs[w->st->n++] = ra;
	w->pc = ra;
	w->sp = sp;
	return true;
}

static bool broken(struct walk *w)
{
	w->st->broken = true;
	return false;
}

/* Callers are missing here; what follows is further out. */
static void add_gap(struct walk *w)
{
	w->st->broken = true;
	w->st->pcs[w->st->n++] = STACK_GAP;
}

/* By the chain alone. */
static bool step_by_chain(struct walk *w)
{
	uint64_t ra, sp;

	if (w->sp)
		drop_records_below(w, w->sp);
	if (w->next < w->end && *w->next == CHAIN_WORDS)
		return broken(w); /* the chain was interrupted, and goes on further out */
	if (!has_record(w))
		return false;
	ra = take_record(w, &sp);
	return add(w, ra, sp);
}

/*
 * From cgocallback, whose frame ends at cfa, to the Go code that called C: its frames are
 * right above. The word at cfa is asmcgocall's return address, or (up to Go 1.20) a frame
 * record.
 */
static bool step_by_callback(struct walk *w, uint64_t cfa)
{
	uint64_t ra;

	w->st->pcs[w->st->n++] = 0;
	if (w->next < w->end && *w->next == CHAIN_CALLBACK && w->end - w->next > 2) {
		w->record = w->next[1];
		w->next += 2;
		return step_by_chain(w);
	}
	if (!cfa || !word_at(w, cfa, &ra))
		return broken(w);
	if (space_is_go(w->space, ra))
		return add(w, ra, cfa + CALL_PUSHES);
	if (!word_at(w, cfa + WORD, &ra) || !space_is_go(w->space, ra))
		return broken(w);
	return add(w, ra, cfa + RECORD_BYTES);
}

/* By the place at which pclntab says the return address is. */
static bool step_by_pclntab(struct walk *w, const struct go_pc *f)
{
	uint64_t cfa = frame_cfa(w->sp, f->spdelta), ra, sp;
	uint64_t record = frame_record(w->sp, f->spdelta);
	struct go_pc caller;

	drop_records_below(w, record);
	if (has_record(w) && w->record == record) {
		ra = take_record(w, &sp);
		return add(w, ra, cfa);
	}
	if (!word_at(w, frame_return(w->sp, f->spdelta), &ra))
		return broken(w);
	if (space_go_pc(w->space, ra, &caller) || caller.code == CODE_BARE)
		return add(w, ra, cfa);
	w->st->stray = ra;
	return ra ? broken(w) : false;
}

static bool is_root(uint8_t kind)
{
	return kind == FRAME_GOEXIT || kind == FRAME_MSTART || kind == FRAME_MCALL ||
	       kind == FRAME_SIGTRAMP;
}

/* Can ra be the return address of f, in which pc is? A stack word may be stale. The runtime
 * also jumps to its own functions, so of those any Go code may be the caller. */
static bool returns_from(const struct walk *w, uint64_t ra, uint64_t pc,
			 const struct go_pc *f)
{
	return f->kind == FRAME_GO ? gocall_may_be_of(w->space, ra, pc)
				   : space_is_go(w->space, ra);
}

/* f sets SP, and has made a call: had it set SP by then? If not, its caller's frame, which
 * ends above cfa, is on this stack, and the return address is where pclntab says. */
static bool is_on_same_stack(struct walk *w, const struct go_pc *f)
{
	uint64_t cfa = frame_cfa(w->sp, f->spdelta), ra;

	if (!has_record(w) || !w->record)
		return false;
	if (w->record == frame_record(w->sp, f->spdelta))
		return true;
	return w->record >= cfa && w->record - cfa < FAR &&
	       word_at(w, frame_return(w->sp, f->spdelta), &ra) &&
	       returns_from(w, ra, w->pc - 1, f);
}

/* From a function that has set SP, so that pclntab does not say where its return address
 * is. The chain begins with its own record, or, if it keeps none, with its caller's, and
 * then the caller is lost. Functions of the runtime that switch stacks lose nobody:
 * unwind.c knows them. */
static bool step_from_moved(struct walk *w, const struct go_pc *f)
{
	if (f->kind == FRAME_GO && !f->spdelta)
		add_gap(w);
	return step_by_chain(w);
}

/* From asmcgocall, which was on g0 already and has called C right there. */
static bool step_from_asmcgocall(struct walk *w, const struct go_pc *f)
{
	uint64_t saved, ra;

	for (int i = 0; i < 2; i++) {
		if (!word_at(w, w->sp + asmcgocall_saved[i], &saved) || saved <= w->sp ||
		    saved - w->sp > ASMCGOCALL_MAX ||
		    !word_at(w, frame_return(saved, f->spdelta), &ra) ||
		    !gocall_may_be_of(w->space, ra, w->pc - 1))
			continue;
		return add(w, ra, frame_cfa(saved, f->spdelta));
	}
	return false;
}

/* Goes to the caller. False: there is none, or it is not known. */
static bool step(struct walk *w)
{
	struct go_pc f;
	bool exact = w->exact;

	w->exact = false;
	if (w->st->n >= MAX_ADDED) {
		w->st->cut = true;
		return false;
	}
	if (!space_go_pc(w->space, exact ? w->pc : w->pc - 1, &f))
		return step_by_chain(w);
	if (is_root(f.kind))
		return false;
	w->exact = f.kind == FRAME_SIGPANIC || f.kind == FRAME_INJECTED;
	if (f.kind == FRAME_CGOCALLBACK && !exact)
		return step_by_callback(
			w, w->sp && f.has_spdelta ? frame_cfa(w->sp, f.spdelta) : 0);
	if (!w->sp || !f.has_spdelta)
		return step_by_chain(w);
	if (f.kind == FRAME_ASMCGOCALL && !exact && step_from_asmcgocall(w, &f))
		return true;
	if (f.spwrite && !exact && !is_on_same_stack(w, &f))
		return step_from_moved(w, &f);
	return step_by_pclntab(w, &f);
}

/* The leaf is a function that sets SP, and may have done so. *callback: SP is on the
 * goroutine's stack, but the frame pointer is C's, as in cgocallback. */
static bool has_moved(struct walk *w, const struct gostack *g, struct go_pc *f,
		      bool *callback)
{
	uint64_t cfa, ra = 0;
	bool go;

	*callback = false;
	if (!g->exact || !space_go_pc(w->space, g->pc, f) || !f->spwrite || !f->has_spdelta)
		return false;
	cfa = frame_cfa(g->sp, f->spdelta);
	go = word_at(w, frame_return(g->sp, f->spdelta), &ra) &&
	     returns_from(w, ra, g->pc, f);
	if (go && (g->fp == frame_record(g->sp, f->spdelta) || g->fp - cfa < FAR))
		return false;
	*callback = go && !g->n_chain;
	return true;
}

struct gostack gostack_of(const struct sample *s)
{
	return (struct gostack){
		.pc = s->ip,
		.sp = s->sp,
		.fp = s->fp,
		.exact = true,
		.words = { s->sp, s->pcs, s->n_words * WORD },
		.chain = s->pcs + s->n_words,
		.n_chain = s->n_user,
		.chain_fp = s->chain_fp,
		.above_sigpanic = { s->sigpanic_fp + RECORD_BYTES, &s->above_sigpanic,
				    s->sigpanic_fp ? WORD : 0 },
	};
}

struct gostack gostack_resumed(const struct sample *s)
{
	const __u64 *words = s->pcs + s->n_words + s->n_user;
	struct gostack g = gostack_of(s);

	g.pc = s->resume_pc;
	g.sp = s->resume_sp;
	g.fp = s->resume_fp;
	g.exact = false;
	g.words = (struct stack_copy){ s->resume_sp, words, s->n_resume_words * WORD };
	g.chain = words + s->n_resume_words;
	g.n_chain = s->n_resume;
	g.chain_fp = s->resume_chain_fp;
	return g;
}

struct gostack gostack_in(struct stack_copy words, uint64_t pc, uint64_t sp, uint64_t fp,
			  __u64 chain[COPY_RECORDS])
{
	struct gostack g = {
		.pc = pc, .sp = sp, .fp = fp, .words = words, .chain = chain, .chain_fp = fp
	};
	uint64_t record[2], distance;

	while (g.n_chain < COPY_RECORDS && fp >= sp && fp % WORD == 0 &&
	       copy_read(&words, fp, record, sizeof(record)) && record[1] >= CHAIN_MARKS &&
	       record[1] == chain_pc(record[1])) {
		distance = record[0] - fp;
		if (record[0] <= fp || distance >= CHAIN_NO_RECORD * WORD ||
		    distance % WORD)
			distance = 0;
		chain[g.n_chain++] = record[1] | distance << (CHAIN_PC_BITS - 3);
		if (!distance)
			break;
		fp = record[0];
	}
	return g;
}

void gounwind(struct pieces *ret, struct space *space, const struct gostack *g)
{
	struct walk w = {
		.st = ret,
		.space = space,
		.copies = { g->words, g->above_sigpanic },
		.n_copies = 2,
		.next = g->chain,
		.end = g->chain + g->n_chain,
		.record = g->chain_fp,
		.pc = g->pc,
		.sp = g->sp,
		.exact = g->exact,
	};
	struct go_pc f;
	bool callback;

	ret->sp = 0;
	ret->pcs[ret->n++] = g->pc;
	if (has_moved(&w, g, &f, &callback)) {
		w.sp = 0;
		w.exact = false;
		if (callback) {
			if (!step_by_callback(&w, frame_cfa(g->sp, f.spdelta)))
				return;
		} else if (g->chain_fp != g->fp || !step_from_moved(&w, &f)) {
			/* a chain that does not begin at fp may begin further out */
			ret->broken = true;
			return;
		}
	}
	while (step(&w))
		;
	ret->sp = w.sp;
}
