/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most samples bring addresses and threads that were seen before, so results are cached:
 * frames by expansions.h, rows of threads and names of functions here. All caches are keyed
 * by the profile's row of the process, among other things.
 */
#include "profiler/live/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/index.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/classify.h"
#include "profiler/live/expansions.h"
#include "profiler/live/proc.h"
#include "profiler/live/samplelabels.h"
#include "profiler/profile/profile.h"
#include "profiler/unwind/cunwind.h"
#include "profiler/unwind/unwind.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { MEMO = 1024 };

struct memo {
	uint64_t key;
	uint32_t process, value;
};

struct pipeline {
	struct profile *profile;
	struct symbolizer *symbolizer;
	uint64_t start_ns;
	/* of the events: "cpu", "calls", first calls; 0: there is none */
	uint8_t kind, call_kind, first_kind;
	struct expansions expansions;
	struct {
		struct memo threads[MEMO], starts[MEMO], creators[MEMO]; /* direct-mapped */
	} memos;
	struct stack stack;
	struct cunwind *cunwind;
	uint32_t leaf_first[MAX_KERNEL_PCS + STACK_MAX]; /* the sample's expansions */
};

struct pipeline *pipeline_new(struct profile *profile, struct symbolizer *symbolizer,
			      uint64_t start_ns)
{
	struct pipeline *pl = mem_zalloc(sizeof(*pl));

	pl->symbolizer = symbolizer;
	pl->cunwind = cunwind_new();
	pipeline_begin(pl, profile, start_ns);
	return pl;
}

void pipeline_free(struct pipeline *pl)
{
	if (!pl)
		return;
	expansions_release(&pl->expansions);
	cunwind_free(pl->cunwind);
	free(pl);
}

void pipeline_begin(struct pipeline *pl, struct profile *profile, uint64_t start_ns)
{
	pl->profile = profile;
	pl->start_ns = start_ns;
	pl->kind = profile_find_kind(profile, "cpu");
	pl->call_kind = profile_find_kind(profile, "calls");
	pl->first_kind = profile_find_kind(profile, "");
	expansions_release(&pl->expansions);
	expansions_init(&pl->expansions, profile, pl->symbolizer);
	memset(&pl->memos, 0, sizeof(pl->memos));
}

void pipeline_forget(struct pipeline *pl, const struct object *o)
{
	cunwind_forget(pl->cunwind, o);
}

void pipeline_tidy(struct pipeline *pl, struct procs *procs)
{
	expansions_tidy(&pl->expansions, procs);
}

/* Appends the user stack to the n rows of leaf_first and returns their new number. If this
 * finds code that was not known before, unwinds again: the stack may now lead further. */
static uint32_t add_user_stack(struct pipeline *pl, struct proc *p, const struct sample *s,
			       uint32_t n)
{
	uint32_t generation = space_generation(p->space), before = n;
	struct stack *st = &pl->stack;
	uint64_t unused;

	if (s->call == CALL_SUM) { /* it has no stack, only a function */
		*st = (struct stack){ .n = 0 };
		pl->leaf_first[n] = expansion_of_user(&pl->expansions, p, s->ip,
						      s->time_ns);
		return n + 1;
	}
	for (int turn = 0; turn < 2; turn++) {
		stack_unwind(st, p->space, pl->cunwind, s);
		n = before;
		for (uint32_t i = 0; i < st->n; i++)
			pl->leaf_first[n++] = st->pcs[i] == STACK_GAP
						      ? EXPANSION_CUT
						      : expansion_of_user(&pl->expansions,
									  p, st->pcs[i],
									  s->time_ns);
		if (st->stray && !space_object(p->space, st->stray, &unused) &&
		    proc_may_refresh(p, s->time_ns))
			procs_refresh(p);
		if (space_generation(p->space) == generation)
			break;
	}
	return n;
}

/* Cuts the root end of a stack with more than MAX_STACK_FRAMES frames. Returns the number
 * of rows left in leaf_first. */
