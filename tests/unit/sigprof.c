/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "profiler/base/buf.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

struct sampled {
	const char *version, *stack;
	uint8_t class, flags;
	bool goroutine;
};

/* The stack of one event in a tree with as_pprof, root first; "-": none. The caller
 * frees it. */
static char *shown(const struct sampled *s)
{
	struct profile *p = hand_profile();
	struct view v = { .as_pprof = true };
	uint32_t pid, tid, node = 0;
	struct buf b = { 0 };
	const struct tree *t;

	pid = profile_process(p, &(struct process){ 812, hand_string(p, "demo"), 0,
						    hand_string(p, s->version), 0 });
	tid = hand_thread(p, pid, 813, "demo");
	profile_event(p, &(struct event){ .kind = 1,
					  .call = hand_stack(p, s->stack),
					  .goroutine = s->goroutine
							       ? hand_goroutine(p, pid, 7,
										"", "", "")
							       : 0,
					  .thread = tid,
					  .class = s->class,
					  .flags = s->flags });
	view_select(&v, p);
	t = view_tree(&v);
	cr_assert(t);
	cr_assert_eq(v.pprof_skips + t->nodes[0].samples, 1);
	for (uint32_t i = 1; i < t->n_nodes; i++) {
		cr_assert_eq(t->nodes[i].parent, node, "one stack");
		node = i;
		buf_printf(&b, "%s%s", i > 1 ? " " : "", t->nodes[i].name);
	}
	cr_assert_eq(t->nodes[node].self_samples, 1 - v.pprof_skips);
	if (v.pprof_skips)
		buf_str(&b, "-");
	buf_u8(&b, 0);
	view_release(&v);
	profile_free(p);
	return (char *)b.data;
}

static void expect(const char *version, const char *stack, uint8_t class, uint8_t flags,
		   const char *want)
{
	struct sampled s = { version, stack, class, flags, class != CLASS_SCHEDULER };
	char *got = shown(&s);

	cr_expect_str_eq(got, want, "%s", stack);
	free(got);
}

#define GO   "goexit:runtime.goexit go:main.a "
#define CALL GO "go:main._Cfunc_f go:runtime.cgocall "
#define CALLBACK \
	CALL "go:runtime.systemstack_switch cgocallback:runtime.cgocallback go:runtime.cgocallbackg "

Test(sigprof, roots_and_names)
{
	expect("go1.26.1", GO "go:main.F[go.shape.int] kernel:read kernel:vfs_read",
	       CLASS_KERNEL, 0, "main.a main.F[go.shape.int]");
	expect("go1.19.8", GO "wrapper:main.f inl:main.b wrapper:main.g", CLASS_USER, 0,
	       "main.a main.b");
	expect("go1.26.1", GO "wrapper:main.f panic:runtime.gopanic", CLASS_USER, 0,
	       "main.a main.f runtime.gopanic");
	expect("go1.26.1", "mcall:runtime.mcall go:runtime.park_m", CLASS_SCHEDULER, 0,
	       "runtime.mcall runtime.park_m");
	expect("go1.26.1", "cut: go:main.b go:main.c", CLASS_USER, 0, "main.b main.c");
	cr_expect(true);
}

Test(sigprof, switches)
{
	expect("go1.26.1", GO "morestack:runtime.morestack go:runtime.newstack",
	       CLASS_RUNTIME, 0, "main.a runtime.newstack");
	expect("go1.26.1", "morestack:runtime.morestack go:runtime.newstack",
	       CLASS_SCHEDULER, 0, "runtime.morestack runtime.newstack");
	expect("go1.26.1", GO "morestack:runtime.morestack", CLASS_USER, 0,
	       "runtime.morestack");
	expect("go1.26.1", GO "systemstack:runtime.systemstack go:runtime.f", CLASS_RUNTIME,
	       0, "main.a runtime.systemstack runtime.f");
	expect("go1.26.1", GO "systemstack:runtime.systemstack", CLASS_USER, 0,
	       "runtime.systemstack");
	cr_expect(true);
}

Test(sigprof, calls_of_c)
{
	expect("go1.26.1", CALL "asmcgocall:runtime.asmcgocall c:f c:g", CLASS_CGO,
	       EVENT_CGO, "main.a main._Cfunc_f runtime.cgocall");
	expect("go1.26.1", CALL "cut: c:g", CLASS_CGO, EVENT_CGO,
	       "main.a main._Cfunc_f runtime.cgocall");
	expect("go1.26.1", CALL "go:runtime.exitsyscall", CLASS_USER, EVENT_CGO,
	       "main.a main._Cfunc_f runtime.cgocall");
	expect("go1.26.1", CALL "go:runtime.exitsyscall", CLASS_USER, 0,
	       "main.a main._Cfunc_f runtime.cgocall runtime.exitsyscall");
	/* without a mark for cgo no Go is visible below C */
	expect("go1.26.1", CALL "asmcgocall:runtime.asmcgocall c:pthread_create",
	       CLASS_RUNTIME, 0, "runtime._System runtime._ExternalCode");
	cr_expect(true);
}

