/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most samples bring addresses that were seen before, so memos stand before the symbolizer and the profile's
 * tables: expansions.h, and thread or function address → string. The latter are keyed by the profile's process
 * row, too.
 */
#include "profiler/live/pipeline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/index.h"
#include "profiler/base/log.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/classify.h"
#include "profiler/live/expansions.h"
#include "profiler/live/leftout.h"
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
	uint8_t kind; /* of the events: "cpu" */
	struct expansions expansions;
	struct memo threads[MEMO], starts[MEMO], creators[MEMO]; /* direct-mapped */
	struct leftout left_out;
	struct arena arena;
	struct stack stack;
	struct cunwind *cunwind;
	bool resuming; /* on the goroutine's own stack, behind another */
	bool gap;      /* a cut frame stands in the middle */
	bool bare;     /* there is code of which nothing is known */
	/* Expansions of the sample. */
	uint32_t
		leaf_first[MAX_KERNEL_PCS + HANDLER_PCS + 2 * STACK_PCS + MAX_USER_PCS + 6];
	uint32_t c_room; /* of it, for C that has called Go back */
};

int pipeline_open(struct pipeline **ret, struct profile *profile,
		  struct symbolizer *symbolizer, uint64_t start_ns)
{
	struct pipeline *pl = mem_zalloc(sizeof(*pl));

	pl->profile = profile;
	pl->symbolizer = symbolizer;
	pl->start_ns = start_ns;
	pl->kind = profile_find_kind(profile, "cpu");
	expansions_init(&pl->expansions, profile, symbolizer);
	cunwind_open(&pl->cunwind);
	*ret = pl;
	return 0;
}

void pipeline_close(struct pipeline *pl)
{
	if (!pl)
		return;
	expansions_release(&pl->expansions);
	leftout_release(&pl->left_out);
	cunwind_close(pl->cunwind);
	arena_release(&pl->arena);
	free(pl);
}

void pipeline_begin(struct pipeline *pl, struct profile *profile, uint64_t start_ns)
{
	pl->profile = profile;
	pl->start_ns = start_ns;
	expansions_release(&pl->expansions);
	expansions_init(&pl->expansions, profile, pl->symbolizer);
	memset(pl->threads, 0, sizeof(pl->threads));
	memset(pl->starts, 0, sizeof(pl->starts));
	memset(pl->creators, 0, sizeof(pl->creators));
	leftout_release(&pl->left_out);
	arena_release(&pl->arena);
}

void pipeline_forget(struct pipeline *pl, const struct object *o)
{
	cunwind_forget(pl->cunwind, o);
}

void pipeline_tidy(struct pipeline *pl, struct procs *procs)
{
	expansions_tidy(&pl->expansions, procs);
}

/* What ends a stack, whatever the chain says. */
static bool is_root(uint8_t kind)
{
	return kind == FRAME_GOEXIT || kind == FRAME_MSTART || kind == FRAME_MCALL;
}

/* What calls on another stack. As the leaf it may have found that it is there already, and the frame
 * pointer is not the goroutine's then. alone: the leaf, or no caller is known: asmcgocall may have called
 * on the stack that it was on. */
static bool switches(uint8_t kind, bool alone)
{
	return kind == FRAME_MORESTACK || kind == FRAME_SYSTEMSTACK ||
	       (kind == FRAME_ASMCGOCALL && alone);
}

/* Frames are missing here; what follows is known again. */
static void add_gap(struct pipeline *pl, uint32_t *n)
{
	pl->leaf_first[(*n)++] = pl->expansions.cut;
	pl->gap = true;
}

/* C that has called Go back, whose cgocallback has addr, as the next of leaf_first. Does it lead to the
 * thread's first function? */
static bool expand_callers_in_c(struct pipeline *pl, struct proc *p, const struct sample *s,
				uint64_t addr, bool entering, uint32_t *n)
{
	uint64_t pcs[MAX_USER_PCS];
	enum cunwind_end end;
	uint32_t n_pcs;

	if (!s->g0_sp || !pl->c_room)
		return false;
	n_pcs = stack_callers_in_c(&pl->stack, p->space, pl->cunwind, s, addr, entering,
				   pcs, pl->c_room - 1, &end);
	pl->c_room -= n_pcs + 1;
	for (uint32_t i = 0; i < n_pcs; i++)
		pl->leaf_first[(*n)++] = expansion_of_user(&pl->expansions, p, pcs[i] - 1,
							   s->time_ns);
	if (end != CUNWIND_GO && end != CUNWIND_ROOT)
		add_gap(pl, n);
	return end == CUNWIND_ROOT;
}