static uint32_t cut_deep(struct pipeline *pl, uint32_t n)
{
	uint32_t i, frames = 0;

	for (i = 0; i < n; i++) {
		frames += pl->expansions.rows[pl->leaf_first[i]].n;
		if (frames > MAX_STACK_FRAMES)
			break;
	}
	if (i == n)
		return n;
	do /* the mark needs room too */
		frames -= pl->expansions.rows[pl->leaf_first[i]].n;
	while (frames == MAX_STACK_FRAMES && i--);
	pl->leaf_first[i] = EXPANSION_CUT;
	pl->stack.complete = false;
	pl->stack.end = END_DEEP;
	return i + 1;
}

/* What the first of leaf_first is. The entry of a function may belong to the body of
 * another one, which was inlined there and is not called yet. */
enum leaf { LEAF_CODE, LEAF_ENTRY, LEAF_COPY };

/* How often a copy ran is less certain, so its function stands apart. */
static uint32_t copy_frame(struct pipeline *pl, uint32_t row)
{
	struct frame f = pl->profile->frames[row];
	struct buf name = { 0 };

	buf_printf(&name, FUNC_COPY "%s", profile_string(pl->profile, f.func));
	f.func = strtab_add(pl->profile->strings, buf_text(&name));
	buf_release(&name);
	return profile_frame(pl->profile, &f);
}

/* alone: without its callers. */
static uint32_t add_calls(struct pipeline *pl, uint32_t n, enum leaf leaf, bool alone)
{
	uint32_t call = 0;

	while (n--) {
		const struct expansion *e = &pl->expansions.rows[pl->leaf_first[n]];
		int innermost = leaf == LEAF_ENTRY && !n ? e->n - 1 : 0;

		for (int i = alone ? innermost : e->n - 1; i >= innermost; i--) {
			uint32_t row = pl->expansions.frames[e->first + (uint32_t)i];

			if (leaf == LEAF_COPY && !n && !i)
				row = copy_frame(pl, row);
			call = profile_call(pl->profile, call, row);
		}
	}
	return call;
}

/* The memo of this key; the caller fills in its value if that is 0. */
static struct memo *memo_find(struct memo *memos, uint32_t process, uint64_t key)
{
	struct memo *m = &memos[hash_pair(key, process) % MEMO];

	if (m->key != key || m->process != process)
		*m = (struct memo){ key, process, 0 };
	return m;
}

static uint32_t thread_row(struct pipeline *pl, const struct proc *p,
			   const struct sample *s)
{
	struct thread t = { .process = p->process, .tid = s->tid };
	struct memo *m = memo_find(pl->memos.threads, p->process, s->tid);
	char comm[sizeof(p->comm)];

	if (!m->value) {
		proc_thread_comm(s->tgid, s->tid, comm);
		t.name = strtab_add(pl->profile->strings, comm);
		m->value = profile_thread(pl->profile, &t);
	}
	return m->value;
}

static uint32_t start_string(struct pipeline *pl, struct proc *p, uint64_t startpc)
{
	struct memo *m = memo_find(pl->memos.starts, p->process, startpc);
	uint32_t name;

	if (!m->value && startpc && p->space) {
		name = space_start_function(p->space, startpc);
		m->value = strtab_add(pl->profile->strings,
				      symbolizer_string(pl->symbolizer, name));
	}
	return m->value;
}

/* The go statement, as "main.(*Pool).run pool.go:41". */
static uint32_t creator_string(struct pipeline *pl, struct proc *p, uint64_t gopc)
{
	struct memo *m = memo_find(pl->memos.creators, p->process, gopc);
	struct frame f[FRAMES_AT_PC];
	const char *func, *file;
	char text[512];

	if (m->value || !gopc || !p->space)
		return m->value;
	symbolizer_user(pl->symbolizer, p->space, gopc - 1, f, FRAMES_AT_PC, NULL);
	if (!f[0].func)
		return 0;
	func = symbolizer_string(pl->symbolizer, f[0].func);
	file = basename(symbolizer_string(pl->symbolizer, f[0].file));
	snprintf(text, sizeof(text), f[0].line ? "%s %s:%u" : "%s", func, file, f[0].line);
	m->value = strtab_add(pl->profile->strings, text);
	return m->value;
}

static const char *constant(void *space, uint64_t addr, size_t len)
{
	return space_constant(space, addr, len);
}

