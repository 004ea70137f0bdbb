/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of profiles, and the window of top: what is kept says the same as before, and the
 * rest is gone. */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/copy.h"
#include "profiler/profile/view.h"
#include "profiler/profile/window.h"

enum { MS = 1000000 };

/* All that the events of a time say, a line each; times from from_ms on. */
static char *said(const struct profile *p, uint64_t from_ms, uint64_t to_ms)
{
	struct view v = { .filter = { .from_ns = from_ms * MS, .to_ns = to_ms * MS } };
	struct buf b = { 0 };
	uint32_t frames[VIEW_MAX_FRAMES];

	view_select(&v, p);
	for (uint32_t i = 0; i < v.n_events; i++) {
		const struct event *e = &p->events[v.events[i]];
		const struct goroutine *g = &p->goroutines[e->goroutine];
		const struct thread *t = &p->threads[e->thread];

		buf_printf(&b, "%llu %llu %llu/%llu {%s} %s %s, %u %s of ",
			   (unsigned long long)(e->time_ns / MS - from_ms),
			   (unsigned long long)e->weight, (unsigned long long)g->goid,
			   (unsigned long long)g->parent_goid, profile_string(p, g->labels),
			   profile_string(p, g->start), profile_string(p, g->creator),
			   t->tid, profile_string(p, t->name));
		view_process_name(&v, t->process, &b);
		buf_printf(&b, " of {%s} class %u flags %u cpu %u kind %s",
			   profile_string(p, p->processes[t->process].resource), e->class,
			   e->flags, e->cpu, profile_string(p, p->kinds[e->kind].name));
		for (uint32_t n = view_stack(&v, e, frames), k = 0; k < n; k++) {
			const struct frame *f = view_frame(&v, frames[k]);
			const struct module *m = &p->modules[f->module];

			buf_printf(&b, " | %s %s:%u %s %s %u", profile_string(p, f->func),
				   profile_string(p, f->file), f->line,
				   profile_string(p, m->path),
				   profile_string(p, m->build_id), m->go_minor);
		}
		buf_u8(&b, '\n');
	}
	view_release(&v);
	buf_u8(&b, 0);
	return (char *)b.data;
}

/* A module too, which hand_workers() has none of. */
static struct profile *workers(void)
{
	struct profile *p = hand_workers();
	uint32_t m = profile_module(p,
				    &(struct module){ .path = hand_string(p, "/bin/demo"),
						      .build_id = hand_string(p, "ab12"),
						      .go_minor = 22 });
	uint32_t f = profile_frame(p, &(struct frame){ .addr = 7,
						       .func = hand_string(p, "main.f"),
						       .file = hand_string(p, "/src/f.go"),
						       .line = 12,
						       .module = m,
						       .kind = FRAME_GO });

	p->processes[1].resource = hand_string(p, "service.name=shop");
	hand_event(p, 800, profile_call(p, profile_call(p, 0, f), f), 1, 1, CLASS_USER);
	return p;
}

static void expect_same(char *a, char *b)
{
	cr_expect_str_eq(a, b);
	free(a);
	free(b);
}

Test(window, a_cut_says_the_same)
{
	struct profile *p = workers(), *cut;

	for (uint64_t from = 0; from <= 900; from += 50)
		for (uint64_t to = from + 50; to <= 900; to += 50) {
			cut = profile_cut(p, from * MS, to * MS);
			expect_same(said(p, from, to), said(cut, 0, to - from));
			cr_expect_eq(cut->stats.duration_ns, (to - from) * MS);
			cr_expect_eq(cut->start_ns, p->start_ns + from * MS);
			cr_expect_eq(cut->kinds[1].quality.samples, cut->n_events);
			profile_free(cut);
		}
	profile_free(p);
}

/* Only rows that the events refer to. */
Test(window, a_cut_has_nothing_else)
{
	struct profile *p = workers(), *cut = profile_cut(p, 700 * MS, 701 * MS);

	cr_expect_eq(cut->n_events, 1);
	cr_expect_eq(cut->n_goroutines, 1);
	cr_expect_eq(cut->n_calls, 3);
	cr_expect_eq(cut->n_frames, 3);
	cr_expect_eq(cut->n_threads, 2);
	cr_expect_eq(cut->n_modules, 1);
	profile_free(cut);
	profile_free(p);
}

