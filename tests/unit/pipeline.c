/* SPDX-License-Identifier: BSD-2-Clause */
/* How stacks end: those of this process, whose code is not Go, and unmapped addresses. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/live/pipeline.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

static char kind_letter(uint8_t kind)
{
	return kind < 6 ? "uncvkC"[kind] : 'g';
}

/* The event of a sample of this process, or of none if pid is 0; its stack in kinds, root
 * first. */
static struct event pass_sample(struct sample *s, pid_t pid, char *kinds)
{
	struct profile *p = profile_new();
	struct symbolizer *sy;
	struct procs *ps;
	struct proc *self;
	struct pipeline *pl;
	struct event e;
	uint32_t depth;

	sy = symbolizer_new(p->strings);
	ps = procs_new(sy, p);
	self = procs_get(ps, 1, 1);
	self->wanted = true;
	self->process = profile_process(p, &(struct process){ .tgid = 1 });
	if (pid)
		cr_assert_eq(space_open(&self->space, sy, pid), 0);
	profile_kind(p, &(struct event_kind){ .name = strtab_add(p->strings, "calls") });
	profile_kind(p, &(struct event_kind){ .name = strtab_add(p->strings, "cpu") });
	pl = pipeline_new(p, sy, 0);
	s->tgid = 1;
	s->weight = 7;
	pipeline_sample(pl, self, s);
	cr_assert_eq(p->n_events, 1);
	e = p->events[0];
	cr_expect(e.kind == (s->call ? 1 : 2) && e.weight == 7);
	depth = p->sums[e.call].depth;
	kinds[depth] = 0;
	for (uint32_t call = e.call; call; call = p->calls[call].parent)
		kinds[--depth] = kind_letter(p->frames[p->calls[call].frame].kind);
	pipeline_free(pl);
	procs_close(ps);
	symbolizer_close(sy);
	profile_free(p);
	return e;
}

/* The same for a chain, leaf first; space: it is one of this process. */
static struct event pass(uint32_t flags, const uint64_t *pcs, uint32_t n, bool space,
			 char *kinds)
{
	struct sample *s = calloc(1, sizeof(*s) + n * 8);
	struct event e;

	s->flags = flags;
	s->ip = pcs[0];
	s->n_user = (uint16_t)(n - 1);
	memcpy(s->pcs, pcs + 1, (n - 1) * 8);
	e = pass_sample(s, space ? getpid() : 0, kinds);
	free(s);
	return e;
}

static void expect(uint32_t flags, const uint64_t *pcs, uint32_t n, bool space,
		   enum stack_end end, const char *want)
{
	char kinds[MAX_STACK_FRAMES + 1];
	struct event e = pass(flags, pcs, n, space, kinds);

	cr_expect(e.end == end && !e.flags, "%s: %d, %d", want, e.end, e.flags);
	cr_expect_str_eq(kinds, want);
}

/* 'C' is the cut: a stack that does not reach its root begins with it, for any reason. */
Test(pipeline, stacks_are_never_silently_short)
{
	uint64_t here = (uint64_t)(uintptr_t)pass, pcs[3] = { here, 0x1000, 0x2000 };

	expect(0, pcs, 1, false, END_NATIVE, "Cu");
	expect(SAMPLE_CUT, pcs, 3, false, END_DEEP, "Cuuu");
	expect(SAMPLE_STACK_FAULT, pcs, 2, false, END_FAULT, "Cuu");
	/* an unmapped address is not a caller */
	expect(0, pcs, 3, true, END_NATIVE, "Cc");
	expect(SAMPLE_CUT | SAMPLE_STACK_FAULT, pcs, 3, true, END_DEEP, "Cc");
	cr_expect(true);
}

static uint64_t goexit_of(pid_t pid)
{
	struct strtab *strs = strtab_new();
	struct symbolizer *sy;
	struct space *space;
	uint64_t entry = 0, bias = 0;
	const struct object *o;
	uint32_t len;

	sy = symbolizer_new(strs);
	for (int i = 0; i < 200 && !entry; i++) { /* until it has called exec */
		cr_assert_eq(space_open(&space, sy, pid), 0);
		o = space_go(space, &bias);
		if (!o || !gopclntab_function(o->go, "runtime.goexit", &entry, &len))
			usleep(5000);
		space_close(space);
	}
	cr_assert(entry);
	symbolizer_close(sy);
	strtab_free(strs);
	return entry + bias;
}

