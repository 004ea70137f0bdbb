/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/copy.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/profile.h"

/* For each row of `from` its row in `to`; 0: not copied yet. Row 0 is always row 0. */
struct copying {
	struct profile *to;
	const struct profile *from;
	uint32_t *strings, *modules, *frames, *calls, *processes, *threads, *goroutines;
};

static uint32_t *rows(uint32_t n)
{
	return mem_zalloc(n * sizeof(uint32_t));
}

static uint32_t string_of(struct copying *c, uint32_t id)
{
	if (id && !c->strings[id])
		c->strings[id] = strtab_add(c->to->strings, profile_string(c->from, id));
	return c->strings[id];
}

static uint32_t module_of(struct copying *c, uint32_t id)
{
	struct profile *to = c->to;
	struct module m;

	if (!id || c->modules[id])
		return c->modules[id];
	m = c->from->modules[id];
	m.path = string_of(c, m.path);
	m.build_id = string_of(c, m.build_id);
	m.go_module = string_of(c, m.go_module);
	for (uint32_t i = 1; i < to->n_modules; i++)
		if (!memcmp(&to->modules[i], &m, sizeof(m)))
			return c->modules[id] = i;
	return c->modules[id] = profile_module(to, &m);
}

static uint32_t frame_of(struct copying *c, uint32_t id)
{
	struct frame f;

	if (!id || c->frames[id])
		return c->frames[id];
	f = c->from->frames[id];
	f.func = string_of(c, f.func);
	f.file = string_of(c, f.file);
	f.module = module_of(c, f.module);
	return c->frames[id] = profile_frame(c->to, &f);
}

/* Climbs to the first caller that was copied, then copies the others on the way down. */
static uint32_t call_of(struct copying *c, uint32_t id)
{
	uint32_t path[MAX_STACK_FRAMES], n = 0, ret;

	for (; id && !c->calls[id]; id = c->from->calls[id].parent)
		path[n++] = id;
	ret = c->calls[id];
	while (n--)
		ret = c->calls[path[n]] = profile_call(
			c->to, ret, frame_of(c, c->from->calls[path[n]].frame));
	return ret;
}

static uint32_t process_of(struct copying *c, uint32_t id)
{
	struct profile *to = c->to;
	struct process p;

	if (!id || c->processes[id])
		return c->processes[id];
	p = c->from->processes[id];
	p.name = string_of(c, p.name);
	p.path = string_of(c, p.path);
	p.go_version = string_of(c, p.go_version);
	p.resource = string_of(c, p.resource);
	for (uint32_t i = 1; i < to->n_processes; i++)
		if (!memcmp(&to->processes[i], &p, sizeof(p)))
			return c->processes[id] = i;
	return c->processes[id] = profile_process(to, &p);
}

static uint32_t thread_of(struct copying *c, uint32_t id)
{
	struct thread t;

	if (!id || c->threads[id])
		return c->threads[id];
	t = c->from->threads[id];
	t.process = process_of(c, t.process);
	t.name = string_of(c, t.name);
	return c->threads[id] = profile_thread(c->to, &t);
}

static uint32_t goroutine_of(struct copying *c, uint32_t id)
{
	struct goroutine g;

	if (!id || c->goroutines[id])
		return c->goroutines[id];
	g = c->from->goroutines[id];
	g.process = process_of(c, g.process);
	g.labels = string_of(c, g.labels);
	g.start = string_of(c, g.start);
	g.creator = string_of(c, g.creator);
	return c->goroutines[id] = profile_goroutine(c->to, &g);
}

static void copy_event(struct copying *c, const struct event *e, int64_t shift_ns)
{
	struct event copy = *e;

	copy.time_ns = e->time_ns + (uint64_t)shift_ns;
	copy.call = call_of(c, e->call);
	copy.goroutine = goroutine_of(c, e->goroutine);
	copy.thread = thread_of(c, e->thread);
	profile_event(c->to, &copy);
}

static struct copying copying_new(struct profile *to, const struct profile *from)
{
	return (struct copying){
		.to = to,
		.from = from,
		.strings = rows(strtab_count(from->strings)),
		.modules = rows(from->n_modules),
		.frames = rows(from->n_frames),
		.calls = rows(from->n_calls),
		.processes = rows(from->n_processes),
		.threads = rows(from->n_threads),
		.goroutines = rows(from->n_goroutines),
	};
}

static void copying_release(struct copying *c)
{
	free(c->strings);
	free(c->modules);
	free(c->frames);
	free(c->calls);
	free(c->processes);
	free(c->threads);
	free(c->goroutines);
}

void profile_copy_events(struct profile *to, const struct profile *from, uint64_t from_ns,
			 uint64_t to_ns, int64_t shift_ns)
{
	struct copying c = copying_new(to, from);

	for (uint32_t i = 0; i < from->n_events; i++) {
		const struct event *e = &from->events[i];

		if (e->time_ns >= from_ns && e->time_ns < to_ns)
			copy_event(&c, e, shift_ns);
	}
	copying_release(&c);
}

void profile_copy_kind(struct profile *to, const struct profile *from, uint8_t kind)
{
	struct copying c = copying_new(to, from);

	for (uint32_t i = 0; i < from->n_events; i++)
		if (from->events[i].kind == kind)
			copy_event(&c, &from->events[i], 0);
	copying_release(&c);
}

struct profile *profile_new_like(const struct profile *p)
{
	struct profile *ret = profile_new();

	for (uint32_t i = 1; i < p->n_kinds; i++) {
		struct event_kind k = p->kinds[i];

		k.name = strtab_add(ret->strings, profile_string(p, k.name));
		k.unit = strtab_add(ret->strings, profile_string(p, k.unit));
		k.source = strtab_add(ret->strings, profile_string(p, k.source));
		k.quality = (struct quality){ 0 };
		profile_kind(ret, &k);
	}
	ret->command = strtab_add(ret->strings, profile_string(p, p->command));
	ret->n_cpus = p->n_cpus;
	return ret;
}

struct profile *profile_cut(const struct profile *p, uint64_t from_ns, uint64_t to_ns)
{
	struct profile *ret = profile_new_like(p);

	ret->start_ns = p->start_ns + from_ns;
	ret->stats.duration_ns = to_ns - from_ns;
	profile_copy_events(ret, p, from_ns, to_ns, -(int64_t)from_ns);
	return ret;
}
