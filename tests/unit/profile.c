/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/view.h"
#include "tests/unit/profile_by_hand.h"

Test(profile, row_0_is_none)
{
	struct profile *p = profile_new();

	cr_expect(p->n_modules == 1 && p->n_frames == 1 && p->n_calls == 1 &&
		  p->n_processes == 1);
	cr_expect(p->n_threads == 1 && p->n_goroutines == 1 && p->n_events == 0);
	cr_expect_str_eq(profile_string(p, 0), "");
	profile_free(p);
	profile_free(NULL);
}

Test(profile, frames_differ_in_every_field)
{
	struct profile *p = profile_new();
	struct frame same, f[] = {
		{ .addr = 1 },       { .addr = (uint64_t)1 << 40 },
		{ .func = 1 },       { .file = 1 },
		{ .module = 1 },     { .line = 1 },
		{ .start_line = 1 }, { .kind = 1 },
		{ .inlined = 1 },    { 0 },
	};
	uint32_t n = sizeof(f) / sizeof(*f);

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < n; i++)
			cr_expect_eq(profile_frame(p, &f[i]), i + 1);
	/* padding is not compared */
	memset(&same, 0xff, sizeof(same));
	same.addr = same.func = same.file = same.module = same.start_line = same.kind = 0;
	same.inlined = 0;
	same.line = 1;
	cr_expect_eq(profile_frame(p, &same), 6);
	cr_expect_eq(p->n_frames, n + 1);
	profile_free(p);
}

Test(profile, kinds_without_a_name_are_not_shown)
{
	struct profile *p = profile_new();
	struct view v = { 0 };
	uint8_t calls, firsts;

	calls = profile_kind(
		p, &(struct event_kind){ .name = strtab_add(p->strings, "calls") });
	firsts = profile_kind(p, &(struct event_kind){ 0 });
	profile_event(p, &(struct event){ .kind = firsts });
	cr_expect_eq(profile_find_kind(p, NULL), calls);
	cr_expect_eq(profile_find_kind(p, ""), firsts);
	view_select(&v, p);
	cr_expect_eq(v.n_events, 0);
	cr_expect_not(v.other_kinds);
	view_release(&v);
	profile_free(p);
}

Test(profile, calls_are_kept_once)
{
	struct profile *p = profile_new();
	uint32_t a = hand_stack(p, "go:main.main go:main.a"), b;

	b = hand_stack(p, "go:main.main go:main.b");
	cr_expect_eq(hand_stack(p, "go:main.main go:main.a"), a);
	cr_expect_neq(a, b);
	cr_expect_eq(p->calls[a].parent, p->calls[b].parent);
	cr_expect_eq(p->n_calls, 4);
	/* many, so that the index grows */
	for (uint32_t round = 0, first = p->n_calls; round < 2; round++)
		for (uint32_t i = 0; i < 20000; i++) {
			struct frame f = { .addr = i };

			cr_assert_eq(profile_call(p, i % 4, profile_frame(p, &f)),
				     first + i);
		}
	profile_free(p);
}

Test(profile, stacks_end_at_the_limit)
{
	struct profile *p = profile_new();
	uint32_t frame = profile_frame(p, &(struct frame){ .kind = FRAME_GO }), call = 0,
		 last = 0;

	for (int i = 0; i < MAX_STACK_FRAMES; i++, last = call)
		cr_assert_neq(call = profile_call(p, call, frame), last);
	cr_expect_eq(profile_call(p, call, frame), call);
	cr_expect_eq(p->n_calls, MAX_STACK_FRAMES + 1);
	profile_free(p);
}

Test(profile, goroutines_and_threads_have_keys)
{
	struct profile *p = profile_new();
	struct goroutine g = { .goid = 18, .process = 1, .start = 5, .labels = 2 };
	struct thread t = { 1, 812, 3 };
	uint32_t id = profile_goroutine(p, &g), tid = profile_thread(p, &t);

	g.start = 6; /* the first values stay */
	cr_expect_eq(profile_goroutine(p, &g), id);
	cr_expect_eq(p->goroutines[id].start, 5);
	g.labels = 3;
	cr_expect_eq(profile_goroutine(p, &g), id + 1);
	g.process = 2;
	cr_expect_eq(profile_goroutine(p, &g), id + 2);
	g.goid += (uint64_t)1 << 32;
	cr_expect_eq(profile_goroutine(p, &g), id + 3);
	t.name = 4;
	cr_expect_eq(profile_thread(p, &t), tid);
	t.process = 2;
	cr_expect_eq(profile_thread(p, &t), tid + 1);
	t.tid = 813;
	cr_expect_eq(profile_thread(p, &t), tid + 2);
	/* these are new rows each time */
	cr_expect_eq(profile_process(p, &(struct process){ .tgid = 1 }), 1);
	cr_expect_eq(profile_process(p, &(struct process){ .tgid = 1 }), 2);
	cr_expect_eq(profile_module(p, &(struct module){ .path = 1, .build_id = 1 }), 1);
	cr_expect_eq(profile_module(p, &(struct module){ .path = 1, .build_id = 1 }), 2);
	profile_free(p);
}

Test(profile, sums_outlive_the_events)
{
	struct profile *p = hand_profile();
	const struct quality *q = &p->kinds[1].quality;
	uint32_t mixed = hand_stack(p, "cut: go:main.main unnamed: vdso: kernel:read"), i;

	for (i = 0; i < 3; i++)
		hand_event(p, i, mixed, i, 0, i ? CLASS_USER : CLASS_UNKNOWN);
	p->events[0].flags = 0;
	profile_event(p, &(struct event){ .kind = 1, .class = CLASS_SCHEDULER });
	p->n_events = 0;
	cr_expect_eq(q->samples, 4);
	cr_expect_eq(q->with_goroutine, 2);
	cr_expect_eq(q->with_class, 3);
	cr_expect_eq(q->rooted, 3);
	/* neither the kernel's frames nor the cut are the user's */
	cr_expect_eq(q->user_frames, 9);
	cr_expect_eq(q->named_frames, 3);
	hand_event(p, 9, mixed, 1, 0, CLASS_USER);
	cr_expect_eq(p->n_events, 1);
	cr_expect_eq(q->samples, 5);
	profile_free(p);
}