static uint32_t labels_string(struct pipeline *pl, struct proc *p, const struct sample *s)
{
	uint32_t n = sample_user_pcs(s) + s->n_kernel, id;
	uint64_t bias;
	const struct object *go = p->space ? space_go(p->space, &bias) : NULL;
	bool whole = go && !object_changed(go);
	struct buf set = { 0 };

	if (!s->n_label_bytes && !(s->flags & SAMPLE_LABELS_CUT))
		return 0;
	if (!sample_labels(&set, &s->pcs[n], s->n_label_bytes, s->flags & SAMPLE_LABELS_CUT,
			   constant, p->space))
		pl->profile->stats.labels_cut++;
	if (whole && object_changed(go)) /* constant() may have returned zeros */
		set.len = 0;
	id = strtab_addn(pl->profile->strings, (char *)set.data, set.len);
	buf_release(&set);
	return id;
}

/* 0: no goroutine, or one that cannot be right: no function starts at its startpc. */
static uint32_t goroutine_row(struct pipeline *pl, struct proc *p, const struct sample *s)
{
	struct goroutine g = { .goid = s->goid,
			       .parent_goid = s->parent_goid,
			       .process = p->process };

	if (!s->goid)
		return 0;
	g.start = start_string(pl, p, s->startpc);
	if (p->space && s->startpc && !g.start) {
		pl->profile->stats.g_faults++;
		return 0;
	}
	g.creator = creator_string(pl, p, s->gopc);
	g.labels = labels_string(pl, p, s);
	return profile_goroutine(pl->profile, &g);
}

/* copy: an address of the copy that was called; 0: none was. */
static void add_event(struct pipeline *pl, struct proc *p, const struct sample *s,
		      uint8_t kind, uint64_t copy)
{
	struct event e = { .kind = kind, .weight = s->weight };
	uint8_t leaf_kind = FRAME_UNNAMED;
	uint32_t n = 0, n_kernel;

	for (; n < s->n_kernel; n++)
		pl->leaf_first[n] = expansion_find(&pl->expansions, NULL,
						   s->pcs[sample_user_pcs(s) + n]);
	n_kernel = n;
	n = add_user_stack(pl, p, s, n);
	if (copy)
		pl->leaf_first[n_kernel] = expansion_of_user(&pl->expansions, p, copy,
							     s->time_ns);
	if (pl->stack.pcs[0] != STACK_GAP)
		leaf_kind = pl->expansions.rows[pl->leaf_first[n_kernel]].kind;
	n = cut_deep(pl, n);
	e.time_ns = s->time_ns > pl->start_ns ? s->time_ns - pl->start_ns : 0;
	e.call = add_calls(pl, n,
			   copy      ? LEAF_COPY
			   : s->call ? LEAF_ENTRY
				     : LEAF_CODE,
			   s->call == CALL_SUM);
	e.goroutine = goroutine_row(pl, p, s);
	e.thread = thread_row(pl, p, s);
	e.cpu = s->cpu + 1;
	e.class = (uint8_t)classify(
		s->goid && !e.goroutine ? s->flags | SAMPLE_G_FAULT : s->flags, e.goroutine,
		profile_string(pl->profile, pl->profile->goroutines[e.goroutine].start),
		leaf_kind);
	if (pl->stack.complete)
		e.flags = EVENT_ROOTED;
	else
		e.end = (uint8_t)pl->stack.end;
	if (s->flags & (SAMPLE_CGO | SAMPLE_CGO_SOON))
		e.flags |= EVENT_CGO;
	if (s->flags & SAMPLE_VDSO)
		e.flags |= EVENT_VDSO;
	if (s->flags & SAMPLE_LOCKED)
		e.flags |= EVENT_LOCKED;
	profile_event(pl->profile, &e);
}

static uint8_t kind_of(const struct pipeline *pl, const struct sample *s)
{
	return s->call == CALL_FIRST ? pl->first_kind : s->call ? pl->call_kind : pl->kind;
}

void pipeline_sample(struct pipeline *pl, struct proc *p, const struct sample *s)
{
	add_event(pl, p, s, kind_of(pl, s), 0);
}

void pipeline_event(struct pipeline *pl, struct proc *p, const struct sample *s,
		    uint8_t kind)
{
	add_event(pl, p, s, kind, 0);
}

void pipeline_copy(struct pipeline *pl, struct proc *p, const struct sample *s,
		   uint64_t body)
{
	add_event(pl, p, s, kind_of(pl, s), body);
}