Test(sigprof, callbacks)
{
	const char *want =
		"main.a main._Cfunc_f runtime.cgocall runtime.systemstack_switch "
		"runtime.cgocallback runtime.cgocallbackg main.back";

	expect("go1.26.1", CALLBACK "go:main.back", CLASS_USER, 0, want);
	/* with the frames in between */
	expect("go1.26.1",
	       CALL
	       "asmcgocall:runtime.asmcgocall c:f go:crosscall2 cgocallback:runtime.cgocallback "
	       "go:runtime.cgocallbackg go:main.back",
	       CLASS_USER, 0, want);
	/* the innermost call counts */
	expect("go1.26.1",
	       CALLBACK "go:main.back go:runtime.cgocall asmcgocall:runtime.asmcgocall c:g",
	       CLASS_CGO, EVENT_CGO,
	       "main.a main._Cfunc_f runtime.cgocall runtime.systemstack_switch "
	       "runtime.cgocallback runtime.cgocallbackg main.back runtime.cgocall");
	cr_expect(true);
}

Test(sigprof, vdso)
{
	const char *in = GO "go:time.now vdso:__vdso_clock_gettime", *at = GO "go:time.now";

	expect("go1.20.0", in, CLASS_USER, EVENT_VDSO, "main.a");
	expect("go1.20.0", at, CLASS_USER, EVENT_VDSO, "main.a");
	expect("go1.20.0", at, CLASS_USER, 0, "time.now");
	expect("go1.19.1", in, CLASS_USER, EVENT_VDSO, "main.a");
	expect("go1.19.1", at, CLASS_USER, EVENT_VDSO, "time.now");
	expect("go1.26.1", "cut: vdso:__vdso_clock_gettime", CLASS_USER, 0,
	       "runtime._System runtime._VDSO");
	cr_expect(true);
}

/* Each stack is made once, for all events that would have the same. */
Test(sigprof, events_of_one_call_may_differ)
{
	struct profile *p = hand_profile();
	struct view v = { .as_pprof = true };
	uint32_t pid = profile_process(p,
				       &(struct process){ 812, hand_string(p, "demo"), 0,
							  hand_string(p, "go1.26.1"), 0 });
	struct event e = { .kind = 1,
			   .call = hand_stack(p, GO "go:time.now"),
			   .goroutine = hand_goroutine(p, pid, 7, "", "", ""),
			   .thread = hand_thread(p, pid, 813, "demo"),
			   .class = CLASS_USER };
	const struct tree *t;

	for (int i = 0; i < 4; i++) {
		e.flags = i ? EVENT_VDSO : 0;
		profile_event(p, &e);
	}
	view_select(&v, p);
	t = view_tree(&v);
	cr_assert_eq(t->n_nodes, 3);
	cr_expect_str_eq(t->nodes[1].name, "time.now");
	cr_expect_str_eq(t->nodes[2].name, "main.a");
	cr_expect_eq(t->nodes[1].self_samples, 1);
	cr_expect_eq(t->nodes[2].self_samples, 3);
	view_release(&v);
	profile_free(p);
}

Test(sigprof, not_there)
{
	expect("go1.26.1", "c:start_thread c:f", CLASS_C, 0, "-");
	expect("go1.26.1", "sigtramp:runtime.sigtramp go:runtime.sighandler", CLASS_SIGNAL,
	       0, "-");
	expect("go1.26.1", "sigtramp:runtime.cgoSigtramp", CLASS_USER, 0, "-");
	expect("go1.26.1", "mstart:runtime.mstart go:runtime.sysmon go:runtime.usleep",
	       CLASS_SCHEDULER, 0, "-");
	expect("go1.26.1", "mstart:runtime.mstart go:runtime.schedule", CLASS_SCHEDULER, 0,
	       "runtime.mstart runtime.schedule");
	cr_expect(true);
}

/* The leaf side is kept, with an inlined function's callers up to the one that is not
 * inlined. */
Test(sigprof, depth)
{
	struct profile *p = hand_profile();
	uint32_t frames[SIGPROF_CAP], call = hand_stack(p, "goexit:runtime.goexit"), n;
	uint32_t go = p->n_frames, inl;
	struct event e = { .class = CLASS_USER };
	uint8_t *roles;

	call = profile_call(p, call,
			    profile_frame(p, &(struct frame){ 1, .kind = FRAME_GO }));
	inl = profile_frame(p, &(struct frame){ 2, .kind = FRAME_GO, .inlined = 1 });
	for (int i = 0; i < 100; i++)
		call = profile_call(p, call, go);
	e.call = call;
	roles = sigprof_roles(p);
	cr_expect_eq(sigprof_stack(p, roles, &e, frames), 64);
	/* 64 from the leaf: 62, an inlined one and its caller, and two more around that */
	call = profile_call(p, 0, go);
	call = profile_call(p, call, go);
	for (int i = 0; i < 3; i++)
		call = profile_call(p, call, inl);
	for (int i = 0; i < 63; i++)
		call = profile_call(p, call, go);
	e.call = call;
	n = sigprof_stack(p, roles, &e, frames);
	cr_expect_eq(n, 67);
	cr_expect_eq(frames[n - 1], go);
	cr_expect_eq(frames[63], inl);
	free(roles);
	profile_free(p);
}