/* Symbolizes addresses into leaf_first, from the *n-th on, until a function where the stack ends or is
 * another one's from there: its kind, else FRAME_UNNAMED. */
static uint8_t expand_pcs(struct pipeline *pl, struct proc *p, const struct sample *s,
			  const uint64_t *pcs, uint32_t n_pcs, bool exact, uint32_t *n)
{
	bool interrupted = exact; /* an exact PC, no return address */
	bool bare = false;        /* the callers of such code may not be all */
	uint8_t kind = FRAME_UNNAMED;

	for (uint32_t i = 0; i < n_pcs; i++) {
		const struct expansion *e;
		uint32_t id;

		if (!pcs[i]) {
			if (kind != FRAME_CGOCALLBACK)
				break;
			continue;
		}
		if (pcs[i] == STACK_GAP) {
			add_gap(pl, n);
			continue;
		}
		id = expansion_of_user(&pl->expansions, p,
				       interrupted ? pcs[i] : pcs[i] - 1, s->time_ns);
		e = &pl->expansions.rows[id];
		if (e->unmapped && i) { /* a frame pointer that was none led here */
			pl->stack.broken = true;
			break;
		}
		if (s->time_ns < e->since) {
			pl->bare = true;
			break;
		}
		if (bare && e->code != CODE_BARE)
			add_gap(pl, n);
		bare = e->code == CODE_BARE && !(exact && pl->stack.c);
		pl->bare = pl->bare || e->code == CODE_BARE;
		pl->leaf_first[(*n)++] = id;
		kind = e->kind;
		if (is_root(kind) || kind == FRAME_SIGTRAMP ||
		    (kind == FRAME_MORESTACK && !s->goid))
			return kind;
		if (kind == FRAME_CGOCALLBACK) {
			bool leaf = exact && !i;

			if (expand_callers_in_c(pl, p, s, pcs[i] - !leaf,
						leaf && s->c_sp == s->sp, n))
				return FRAME_MSTART;
			if (leaf && s->resume)
				return kind;
		}
		if (s->resume == RESUME_SCHED && !pl->resuming &&
		    switches(kind, !i || i == n_pcs - 1) &&
		    (i || kind == FRAME_MORESTACK || s->fp == s->resume_fp))
			return kind;
		interrupted = kind == FRAME_SIGPANIC || kind == FRAME_INJECTED;
	}
	return kind == FRAME_CGOCALLBACK ? kind : FRAME_UNNAMED;
}

/* A signal handler, on top of the rest. */
static uint32_t expand_handler(struct pipeline *pl, struct proc *p, const struct sample *s,
			       uint32_t n)
{
	const struct stack *st = &pl->stack;

	for (uint32_t i = 0; i < st->n_handler; i++)
		pl->leaf_first[n++] = expansion_of_user(&pl->expansions, p,
							st->handler[i] - !!i, s->time_ns);
	return n;
}

/* Symbolizes the stack into leaf_first, from the n-th on; says whether it reaches a root. */
static uint32_t expand_stack(struct pipeline *pl, struct proc *p, const struct sample *s,
			     uint32_t n, bool *rooted)
{
	const struct stack *st = &pl->stack;
	const uint64_t *resume = st->pcs + st->n;
	uint32_t n_resume = st->n_resume;
	/* frame pointers say nothing in C that was called by a goroutine */
	bool native = s->resume && s->flags & SAMPLE_CGO && st->n && p->space &&
		      !space_is_go(p->space, st->pcs[0]);
	uint8_t kind;

	pl->resuming = pl->gap = pl->bare = *rooted = false;
	pl->c_room = MAX_USER_PCS;
	n = expand_handler(pl, p, s, n);
	if (s->flags & SAMPLE_HANDLER && !st->handled)
		return n;
	kind = expand_pcs(pl, p, s, st->pcs, native && !st->c ? 1 : st->n, true, &n);
	if ((st->c ? st->c_gap : native) || (pl->bare && s->resume == RESUME_SWITCHED))
		add_gap(pl, &n);
	/* or a goroutine that left its thread in newstack */
	*rooted = is_root(kind) || (kind == FRAME_MORESTACK && !s->goid) || st->c_root;
	if (s->flags & SAMPLE_GSIGNAL)
		*rooted = false;
	if (!n_resume || *rooted)
		return n;
	if (s->resume == RESUME_SCHED && kind != FRAME_MORESTACK) {
		if (kind == FRAME_UNNAMED && !native)
			return n;
		resume++; /* systemstack_switch, which never runs */
		n_resume--;
	}
	pl->resuming = true;
	*rooted = is_root(expand_pcs(pl, p, s, resume, n_resume, false, &n));
	return n;
}

