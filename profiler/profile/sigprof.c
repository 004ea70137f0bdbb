/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/sigprof.h"

#include <string.h>

#include "profiler/profile/profile.h"
#include "symbolizer/gobuildinfo.h"

enum { SAYS_VDSO = 20 }; /* from Go 1.20 on, vdsoPC comes before the PC */

const char *const sigprof_names[SIGPROF_MAX] = {
	[SIGPROF_VDSO] = "runtime._VDSO",
	[SIGPROF_EXTERNAL] = "runtime._ExternalCode",
	[SIGPROF_SYSTEM] = "runtime._System",
	[SIGPROF_SWITCH] = "runtime.systemstack_switch",
};

/* A stack on its way: call by call, leaf first. */
struct walk {
	const struct profile *p;
	uint32_t call;
	uint32_t *frames;
	uint32_t n;
};

static const struct frame *frame_at(const struct walk *w)
{
	return &w->p->frames[w->p->calls[w->call].frame];
}

static void step(struct walk *w)
{
	w->call = w->p->calls[w->call].parent;
}

static bool is_go(const struct frame *f)
{
	return f->kind == FRAME_GO || f->kind >= FRAME_WRAPPER;
}

static bool is_named(const struct walk *w, const char *name)
{
	return !strcmp(profile_string(w->p, frame_at(w)->func), name);
}

/* A thread gets its timer when it first runs a goroutine; sysmon and templateThread never
 * do. */
bool sigprof_counts(const struct profile *p, const struct event *e)
{
	struct walk w = { .p = p, .call = e->call };

	if (e->class == CLASS_STARTING || e->class == CLASS_SIGNAL || e->class == CLASS_C)
		return false;
	for (; w.call; step(&w)) {
		const struct frame *f = frame_at(&w);

		if (!e->goroutine && (is_named(&w, "runtime.sysmon") ||
				      is_named(&w, "runtime.templateThread")))
			return false;
		if (f->kind == FRAME_SIGTRAMP) /* signals are blocked */
			return false;
	}
	return true;
}

/* Functions that write to SP, so that their callers are unknown. Those with a frame_kind of
 * their own are not in the list. */
static bool is_spwrite(const struct walk *w)
{
	static const char *const names[] = { "time.now",
					     "runtime.nanotime1",
					     "runtime.walltime",
					     "runtime.vgetrandom1",
					     "runtime.clone",
					     "runtime.sigfwd",
					     "runtime.callCgoSigaction",
					     "runtime.callCgoMmap",
					     "runtime.callCgoMunmap",
					     "runtime.switchToCrashStack0" };

	if (frame_at(w)->kind != FRAME_GO)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_named(w, names[i]))
			return true;
	return false;
}

/* Does the profiler stop at this frame? first: it is the one where the profiler begins. */
static bool is_end(const struct walk *w, const struct event *e, bool first)
{
	switch (frame_at(w)->kind) {
	case FRAME_MCALL:
	case FRAME_MSTART:
	case FRAME_ASMCGOCALL: return true;
	/* they lead nowhere without a goroutine, or before they have left its stack */
	case FRAME_MORESTACK: return !e->goroutine || (first && e->class == CLASS_USER);
	case FRAME_SYSTEMSTACK: return !e->goroutine || e->class == CLASS_USER;
	}
	return is_spwrite(w);
}

/* Adds the frames from the first one on, which is Go. */
static void walk_go(struct walk *w, const struct event *e)
{
	uint8_t callee = FRAME_GO; /* kind of the last Go frame, shown or not */
	bool inlined = false, first = true;

	for (; w->call && (w->n < SIGPROF_DEPTH || inlined) && w->n < SIGPROF_CAP - 1;
	     step(w)) {
		const struct frame *f = frame_at(w);
		bool panics = callee == FRAME_PANIC || callee == FRAME_SIGPANIC;
		bool end = is_end(w, e, first);

		/* skip the C frames in between */
		if (callee == FRAME_CGOCALLBACK &&
		    !is_named(w, sigprof_names[SIGPROF_SWITCH])) {
			if (!is_named(w, "runtime.cgocall"))
				continue;
			w->frames[w->n++] = w->p->n_frames + SIGPROF_SWITCH;
		}
		if (!is_go(f) || f->kind == FRAME_GOEXIT)
			break;
		if (!(f->kind == FRAME_WRAPPER && !panics) &&
		    !(f->kind == FRAME_MORESTACK && !end))
			w->frames[w->n++] = w->p->calls[w->call].frame;
		if (end)
			break;
		callee = f->kind;
		inlined = f->inlined;
		first = false;
	}
}

/* The call that the profiler begins with; 0: it sees no Go at all. */
static uint32_t start_find(struct walk w, const struct event *e, int minor)
{
	struct walk leaf = w;
	bool vdso = frame_at(&w)->kind == FRAME_VDSO ||
		    (e->flags & EVENT_VDSO && (minor < 0 || minor >= SAYS_VDSO));

	if (e->flags & EVENT_CGO) {
		while (w.call && !is_named(&w, "runtime.cgocall"))
			step(&w);
		if (w.call)
			return w.call;
		w = leaf; /* the recorded stack does not reach it */
	}
	if (!vdso)
		return is_go(frame_at(&w)) ? w.call : 0;
	while (w.call && !is_go(frame_at(&w)))
		step(&w);
	if (w.call) /* nanotime1, time.now */
		step(&w);
	return w.call;
}

uint32_t sigprof_stack(const struct profile *p, const struct event *e, uint32_t *ret)
{
	const struct process *pr = &p->processes[p->threads[e->thread].process];
	int minor = gobuildinfo_minor(profile_string(p, pr->go_version));
	struct walk w = { .p = p, .call = e->call, .frames = ret };
	uint8_t leaf;

	while (w.call && frame_at(&w)->kind == FRAME_KERNEL)
		step(&w);
	if (!w.call)
		return 0;
	leaf = frame_at(&w)->kind;
	w.call = start_find(w, e, minor);
	if (!w.call) {
		ret[0] = p->n_frames +
			 (leaf == FRAME_VDSO ? SIGPROF_VDSO : SIGPROF_EXTERNAL);
		ret[1] = p->n_frames + SIGPROF_SYSTEM;
		return 2;
	}
	walk_go(&w, e);
	return w.n;
}
