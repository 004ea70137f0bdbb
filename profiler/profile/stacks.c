/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/stacks.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/view.h"

static uint32_t add_frame(struct stacks *s, uint32_t parent, uint32_t frame)
{
	struct stack stack = { parent, s->alike ? s->alike[frame] : frame };
	uint32_t id = index_row(&s->index, s->rows, sizeof(stack), &stack, sizeof(stack),
				s->n);

	if (id == s->n)
		*table_add(s->rows, s->n, s->cap) = stack;
	return id;
}

static uint32_t add_call(struct stacks *s, uint32_t parent, uint32_t call)
{
	uint32_t frames[2];
	int n = view_call(s->view, call, frames);

	for (int i = 0; i < n; i++)
		parent = add_frame(s, parent, frames[i]);
	return parent;
}

/* Climbs to the first caller whose stack is known, then adds the others on the way down. */
static uint32_t stack_of_call(struct stacks *s, uint32_t call)
{
	const struct profile *p = s->view->profile;
	uint32_t path[MAX_STACK_FRAMES], n = 0, stack = 0;

	for (; call; call = p->calls[call].parent) {
		if (s->of_call[call]) {
			stack = s->of_call[call] - 1;
			break;
		}
		path[n++] = call;
	}
	while (n--) {
		stack = add_call(s, stack, path[n]);
		s->of_call[path[n]] = stack + 1;
	}
	return stack;
}

/* Stacks as the runtime's profiler has them, each made once. */
static uint32_t sigprof_add(struct stacks *s, const struct event *e)
{
	uint64_t depends = sigprof_depends(s->view->profile, e);
	uint32_t id = pairs_add(&s->sigprofs, e->call, depends);
	uint32_t frames[VIEW_MAX_FRAMES], n, stack = 0;

	if (id < s->n_of_sigprof)
		return s->of_sigprof[id];
	n = view_stack(s->view, e, frames);
	while (n--)
		stack = add_frame(s, stack, frames[n]);
	return *table_add(s->of_sigprof, s->n_of_sigprof, s->cap_of_sigprof) = stack;
}

uint32_t stacks_add(struct stacks *s, const struct event *e)
{
	const struct view *v = s->view;

	if (!s->rows) {
		*table_add(s->rows, s->n, s->cap) = (struct stack){ 0 };
		s->of_call = mem_zalloc(v->profile->n_calls * sizeof(*s->of_call));
	}
	return v->as_pprof ? sigprof_add(s, e) : stack_of_call(s, e->call);
}

uint64_t *stacks_weigh(struct stacks *s)
{
	const struct view *v = s->view;
	uint32_t *of = mem_zalloc(v->n_events * sizeof(*of));
	uint64_t *ret;

	for (uint32_t i = 0; i < v->n_events; i++)
		of[i] = stacks_add(s, &v->profile->events[v->events[i]]);
	ret = mem_zalloc(s->n * sizeof(*ret));
	for (uint32_t i = 0; i < v->n_events; i++)
		ret[of[i]] += v->profile->events[v->events[i]].weight;
	free(of);
	return ret;
}

void stacks_release(struct stacks *s)
{
	free(s->rows);
	free(s->of_call);
	free(s->of_sigprof);
	pairs_release(&s->sigprofs);
	index_release(&s->index);
	*s = (struct stacks){ 0 };
}

uint32_t *frame_names(const struct view *v, struct strtab *names)
{
	uint32_t n = v->profile->n_frames + SIGPROF_MAX;
	uint32_t *ret = mem_zalloc(n * sizeof(*ret));
	struct buf name = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		name.len = 0;
		view_frame_name(v, i, &name);
		ret[i] = strtab_addn(names, (const char *)name.data, name.len);
	}
	buf_release(&name);
	return ret;
}
