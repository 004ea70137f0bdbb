/* SPDX-License-Identifier: BSD-2-Clause */
/* What a writer gets from a view. Its events and its tree must say the same. */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* All that a writer finds out about an event: one line, frames from the leaf on. */
static void add_event(const struct view *v, const struct event *e, struct buf *to)
{
	const struct profile *p = v->profile;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	const struct thread *t = &p->threads[e->thread];
	const struct process *pr = &p->processes[t->process];
	uint32_t frames[VIEW_MAX_FRAMES], n = view_stack(v, e, frames);

	buf_printf(
		to, "%s-%u/%u %s %llu {%s} at %llu: %llu %s", profile_string(p, pr->name),
		pr->tgid, t->tid, profile_string(p, t->name), (unsigned long long)g->goid,
		profile_string(p, g->labels), (unsigned long long)e->time_ns,
		(unsigned long long)e->weight, profile_string(p, p->kinds[e->kind].unit));
	for (uint32_t i = 0; i < n; i++) {
		const struct frame *f = view_frame(v, frames[i]);

		buf_str(to, " | ");
		view_frame_name(v, frames[i], to);
		buf_printf(to, " %s %s:%u %s+0x%llx%s", profile_string(p, f->func),
			   profile_string(p, f->file), f->line,
			   profile_string(p, p->modules[f->module].path),
			   (unsigned long long)f->addr, f->inlined ? " inlined" : "");
	}
	buf_u8(to, '\n');
}

/* The table of stacks says the same as view_stack(), and holds each stack once. */
static void expect_stacks(const struct view *v)
{
	struct stacks s = { .view = v };

	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *e = &v->profile->events[v->events[i]];
		uint32_t frames[VIEW_MAX_FRAMES], n = view_stack(v, e, frames);
		uint32_t stack = stacks_add(&s, e), rows = s.n;

		cr_expect_eq(stacks_add(&s, e), stack);
		cr_expect_eq(s.n, rows);
		for (uint32_t k = 0; k < n; k++, stack = s.rows[stack].parent)
			cr_expect_eq(s.rows[stack].frame, frames[k]);
		cr_expect_eq(stack, 0);
	}
	stacks_release(&s);
}

static void expect_events(struct view v, const struct profile *p, const char *want)
{
	struct buf b = { 0 };

	view_select(&v, p);
	for (uint32_t i = 0; i < v.n_events; i++)
		add_event(&v, &p->events[v.events[i]], &b);
	expect_stacks(&v);
	buf_u8(&b, 0);
	cr_expect_str_eq((const char *)b.data, want, "%s", (const char *)b.data);
	buf_release(&b);
	view_release(&v);
}

static uint32_t frame_row(struct profile *p, uint64_t addr, const char *func, uint32_t line,
			  uint32_t module, uint8_t kind, uint8_t inlined)
{
	return profile_frame(p, &(struct frame){ .addr = addr,
						 .func = hand_string(p, func),
						 .file = hand_string(p, "/src/a.go"),
						 .module = module,
						 .line = line,
						 .kind = kind,
						 .inlined = inlined });
}

Test(view, events_tell_everything)
{
	struct profile *p = hand_profile();
	struct module m = { .path = hand_string(p, "/bin/demo"), .go_minor = 21 };
	uint32_t module = profile_module(p, &m), pid = hand_process(p, 812, "demo");
	uint32_t thread = hand_thread(p, pid, 815, "worker"), call = 0;
	uint32_t g = hand_goroutine(p, pid, 18, "main.f", "", "job=x,user=42");
	uint32_t rows[] = {
		frame_row(p, 1, "runtime.goexit", 1, module, FRAME_GOEXIT, 0),
		frame_row(p, 2, "main.F[go.shape.int]", 7, module, FRAME_GO, 0),
		frame_row(p, 3, "main.w", 8, module, FRAME_WRAPPER, 0),
		frame_row(p, 4, "main.g", 9, module, FRAME_GO, 0),
		frame_row(p, 4, "main.h", 10, module, FRAME_GO, 1),
	};
	struct view v = { .as_pprof = true };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		call = profile_call(p, call, rows[i]);
	hand_event(p, 5, call, g, thread, CLASS_USER);
	hand_event(p, 7, 0, 0, thread, CLASS_C);
	p->events[0].weight = 123;
#define HEAD "demo-812/815 worker 18 {job=x,user=42} at 5000000: 123 nanoseconds"
#define CALLEE \
	" | main.h main.h /src/a.go:10 /bin/demo+0x4 inlined" \
	" | main.g main.g /src/a.go:9 /bin/demo+0x4"
	expect_events((struct view){ 0 }, p,
		      HEAD CALLEE
		      " | main.F[...] main.F[go.shape.int] /src/a.go:7 /bin/demo+0x2\n"
		      "demo-812/815 worker 0 {} at 7000000: 10000000 nanoseconds\n");
	/* the runtime's profiler does not sample C that Go did not call, or shorten
	 * names */
	expect_events(v, p,
		      HEAD CALLEE " | main.F[go.shape.int] main.F[go.shape.int] /src/a.go:7"
				  " /bin/demo+0x2\n");
	view_select(&v, p);
	cr_expect_eq(v.pprof_skips, 1);
	view_release(&v);
	profile_free(p);
}