/* Appends it to the n of leaf_first. If code has been added of which nothing was known, it may lead further. */
static uint32_t user_stack(struct pipeline *pl, struct proc *p, const struct sample *s,
			   uint32_t n, bool *rooted)
{
	uint32_t generation = space_generation(p->space), ret;
	uint64_t unused;

	stack_unwind(&pl->stack, p->space, pl->cunwind, s);
	ret = expand_stack(pl, p, s, n, rooted);
	if (pl->stack.stray && !space_object(p->space, pl->stack.stray, &unused) &&
	    proc_may_refresh(p, s->time_ns))
		procs_refresh(p);
	if (space_generation(p->space) == generation)
		return ret;
	stack_unwind(&pl->stack, p->space, pl->cunwind, s);
	return expand_stack(pl, p, s, n, rooted);
}

/* The first n of leaf_first do not lead to a root: why. */
static enum stack_end end_of(const struct pipeline *pl, const struct sample *s, uint32_t n)
{
	const struct expansion *last = n ? &pl->expansions.rows[pl->leaf_first[n - 1]]
					 : NULL;

	if (pl->stack.cut)
		return END_DEEP;
	if (pl->bare)
		return END_BARE;
	if (pl->gap)
		return pl->stack.broken ? END_BROKEN : END_NATIVE;
	if (s->flags & SAMPLE_STACK_FAULT)
		return END_FAULT;
	if (last && (last->kind < FRAME_WRAPPER || last->kind == FRAME_CGOCALLBACK) &&
	    last->kind != FRAME_GO && last->kind != FRAME_KERNEL)
		return END_NATIVE;
	return pl->stack.broken ? END_BROKEN : END_OTHER;
}

/* How many of leaf_first a stack has room for, without the mark. */
static uint32_t count_fitting(const struct pipeline *pl, uint32_t n)
{
	uint32_t i, frames = 0;

	for (i = 0; i < n && frames < MAX_STACK_FRAMES; i++)
		frames += pl->expansions.rows[pl->leaf_first[i]].n;
	return frames < MAX_STACK_FRAMES ? i : i - 1;
}

static uint32_t add_calls(struct pipeline *pl, uint32_t n, bool cut)
{
	uint32_t call = 0;

	if (cut && (!n || pl->leaf_first[n - 1] != pl->expansions.cut))
		call = profile_call(
			pl->profile, 0,
			pl->expansions
				.frames[pl->expansions.rows[pl->expansions.cut].first]);
	while (n--) {
		const struct expansion *e = &pl->expansions.rows[pl->leaf_first[n]];

		for (int i = e->n - 1; i >= 0; i--)
			call = profile_call(pl->profile, call,
					    pl->expansions.frames[e->first + (uint32_t)i]);
	}
	return call;
}

static struct memo *memo_find(struct memo *memos, uint32_t process, uint64_t key, bool *hit)
{
	struct memo *m = &memos[hash_pair(key, process) % MEMO];

	*hit = m->key == key && m->process == process && m->value;
	m->key = key;
	m->process = process;
	return m;
}

static uint32_t thread_row(struct pipeline *pl, const struct proc *p,
			   const struct sample *s)
{
	struct thread t = { .process = p->process, .tid = s->tid };
	bool hit;
	struct memo *m = memo_find(pl->threads, p->process, s->tid, &hit);
	struct buf b = { 0 };
	char path[64];

	if (hit)
		return m->value;
	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", s->tgid, s->tid);
	if (!file_read(AT_FDCWD, path, 256, &b) && b.len)
		t.name = strtab_addn(pl->profile->strings, (char *)b.data, b.len - 1);
	buf_release(&b);
	m->value = profile_thread(pl->profile, &t);
	return m->value;
}

