/* SPDX-License-Identifier: BSD-2-Clause */
/* How stacks end: of this process, whose code is not Go, and of addresses that nobody has. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/pipeline.h"
#include "profiler/proc.h"
#include "profiler/profile.h"
#include "symbolizer/symbolizer.h"

/* The event of a sample with this chain, leaf first, which 0 ends; its stack in kinds, root first. */
static struct event pass(uint32_t flags, const uint64_t *pcs, uint32_t n, bool space,
			 char *kinds)
{
	struct profile *p = profile_new();
	struct symbolizer *sy;
	struct procs *ps;
	struct proc *self;
	struct pipeline *pl;
	struct sample *s = calloc(1, sizeof(*s) + n * 8);
	struct event e;
	uint32_t depth;

	cr_assert_eq(symbolizer_open(&sy, p->strings), 0);
	cr_assert_eq(procs_open(&ps, sy, p), 0);
	self = procs_get(ps, 1, 1);
	self->wanted = true;
	self->process = profile_process(p, &(struct process){ .tgid = 1 });
	if (space)
		cr_assert_eq(space_open(&self->space, sy, getpid()), 0);
	cr_assert_eq(pipeline_open(&pl, p, sy, 0), 0);
	s->tgid = 1;
	s->flags = flags;
	s->ip = pcs[0];
	s->n_user = (uint16_t)(n - 1);
	memcpy(s->pcs, pcs + 1, (n - 1) * 8);
	pipeline_sample(pl, self, s);
	cr_assert_eq(p->n_events, 1);
	e = p->events[0];
	depth = p->sums[e.call].depth;
	kinds[depth] = 0;
	for (uint32_t call = e.call; call; call = p->calls[call].parent)
		kinds[--depth] = "uncvkC"[p->frames[p->calls[call].frame].kind];
	pipeline_close(pl);
	procs_close(ps);
	symbolizer_close(sy);
	profile_free(p);
	free(s);
	return e;
}

static void expect(uint32_t flags, const uint64_t *pcs, uint32_t n, bool space,
		   enum stack_end end, const char *want)
{
	char kinds[MAX_STACK_FRAMES + 1];
	struct event e = pass(flags, pcs, n, space, kinds);

	cr_expect_eq(e.flags, end * EVENT_END, "%s: %d", want, e.flags);
	cr_expect_str_eq(kinds, want);
}

/* 'C' is the mark: a stack that does not reach its root has it there, whatever the reason. */
Test(pipeline, stacks_are_never_silently_short)
{
	uint64_t here = (uint64_t)(uintptr_t)pass, pcs[3] = { here, 0x1000, 0x2000 };

	expect(0, pcs, 1, false, END_NATIVE, "Cu");
	expect(SAMPLE_CUT, pcs, 3, false, END_DEEP, "Cuuu");
	expect(SAMPLE_STACK_FAULT, pcs, 2, false, END_FAULT, "Cuu");
	/* what is not mapped is no caller */
	expect(0, pcs, 3, true, END_NATIVE, "Cc");
	expect(SAMPLE_CUT | SAMPLE_STACK_FAULT, pcs, 3, true, END_DEEP, "Cc");
	cr_expect(true);
}