/* An interval of a second, with an event of a goroutine and a function of its own. */
static struct profile *interval(uint32_t i)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo");
	uint32_t thread = hand_thread(p, pid, 812, "demo");
	char name[64];

	snprintf(name, sizeof(name), "goexit:runtime.goexit go:main.f%u go:main.g", i);
	for (uint32_t k = 0; k < 10; k++) {
		uint32_t g = hand_goroutine(p, pid, 1000 + i * 10 + k, name + 25, "", "");

		hand_event(p, k * 100, hand_stack(p, name), g, thread, CLASS_USER);
	}
	p->stats = (struct stats){ .duration_ns = 1000ull * MS,
				   .lost_ring_full = i,
				   .cpu_ns = 100,
				   .peak_rss = 1000 + i };
	return p;
}

static void add(struct window *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct profile *p = interval(i);

		window_add(w, p);
		profile_free(p);
	}
}

Test(window, an_hour_takes_no_more_than_minutes)
{
	struct profile *p = hand_profile();
	struct window *w = window_new(p, 0), *copy;
	uint32_t most = 0;

	for (uint32_t i = 0; i < 3600; i++) {
		add(w, i, i + 1);
		most = w->profile->n_calls > most ? w->profile->n_calls : most;
		cr_assert_leq(w->profile->n_goroutines, 2 * 600 + 512 + 20);
		cr_assert_leq(w->n_intervals, 61);
	}
	cr_expect_lt(most, 2 * (2 * 60 + 52 + 2) + 5);
	cr_expect_eq(w->end_ns, 3600000ull * MS);
	for (int turn = 0; turn < 2; turn++) {
		struct profile *cut = window_cut(w, 3540000ull * MS, w->end_ns);
		struct profile *last;

		cr_expect_eq(cut->n_events, 600);
		for (uint32_t i = 0; i < 60; i++) {
			last = interval(3540 + i);
			expect_same(said(last, 0, 1000),
				    said(cut, i * 1000, (i + 1) * 1000));
			profile_free(last);
		}
		/* each second one more is lost than in the one before */
		cr_expect_eq(cut->stats.lost_ring_full, (3540 + 3599) * 30);
		cr_expect_eq(cut->stats.cpu_ns, 6000);
		cr_expect_eq(cut->stats.peak_rss, 4599);
		profile_free(cut);
		cr_expect_eq(
			window_stats(w, 3590000ull * MS, 3595000ull * MS).lost_ring_full,
			3590 + 3591 + 3592 + 3593 + 3594);
		copy = window_copy(w); /* says all the same */
		window_free(w);
		w = copy;
	}
	window_free(w);
	profile_free(p);
}

Test(window, it_begins_with_an_interval)
{
	struct profile *p = hand_profile();
	struct window *w = window_new(p, 0);

	cr_expect_eq(window_from(w, 10), 0);
	add(w, 0, 20);
	cr_expect_eq(window_from(w, 5000ull * MS), 15000ull * MS);
	cr_expect_eq(window_from(w, 5400ull * MS), 15000ull * MS);
	cr_expect_eq(window_from(w, 5600ull * MS), 14000ull * MS);
	cr_expect_eq(window_from(w, 1), 19000ull * MS, "one at least");
	cr_expect_eq(window_from(w, 60000ull * MS), 0);
	window_free(w);
	profile_free(p);
}

/* Processes and modules of one content are one row, however often they are copied. */
Test(window, rows_are_used_again)
{
	struct profile *p = workers();
	struct window *w = window_new(p, 0);

	for (int i = 0; i < 5; i++)
		window_add(w, p);
	cr_expect_eq(w->profile->n_processes, p->n_processes);
	cr_expect_eq(w->profile->n_modules, p->n_modules);
	cr_expect_eq(w->profile->n_threads, p->n_threads);
	cr_expect_eq(w->profile->n_goroutines, p->n_goroutines);
	cr_expect_eq(w->profile->n_calls, p->n_calls);
	cr_expect_eq(w->profile->n_events, 5 * p->n_events);
	window_free(w);
	profile_free(p);
}