/* The child of a node that a frame leads to. */
static uint32_t child_of(const struct view *v, const struct tree *t, uint32_t node,
			 uint32_t row)
{
	const struct frame *f = view_frame(v, row);
	struct buf name = { 0 };
	uint32_t i;

	view_frame_name(v, row, &name);
	buf_u8(&name, 0);
	for (i = node + 1; i < t->n_nodes; i++)
		if (t->nodes[i].parent == node && t->nodes[i].kind == f->kind &&
		    node_frame(t, &t->nodes[i])->inlined == f->inlined &&
		    !strcmp(t->nodes[i].name, (const char *)name.data))
			break;
	cr_assert_lt(i, t->n_nodes, "no node for %s", (const char *)name.data);
	buf_release(&name);
	return i;
}

/* Releases the view. */
static void expect_sums(struct view *v, const struct profile *p)
{
	uint32_t frames[VIEW_MAX_FRAMES];
	const struct tree *t;
	uint64_t *self, total = 0;

	view_select(v, p);
	t = view_tree(v);
	cr_assert(t);
	self = mem_zalloc(t->n_nodes * sizeof(*self));
	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *e = &p->events[v->events[i]];
		uint32_t node = 0;

		for (uint32_t n = view_stack(v, e, frames); n--;)
			node = child_of(v, t, node, frames[n]);
		self[node] += e->weight;
		total += e->weight;
	}
	for (uint32_t i = 0; i < t->n_nodes; i++)
		cr_expect_eq(self[i], t->nodes[i].self, "%s", t->nodes[i].name);
	cr_expect_eq(total, t->nodes[0].total);
	cr_expect_eq(v->n_events, t->nodes[0].samples);
	free(self);
	view_release(v);
}

Test(view, events_sum_to_the_tree)
{
	struct profile *p = hand_workers();
	struct view v = { 0 };

	hand_event(p, 800, hand_stack(p, "go:main.f wrapper:main.w panic:runtime.gopanic"),
		   0, 1, CLASS_USER);
	hand_event(p, 800,
		   hand_stack(p, "go:main.f wrapper:main.w inl:main.g c:x kernel:k"), 0, 1,
		   CLASS_KERNEL);
	for (uint32_t i = 0; i < p->n_events; i++)
		p->events[i].weight = 1000 + i;
	expect_sums(&v, p);
	v.as_pprof = true;
	expect_sums(&v, p);
	cr_assert_null(filter_ignore("read|idle", &v.filter));
	cr_assert_null(filter_time("0.2s-", &v.filter));
	expect_sums(&v, p);
	profile_free(p);
}

static void expect_title(const struct profile *p, const char *by, const char *title,
			 const char *key)
{
	struct view v = { 0 };

	cr_assert_null(grouping_parse(by, &v.by));
	view_select(&v, p);
	cr_expect_str_eq(v.title, title);
	cr_expect_str_eq(v.key, key);
	view_release(&v);
}

/* The title names every process or counts them; the column of groups is named by its
 * key. */
