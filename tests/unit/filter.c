/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include "profiler/profile/filter.h"
#include "profiler/profile/view.h"

/*
 * Event	process	goroutine	at	stack			labels
 * 0		812	18		0 ms	main.main main.encode	job=encode,user=42
 * 1		812	19		1000 ms	main.main main.decode	job=, and others
 * 2		812	none		2000 ms	(libc.so.6, no names)
 * 3		813	18		3000 ms	… read[kernel]		job=enc…
 */
static struct profile *four_events(void)
{
	struct profile *p = hand_profile();
	uint32_t a = hand_process(p, 812, "a"), b = hand_process(p, 813, "b");
	uint32_t ta = hand_thread(p, a, 812, ""), tb = hand_thread(p, b, 813, ""), call;
	struct frame libc = { .addr = 0x2f0 };
	struct module m = { .path = hand_string(p, "/lib/libc.so.6") };
	struct frame main = { .func = hand_string(p, "main.main"),
			      .file = hand_string(p, "/src/main.go"),
			      .kind = FRAME_GO };

	libc.module = profile_module(p, &m);
	call = profile_call(p, 0, profile_frame(p, &main));
	hand_event(p, 0, hand_stack(p, "go:main.main go:main.encode"),
		   hand_goroutine(p, a, 18, "main.main", "", "job=encode,user=42"), ta,
		   CLASS_USER);
	hand_event(p, 1000, call, hand_goroutine(p, a, 19, "", "", "job=,\\+"), ta,
		   CLASS_USER);
	p->events[1].call = profile_call(
		p, call,
		profile_frame(p, &(struct frame){ .func = hand_string(p, "main.decode"),
						  .kind = FRAME_GO }));
	hand_event(p, 2000, profile_call(p, 0, profile_frame(p, &libc)), 0, ta, CLASS_C);
	hand_event(p, 3000, hand_stack(p, "go:main.main go:main.encode kernel:read"),
		   hand_goroutine(p, b, 18, "main.main", "", "job=enc\\+"), tb,
		   CLASS_KERNEL);
	return p;
}

struct option {
	const char *(*parse)(const char *arg, void *filter);
	const char *arg;
};

/* The selected events, as a string of digits. Releases p. */
static const char *selected_of(struct profile *p, const struct option *o, bool as_pprof)
{
	static char text[11];
	struct view v = { .as_pprof = as_pprof };

	for (; o->parse; o++)
		cr_assert_null(o->parse(o->arg, &v.filter), "%s", o->arg);
	view_select(&v, p);
	for (uint32_t i = 0; i < v.n_events; i++)
		text[i] = (char)('0' + v.events[i]);
	text[v.n_events] = 0;
	view_release(&v);
	profile_free(p);
	return text;
}

static const char *selected(const struct option *o)
{
	return selected_of(four_events(), o, false);
}

#define expect_selected(events, ...) \
	cr_expect_str_eq(selected((struct option[]){ __VA_ARGS__, { NULL, NULL } }), events)

Test(filter, lets_everything_through)
{
	expect_selected("0123", { NULL, NULL });
}

Test(filter, selects_by_id)
{
	expect_selected("03", { filter_goids, "18" });
	expect_selected("013", { filter_goids, "19,18" });
	expect_selected("013", { filter_goids, "18" }, { filter_goids, "19" });
	expect_selected("", { filter_goids, "18446744073709551615" });
	expect_selected("3", { filter_pids, "813" });
	expect_selected("0", { filter_goids, "18" }, { filter_pids, "7,812" });
}

Test(filter, selects_by_time)
{
	expect_selected("12", { filter_time, "1s-3s" });
	expect_selected("0", { filter_time, "-1000ms" });
	expect_selected("23", { filter_time, "1.5-" });
	expect_selected("01", { filter_time, "2s-" }, { filter_time, "0-2s" });
}

Test(filter, selects_by_kind)
{
	static const char *const kinds[] = { NULL, "cpu", "wall", "calls" };
	static const char *const want[] = { "023", "023", "1", "" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct profile *p = four_events();
		struct view v = { .filter.kind = kinds[i] };
		char got[5] = "";

		profile_kind(p, &(struct event_kind){ .name = hand_string(p, "wall") });
		p->events[1].kind = 2;
		view_select(&v, p);
		for (uint32_t k = 0; k < v.n_events; k++)
			got[k] = (char)('0' + v.events[k]);
		cr_expect_str_eq(got, want[i]);
		view_release(&v);
		profile_free(p);
	}
}

Test(filter, selects_by_stack)
{
	expect_selected("03", { filter_focus, "enc.de$" });
	expect_selected("13", { filter_focus, "decode|read" });
	expect_selected("1", { filter_focus, "/src/" });
	expect_selected("2", { filter_focus, "libc" });
	expect_selected("12", { filter_ignore, "^main\\.encode" });
	expect_selected("0", { filter_focus, "encode" }, { filter_ignore, "read" });
	expect_selected("3", { filter_focus, "encode" }, { filter_focus, "read" });
}

