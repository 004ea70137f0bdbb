/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/sigprof.h"

#include <string.h>

#include "profiler/base/arena.h"
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
	const uint8_t *roles;
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

/* What a function is, beside its frame_kind. */
enum role {
	ROLE_NONE,
	/* Its thread never gets a timer: that comes when it first runs a goroutine. */
	ROLE_THREAD,
	ROLE_CGOCALL,
	ROLE_SWITCH,
	ROLE_SPWRITE, /* writes to SP, so that its callers are unknown */
};

static enum role role_of(const char *func)
{
	static const struct {
		const char *name;
		enum role role;
	} roles[] = {
		{ "runtime.sysmon", ROLE_THREAD },
		{ "runtime.templateThread", ROLE_THREAD },
		{ "runtime.cgocall", ROLE_CGOCALL },
		{ "runtime.systemstack_switch", ROLE_SWITCH },
		/* those with a frame_kind of their own are not in the list */
		{ "time.now", ROLE_SPWRITE },
		{ "runtime.nanotime1", ROLE_SPWRITE },
		{ "runtime.walltime", ROLE_SPWRITE },
		{ "runtime.vgetrandom1", ROLE_SPWRITE },
		{ "runtime.clone", ROLE_SPWRITE },
		{ "runtime.sigfwd", ROLE_SPWRITE },
		{ "runtime.callCgoSigaction", ROLE_SPWRITE },
		{ "runtime.callCgoMmap", ROLE_SPWRITE },
		{ "runtime.callCgoMunmap", ROLE_SPWRITE },
		{ "runtime.switchToCrashStack0", ROLE_SPWRITE },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (!strcmp(func, roles[i].name))
			return roles[i].role;
	return ROLE_NONE;
}

uint8_t *sigprof_roles(const struct profile *p)
{
	uint8_t *ret = mem_zalloc(p->n_frames);

	for (uint32_t i = 0; i < p->n_frames; i++)
		ret[i] = (uint8_t)role_of(profile_string(p, p->frames[i].func));
	return ret;
}

static bool has_role(const struct walk *w, enum role role)
{
	return w->roles[w->p->calls[w->call].frame] == role;
}

bool sigprof_counts(const struct profile *p, const uint8_t *roles, const struct event *e)
{
	struct walk w = { .p = p, .roles = roles, .call = e->call };

	if (e->class == CLASS_STARTING || e->class == CLASS_SIGNAL || e->class == CLASS_C)
		return false;
	for (; w.call; step(&w)) {
		const struct frame *f = frame_at(&w);

		if (!e->goroutine && has_role(&w, ROLE_THREAD))
			return false;
		if (f->kind == FRAME_SIGTRAMP) /* signals are blocked */
			return false;
	}
	return true;
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
	return frame_at(w)->kind == FRAME_GO && has_role(w, ROLE_SPWRITE);
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
		if (callee == FRAME_CGOCALLBACK && !has_role(w, ROLE_SWITCH)) {
			if (!has_role(w, ROLE_CGOCALL))
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
		while (w.call && !has_role(&w, ROLE_CGOCALL))
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

static int minor_of(const struct profile *p, const struct event *e)
{
	const struct process *pr = &p->processes[p->threads[e->thread].process];

	return gobuildinfo_minor(profile_string(p, pr->go_version));
}

uint64_t sigprof_depends(const struct profile *p, const struct event *e)
{
	uint64_t flags = e->flags & (EVENT_CGO | EVENT_VDSO);

	return (uint64_t)minor_of(p, e) << 32 | flags << 16 | e->class << 8 | !e->goroutine;
}

uint32_t sigprof_stack(const struct profile *p, const uint8_t *roles, const struct event *e,
		       uint32_t *ret)
{
	int minor = minor_of(p, e);
	struct walk w = { .p = p, .roles = roles, .call = e->call, .frames = ret };
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
