/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/profile.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"

const char *const stack_end_texts[END_MAX] = {
	[END_OTHER] = "for an unknown reason",
	[END_DEEP] = "with more frames than are recorded",
	[END_FAULT] = "where memory could not be read",
	[END_NATIVE] = "in C without unwind tables, or where C calls Go",
	[END_BROKEN] = "at an invalid frame pointer or return address",
	[END_BARE] = "in generated code that the Go runtime does not know",
};

const char *const event_class_names[CLASS_MAX] = {
	[CLASS_STARTING] = "starting",
	[CLASS_SIGNAL] = "signal",
	[CLASS_C] = "c",
	[CLASS_GC] = "gc",
	[CLASS_SCHEDULER] = "scheduler",
	[CLASS_CGO] = "cgo",
	[CLASS_KERNEL] = "kernel",
	[CLASS_RUNTIME] = "runtime",
	[CLASS_USER] = "user",
	[CLASS_UNKNOWN] = "unknown",
};

struct profile *profile_new(void)
{
	struct profile *p = mem_zalloc(sizeof(*p));

	p->strings = strtab_new();
	(void)table_add(p->modules, p->n_modules, p->cap_modules);
	(void)table_add(p->frames, p->n_frames, p->cap_frames);
	p->sums = table_room(p->sums, sizeof(*p->sums), 0, &p->cap_sums);
	(void)table_add(p->calls, p->n_calls, p->cap_calls);
	(void)table_add(p->processes, p->n_processes, p->cap_processes);
	(void)table_add(p->threads, p->n_threads, p->cap_threads);
	(void)table_add(p->goroutines, p->n_goroutines, p->cap_goroutines);
	(void)table_add(p->kinds, p->n_kinds, p->cap_kinds);
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	strtab_free(p->strings);
	index_release(&p->frame_index);
	index_release(&p->call_index);
	index_release(&p->goroutine_index);
	index_release(&p->thread_index);
	free(p->modules);
	free(p->frames);
	free(p->calls);
	free(p->sums);
	free(p->processes);
	free(p->threads);
	free(p->goroutines);
	free(p->kinds);
	free(p->events);
	free(p->ended);
	free(p);
}

/* Rows are found by their bytes, so padding must not be among them. */
_Static_assert(sizeof(struct frame) == 8 + 5 * 4 + 2 * 2, "padding in struct frame");
_Static_assert(offsetof(struct goroutine, parent_goid) == 8 + 2 * 4, "padding in a key");
_Static_assert(offsetof(struct thread, name) == 2 * 4, "padding in a key");

uint32_t profile_frame(struct profile *p, const struct frame *f)
{
	return index_put(&p->frame_index, p->frames, p->n_frames, p->cap_frames, f,
			 sizeof(*f));
}

bool profile_measure_call(struct profile *p, uint32_t id)
{
	const struct call *c = &p->calls[id];
	const struct frame *f = &p->frames[c->frame];
	bool user = f->kind != FRAME_KERNEL && f->kind != FRAME_CUT;
	struct stack_sums *sums;

	p->sums = table_room(p->sums, sizeof(*p->sums), id, &p->cap_sums);
	sums = &p->sums[id];
	*sums = p->sums[c->parent];
	sums->depth++;
	sums->user += user;
	sums->named += user && f->func;
	return sums->depth <= MAX_STACK_FRAMES;
}

uint32_t profile_call(struct profile *p, uint32_t parent, uint32_t frame)
{
	struct call c = { parent, frame };
	uint32_t id, n = p->n_calls;

	if (p->sums[parent].depth == MAX_STACK_FRAMES)
		return parent;
	id = index_put(&p->call_index, p->calls, p->n_calls, p->cap_calls, &c, sizeof(c));
	if (id == n)
		profile_measure_call(p, id);
	return id;
}

uint32_t profile_goroutine(struct profile *p, const struct goroutine *g)
{
	return index_put(&p->goroutine_index, p->goroutines, p->n_goroutines,
			 p->cap_goroutines, g, offsetof(struct goroutine, parent_goid));
}

uint32_t profile_thread(struct profile *p, const struct thread *t)
{
	return index_put(&p->thread_index, p->threads, p->n_threads, p->cap_threads, t,
			 offsetof(struct thread, name));
}

uint32_t profile_module(struct profile *p, const struct module *m)
{
	*table_add(p->modules, p->n_modules, p->cap_modules) = *m;
	return p->n_modules - 1;
}

uint32_t profile_process(struct profile *p, const struct process *pr)
{
	*table_add(p->processes, p->n_processes, p->cap_processes) = *pr;
	return p->n_processes - 1;
}

uint8_t profile_kind(struct profile *p, const struct event_kind *k)
{
	*table_add(p->kinds, p->n_kinds, p->cap_kinds) = *k;
	return (uint8_t)(p->n_kinds - 1);
}

uint8_t profile_find_kind(const struct profile *p, const char *name)
{
	for (uint32_t i = 1; i < p->n_kinds; i++)
		if (name ? !strcmp(name, profile_string(p, p->kinds[i].name))
			 : p->kinds[i].name && p->kinds[i].quality.samples > 0)
			return (uint8_t)i;
	return !name && p->n_kinds > 1;
}

bool profile_is_time(const struct profile *p, uint8_t kind)
{
	return !strcmp(profile_string(p, p->kinds[kind].unit), UNIT_NS);
}

void profile_count_event(struct profile *p, const struct event *e)
{
	const struct stack_sums *sums = &p->sums[e->call];
	struct quality *q = &p->kinds[e->kind].quality;

	q->samples++;
	q->with_goroutine += e->goroutine != 0;
	q->with_class += e->goroutine || e->class != CLASS_UNKNOWN;
	q->rooted += e->flags & EVENT_ROOTED;
	q->user_frames += sums->user;
	q->named_frames += sums->named;
}

void profile_event(struct profile *p, const struct event *e)
{
	profile_count_event(p, e);
	*table_add(p->events, p->n_events, p->cap_events) = *e;
}

void profile_drop_before(struct profile *p, uint64_t until_ns)
{
	uint32_t n = p->n_events;

	p->n_events = 0;
	for (uint32_t i = 0; i < n; i++)
		if (p->events[i].time_ns >= until_ns)
			p->events[p->n_events++] = p->events[i];
}

const char *profile_noun(const struct profile *p, uint8_t kind)
{
	const char *name = profile_string(p, p->kinds[kind].name);

	return !strcmp(name, "goroutine") ? "goroutine"
	       : strcmp(name, "calls")    ? "sample"
					  : "call";
}

const char *profile_string(const struct profile *p, uint32_t id)
{
	return strtab_get(p->strings, id);
}