static uint32_t start_string(struct pipeline *pl, struct proc *p, uint64_t startpc)
{
	bool hit;
	struct memo *m = memo_find(pl->starts, p->process, startpc, &hit);

	if (!hit)
		m->value =
			startpc && p->space
				? strtab_add(pl->profile->strings,
					     symbolizer_string(pl->symbolizer,
							       space_start_function(
								       p->space, startpc)))
				: 0;
	return m->value;
}

/* "main.(*Pool).run pool.go:41": the go statement. */
static uint32_t creator_string(struct pipeline *pl, struct proc *p, uint64_t gopc)
{
	bool hit;
	struct memo *m = memo_find(pl->creators, p->process, gopc, &hit);
	struct frame f[FRAMES_AT_PC];
	const char *func, *file;
	char text[512];

	if (hit || !gopc || !p->space)
		return hit ? m->value : 0;
	symbolizer_user(pl->symbolizer, p->space, gopc - 1, f, FRAMES_AT_PC, NULL);
	if (!f[0].func)
		return 0;
	func = symbolizer_string(pl->symbolizer, f[0].func);
	file = symbolizer_string(pl->symbolizer, f[0].file);
	file = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
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
		pl->profile->truth.labels_cut++;
	if (whole && object_changed(go)) /* constant() may have given zeros */
		set.len = 0;
	id = strtab_addn(pl->profile->strings, (char *)set.data, set.len);
	buf_release(&set);
	return id;
}

/* 0: none, or one that is not to be trusted: goroutines start where functions do. */
static uint32_t goroutine_row(struct pipeline *pl, struct proc *p, const struct sample *s)
{
	struct goroutine g = { .goid = s->goid,
			       .parent_goid = s->parent_goid,
			       .process = p->process };

	if (!s->goid)
		return 0;
	g.start = start_string(pl, p, s->startpc);
	if (p->space && s->startpc && !g.start) {
		pl->profile->truth.g_faults++;
		return 0;
	}
	g.creator = creator_string(pl, p, s->gopc);
	g.labels = labels_string(pl, p, s);
	return profile_goroutine(pl->profile, &g);
}

void pipeline_leave_out(struct pipeline *pl, const char *comm, const char *why,
			uint64_t samples)
{
	leftout_add(&pl->left_out, comm, why, samples);
}

void pipeline_sample(struct pipeline *pl, struct proc *p, const struct sample *s)
{
	struct event e = { .kind = pl->kind, .weight = s->weight };
	uint8_t leaf_kind = FRAME_UNNAMED;
	uint32_t n = 0, n_kernel, fit;
	bool rooted;

	if (!p->process) {
		pipeline_leave_out(pl, proc_comm(p), proc_why(p), 1);
		return;
	}
	for (; n < s->n_kernel; n++)
		pl->leaf_first[n] = expansion_find(&pl->expansions, NULL,
						   s->pcs[sample_user_pcs(s) + n]);
	n_kernel = n;
	n = user_stack(pl, p, s, n, &rooted);
	if (n > n_kernel)
		leaf_kind = pl->expansions.rows[pl->leaf_first[n_kernel]].kind;
	fit = count_fitting(pl, n);
	if (fit < n) {
		pl->stack.cut = true;
		rooted = false;
	}
	e.time_ns = s->time_ns > pl->start_ns ? s->time_ns - pl->start_ns : 0;
	e.call = add_calls(pl, fit, !rooted);
	e.goroutine = goroutine_row(pl, p, s);
	e.thread = thread_row(pl, p, s);
	e.class = (uint8_t)classify(
		s->goid && !e.goroutine ? s->flags | SAMPLE_G_FAULT : s->flags, e.goroutine,
		profile_string(pl->profile, pl->profile->goroutines[e.goroutine].start),
		leaf_kind);
	if (rooted && !pl->gap && !pl->bare)
		e.flags = EVENT_ROOTED;
	else
		e.end = (uint8_t)end_of(pl, s, fit);
	if (s->flags & (SAMPLE_CGO | SAMPLE_CGO_SOON))
		e.flags |= EVENT_CGO;
	if (s->flags & SAMPLE_VDSO)
		e.flags |= EVENT_VDSO;
	if (s->flags & SAMPLE_LOCKED)
		e.flags |= EVENT_LOCKED;
	profile_event(pl->profile, &e);
}

uint64_t pipeline_not_go(struct pipeline *pl, const char **names)
{
	return leftout_names(&pl->left_out, &pl->arena, names);
}