/* A goroutine in C: its C callers are unknown, its Go callers are known up to the root. */
Test(pipeline, gap_in_the_middle_is_not_complete)
{
	char kinds[MAX_STACK_FRAMES + 1];
	struct sample *s = calloc(1, sizeof(*s) + 8);
	struct event e;
	int in;
	pid_t pid = start_go(go_binary(), &in);

	s->ip = s->resume_pc = (uint64_t)(uintptr_t)goexit_of;
	s->flags = SAMPLE_CGO;
	s->resume = RESUME_SCHED;
	s->n_resume = 1;
	s->pcs[0] = goexit_of(pid) + 1;
	e = pass_sample(s, pid, kinds);
	cr_expect(e.end == END_NATIVE && !(e.flags & ~EVENT_CGO), "%d, %d", e.end, e.flags);
	cr_expect_str_eq(kinds, "gCu");
	stop_go(pid, in);
	free(s);
}

/* What is known about a process is dropped with it, and stays for the others. */
Test(pipeline, forgets_processes_that_have_ended)
{
	struct profile *p = profile_new();
	struct sample s = { .tgid = 2, .ip = (uint64_t)(uintptr_t)pass };
	struct proc *short_one, *other;
	struct symbolizer *sy;
	struct pipeline *pl;
	struct procs *ps;
	uint32_t call;

	sy = symbolizer_new(p->strings);
	ps = procs_new(sy, p);
	pl = pipeline_new(p, sy, 0);
	other = procs_get(ps, 2, 1);
	other->process = profile_process(p, &(struct process){ .tgid = 2 });
	cr_assert_eq(space_open(&other->space, sy, getpid()), 0);
	pipeline_sample(pl, other, &s);
	call = p->events[0].call;
	cr_assert_neq(call, 0);
	for (uint32_t round = 0; round < 3; round++) {
		short_one = procs_get(ps, 1, round + 1);
		short_one->process = profile_process(p, &(struct process){ .tgid = 1 });
		for (uint32_t i = 0; i < 40000; i++) {
			struct sample one = { .tgid = 1, .ip = i + 1 };

			pipeline_sample(pl, short_one, &one);
		}
		procs_drop(ps, short_one);
		pipeline_tidy(pl, ps);
		pipeline_sample(pl, other, &s);
		cr_expect_eq(p->events[p->n_events - 1].call, call, "round %u", round);
	}
	pipeline_free(pl);
	procs_close(ps);
	symbolizer_close(sy);
	profile_free(p);
}

Test(pipeline, calls_are_events_of_their_own_kind)
{
	char kinds[MAX_STACK_FRAMES + 1];
	struct sample s = { .call = 1 };

	cr_expect_eq(pass_sample(&s, 0, kinds).kind, 1);
}

/* An address of a Go process that is in the body of an inlined function. */
static uint64_t inlined_of(pid_t pid)
{
	struct strtab *strs = strtab_new();
	struct frame f[FRAMES_AT_PC];
	struct symbolizer *sy;
	struct space *space;
	uint64_t addr = goexit_of(pid);

	sy = symbolizer_new(strs);
	cr_assert_eq(space_open(&space, sy, pid), 0);
	while (symbolizer_user(sy, space, addr, f, FRAMES_AT_PC, NULL) != 2 ||
	       f[1].kind != FRAME_GO)
		addr--;
	space_close(space);
	symbolizer_close(sy);
	strtab_free(strs);
	return addr;
}

/* The entry of a function may belong to a body that was inlined there. */
Test(pipeline, a_call_is_of_the_function_itself)
{
	char kinds[MAX_STACK_FRAMES + 1];
	struct sample s = { 0 };
	int in;
	pid_t pid = start_go(go_binary(), &in);

	s.ip = inlined_of(pid);
	pass_sample(&s, pid, kinds);
	cr_expect_str_eq(kinds, "Cnn");
	s.call = 1;
	pass_sample(&s, pid, kinds);
	cr_expect_str_eq(kinds, "Cn");
	stop_go(pid, in);
}