Test(view, titles_name_what_is_shown)
{
	struct profile *p = hand_workers();
	uint32_t other = hand_process(p, 9, "other"), third = hand_process(p, 10, "third");

	expect_title(p, "process", "demo-812, 10.0s at 100 Hz, cpu-clock", "process");
	hand_event(p, 1, hand_stack(p, "go:f"), 0, hand_thread(p, other, 9, ""),
		   CLASS_USER);
	expect_title(p, "label:job,goroutine",
		     "demo-812 and other-9, 10.0s at 100 Hz, cpu-clock", "job, goroutine");
	hand_event(p, 1, hand_stack(p, "go:f"), 0, hand_thread(p, third, 10, ""),
		   CLASS_USER);
	expect_title(p, "none", "3 processes, 10.0s at 100 Hz, cpu-clock", "");
	p->command = hand_string(p, "all Go processes");
	expect_title(p, "start",
		     "all Go processes: 3 processes, 10.0s at 100 Hz, cpu-clock",
		     "start function");
	profile_free(p);
}

Test(view, of_a_truncated_recording_ends_with_its_last_event)
{
	struct profile *p = hand_workers();
	struct view v = { 0 };

	p->stats.duration_ns = 0;
	p->kinds[1].freq = 0;
	p->kinds[1].source = hand_string(p, "call:main.f");
	hand_event(p, 800, hand_stack(p, "unnamed:"), 0, 1, CLASS_UNKNOWN);
	view_select(&v, p);
	cr_expect_eq(v.duration_ns, 800000000);
	cr_expect_str_eq(v.title, "demo-812, 0.8s, call:main.f");
	view_release(&v);
	profile_free(p);
}

/* Three samples of CPU time, two waits that have their own length, one call; and a kind
 * without events. */
static struct profile *four_kinds(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), tid = hand_thread(p, pid, 813, ""),
		 call = hand_stack(p, "go:main.main go:main.wait");
	struct event e = { .kind = 3, .weight = 5, .call = call, .thread = tid };
	struct event_kind k[] = {
		{ .name = hand_string(p, "wall"), .unit = hand_string(p, UNIT_NS) },
		{ .name = hand_string(p, "off-cpu"),
		  .unit = hand_string(p, UNIT_NS),
		  .source = hand_string(p, "sched_switch") },
		{ .name = hand_string(p, "calls"),
		  .unit = hand_string(p, UNIT_COUNT),
		  .period = 1 },
	};

	for (uint8_t i = 0; i < 3; i++) {
		cr_assert_eq(profile_kind(p, &k[i]), i + 2);
		hand_event(p, i, hand_stack(p, "go:main.main"), 0, tid, CLASS_USER);
	}
	profile_event(p, &e);
	e.weight = 7000;
	profile_event(p, &e);
	e = (struct event){ .kind = 4, .weight = 1, .call = call, .thread = tid };
	profile_event(p, &e);
	return p;
}

static void expect_kind(const struct profile *p, const char *wanted, uint8_t kind,
			uint32_t samples, uint64_t weight)
{
	struct view v = { .filter.kind = wanted };
	const struct tree *t;

	view_select(&v, p);
	cr_expect_eq(v.kind, kind);
	cr_expect_eq(v.n_events, samples);
	cr_expect(v.other_kinds);
	t = view_tree(&v);
	cr_assert(t);
	cr_expect_eq(t->nodes[0].samples, samples);
	cr_expect_eq(t->nodes[0].total, weight);
	view_release(&v);
}

Test(view, is_of_one_kind_of_event)
{
	struct profile *p = four_kinds();
	struct view v = { .filter.kind = "off-cpu" };

	expect_kind(p, NULL, 1, 3, 30000000);
	expect_kind(p, "cpu", 1, 3, 30000000);
	expect_kind(p, "wall", 2, 0, 0);
	expect_kind(p, "off-cpu", 3, 2, 7005);
	expect_kind(p, "calls", 4, 1, 1);
	expect_kind(p, "cp", 0, 0, 0);
	cr_expect(profile_is_time(p, 3) && !profile_is_time(p, 4));
	view_select(&v, p);
	cr_expect_str_eq(v.title, "demo-812, off-cpu, 0.0s, sched_switch");
	view_release(&v);
	p->kinds[1].quality.samples = 0; /* as if nothing had been on a CPU */
	expect_kind(p, NULL, 3, 2, 7005);
	profile_free(p);
}