/* Frames that no output shows, or shows under another name. */
static struct profile *hidden_frames(void)
{
	static const char *const stacks[] = {
		"goexit:runtime.goexit go:main.f",
		"goexit:runtime.goexit go:main.f wrapper:main.w go:main.g",
		"goexit:runtime.goexit wrapper:main.w panic:runtime.gopanic",
		"goexit:runtime.goexit go:main.gen[go.shape.int]",
		"go:main.f kernel:read",
	};
	struct profile *p = hand_profile();
	uint32_t process = hand_process(p, 812, "a"),
		 thread = hand_thread(p, process, 812, "");
	uint32_t g = hand_goroutine(p, process, 18, "main.f", "", "");

	struct module m = { .path = hand_string(p, "/bin/a"), .go_minor = 22 };
	uint32_t module = profile_module(p, &m);

	for (uint32_t i = 0; i < 5; i++)
		hand_event(p, i, hand_stack(p, stacks[i]), g, thread, CLASS_USER);
	for (uint32_t i = 1; i < p->n_frames; i++)
		if (p->frames[i].kind != FRAME_KERNEL)
			p->frames[i].module = module;
	return p;
}

#define expect_shown(as_pprof, events, parse, re) \
	cr_expect_str_eq(selected_of(hidden_frames(), \
				     (struct option[]){ { parse, re }, { 0 } }, as_pprof), \
			 events)

Test(filter, matches_what_is_shown)
{
	expect_shown(false, "0134", filter_ignore, "^runtime\\.");
	expect_shown(false, "", filter_focus, "goexit");
	expect_shown(false, "2", filter_focus, "^main\\.w$");
	expect_shown(false, "0134", filter_ignore, "^main\\.w$");
	expect_shown(false, "3", filter_focus, "^main\\.gen\\[\\.\\.\\.\\]$");
	expect_shown(false, "", filter_focus, "go\\.shape");
	expect_shown(false, "4", filter_focus, "^read$");
	/* the runtime's own profiler has full names, and nothing of the kernel */
	expect_shown(true, "3", filter_focus, "go\\.shape");
	expect_shown(true, "0134", filter_ignore, "^runtime\\.");
	expect_shown(true, "", filter_focus, "^read$");
	expect_shown(true, "2", filter_focus, "^main\\.w$");
}

Test(filter, selects_by_label)
{
	expect_selected("0", { filter_label, "job=encode" });
	expect_selected("0", { filter_label, "job=encode" }, { filter_label, "user=42" });
	expect_selected("", { filter_label, "job=encode" }, { filter_label, "user=4" });
	expect_selected("", { filter_label, "job=enc" });
	expect_selected("", { filter_label, "job=encode,user=42" });
	expect_selected("1", { filter_label, "job=" });
	expect_selected("03", { filter_label, "x=" });
	expect_selected("0", { filter_label, "x=" }, { filter_label, "user=42" });
}

Test(filter, refuses_what_it_cannot_read)
{
	static const struct option wrong[] = {
		{ filter_goids, "" },
		{ filter_goids, "18," },
		{ filter_goids, ",18" },
		{ filter_goids, "x" },
		{ filter_goids, "0" },
		{ filter_goids, "18446744073709551616" },
		{ filter_goids, "1 2" },
		{ filter_goids, "-1" },
		{ filter_goids, "0000000000000000000000000000001" },
		{ filter_pids, "" },
		{ filter_pids, "0" },
		{ filter_pids, "4294967296" },
		{ filter_time, "" },
		{ filter_time, "-" },
		{ filter_time, "1s" },
		{ filter_time, "2s-1s" },
		{ filter_time, "1s-1s" },
		{ filter_time, "1s-2s-3s" },
		{ filter_time, "-0" },
		{ filter_time, "x-" },
		{ filter_label, "" },
		{ filter_label, "job" },
		{ filter_label, "=encode" },
		{ filter_focus, "(" },
		{ filter_ignore, "[a" },
	};
	struct filter f = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_expect_not_null(wrong[i].parse(wrong[i].arg, &f), "'%s'", wrong[i].arg);
	cr_expect(!f.focus && !f.ignore && !f.to_ns);
	filter_release(&f);
}

/* Two recordings, one set of options: what the first filter owns is used by both. */
Test(filter, is_shared_between_profiles)
{
	struct profile *p[2] = { four_events(), four_events() };
	struct view v[2] = { 0 };

	cr_assert_null(filter_focus("encode", &v[0].filter));
	cr_assert_null(filter_label("job=encode", &v[0].filter));
	cr_assert_null(filter_goids("18", &v[0].filter));
	filter_share(&v[1].filter, &v[0].filter);
	for (int i = 0; i < 2; i++) {
		view_select(&v[i], p[i]);
		cr_expect_eq(v[i].n_events, 1);
	}
	for (int i = 2; i--;) {
		view_release(&v[i]);
		profile_free(p[i]);
	}
}
