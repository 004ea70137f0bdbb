/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys of top do, on a recording and on a live window. */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "output/spans.h"
#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/cmd/screen.h"
#include "profiler/cmd/top.h"
#include "profiler/profile/copy.h"

enum { MS = 1000000 };

struct fixture {
	struct view view;
	struct browser b;
	struct moment m;
	struct spans s;
	char *text; /* of the screen */
};

/* 30 s: main.a all the time, main.b, which has labels, in the second half. */
static struct profile *halves(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo");
	uint32_t t = hand_thread(p, pid, 812, "demo");
	uint32_t a = hand_goroutine(p, pid, 7, "main.a", "main.main m.go:1", "");
	uint32_t b = hand_goroutine(p, pid, 8, "main.b", "main.main m.go:2", "job=x");
	uint32_t fa = hand_stack(p, "goexit:runtime.goexit go:main.a go:main.leaf"),
		 fb = hand_stack(p, "goexit:runtime.goexit go:main.b go:main.other");

	for (uint32_t i = 0; i < 300; i++) {
		hand_event(p, i * 100, fa, a, t, CLASS_USER);
		if (i >= 150)
			hand_event(p, i * 100 + 50, fb, b, t, CLASS_USER);
	}
	p->stats.duration_ns = 30000ull * MS;
	p->n_cpus = 2;
	return p;
}

static void begin(struct fixture *f, struct profile *file)
{
	*f = (struct fixture){ .view.by = { { BY_START }, 1, { NULL } } };
	browser_init(&f->b, &f->view);
	f->b.title = "demo";
	f->m.window_ns = 10000ull * MS;
	if (file)
		moment_of_file(&f->m, file, &f->view.filter);
}

static void look(struct fixture *f, uint32_t width, uint32_t height)
{
	FILE *out;
	size_t len;

	free(f->text);
	browser_look(&f->b, &f->m, width, height);
	top_screen(&f->b, &f->m, &f->s);
	out = open_memstream(&f->text, &len);
	spans_write(&f->s, out);
	fclose(out);
}

static void press(struct fixture *f, uint32_t key)
{
	browser_key(&f->b, &f->m, key);
	look(f, 80, 24);
}

static void type(struct fixture *f, const char *text)
{
	while (*text)
		press(f, (uint32_t)*text++);
}

static void end(struct fixture *f)
{
	browser_release(&f->b);
	moment_release(&f->m);
	spans_release(&f->s);
	free(f->text);
}

static void expect_first(const struct fixture *f, const char *name)
{
	cr_assert_gt(f->b.board.n, 0, "%s", f->text);
	cr_expect_str_eq(f->b.board.rows[0].name, name);
}

#define expect_on_screen(f, what) cr_expect(strstr((f)->text, what), "%s", (f)->text)

Test(top, enter_opens_and_escape_goes_back)
{
	struct fixture f;

	begin(&f, halves());
	look(&f, 80, 24);
	expect_first(&f, "main.a");
	press(&f, SCREEN_ENTER);
	cr_expect_eq(f.b.level, BOARD_GOROUTINES);
	expect_first(&f, "all 1 goroutine");
	press(&f, SCREEN_DOWN);
	press(&f, SCREEN_ENTER);
	cr_expect_eq(f.b.level, BOARD_FUNCTIONS);
	expect_first(&f, "main.leaf");
	expect_on_screen(&f, "demo › main.a › 7");
	press(&f, SCREEN_ENTER);
	cr_expect_eq(f.b.level, BOARD_LINES);
	expect_on_screen(&f, "no line of this function is known");
	press(&f, SCREEN_ENTER); /* there is nothing below */
	cr_expect_eq(f.b.level, BOARD_LINES);
	press(&f, SCREEN_ESCAPE);
	press(&f, SCREEN_BACKSPACE);
	cr_expect_eq(f.b.level, BOARD_GOROUTINES);
	cr_expect_eq(f.b.at, 1, "the one that was open");
	press(&f, SCREEN_ESCAPE);
	press(&f, SCREEN_ESCAPE);
	cr_expect_eq(f.b.level, BOARD_GROUPS);
	end(&f);
}

Test(top, the_selected_row_stays_selected)
{
	struct fixture f;

	begin(&f, halves());
	f.m.to_ns = 30000ull * MS;
	look(&f, 80, 24);
	cr_assert_eq(f.b.board.n, 2);
	press(&f, SCREEN_DOWN);
	cr_expect_str_eq(f.b.chosen, f.b.board.rows[1].key);
	press(&f, 's');
	press(&f, 's'); /* by name */
	press(&f, SCREEN_END);
	cr_expect_str_eq(f.b.board.rows[f.b.at].name, "main.b");
	press(&f, 's'); /* by CPU: equal, so by name */
	press(&f, SCREEN_PAGE_UP);
	cr_expect_eq(f.b.at, 0);
	end(&f);
}

Test(top, time_of_a_recording)
{
	struct fixture f;

	begin(&f, halves());
	look(&f, 80, 24);
	cr_expect_eq(moment_to(&f.m), 10000ull * MS, "it begins with a whole window");
	cr_expect_eq(f.b.board.n, 1);
	moment_play(&f.m, 1000ull * MS);
	cr_expect_eq(moment_from(&f.m), 1000ull * MS);
	press(&f, 'z');
	moment_play(&f.m, 1000ull * MS);
	cr_expect_eq(moment_to(&f.m), 11000ull * MS);
	expect_on_screen(&f, "paused");
	press(&f, '}');
	press(&f, SCREEN_LEFT);
	cr_expect_eq(moment_to(&f.m), 20000ull * MS);
	cr_expect_eq(f.b.board.n, 2);
	cr_expect_eq(f.b.board.rows[0].weight, 1000ull * MS);
	cr_expect_eq(f.b.board.rows[1].weight, 500ull * MS);
	press(&f, '+');
	cr_expect_eq(moment_from(&f.m), 0);
	press(&f, '-');
	press(&f, '-');
	cr_expect_eq(moment_from(&f.m), 15000ull * MS);
	for (int i = 0; i < 40; i++)
		press(&f, ']');
	cr_expect_eq(moment_to(&f.m), 30000ull * MS);
	for (int i = 0; i < 10; i++)
		press(&f, '{');
	cr_expect_eq(moment_to(&f.m), 100ull * MS);
	press(&f, ' ');
	moment_play(&f.m, 100000ull * MS);
	look(&f, 80, 24);
	expect_on_screen(&f, "at its end");
	press(&f, ' '); /* from the start */
	cr_expect_not(f.m.still);
	cr_expect_lt(moment_to(&f.m), 11000ull * MS);
	end(&f);
}

Test(top, g_goes_through_the_groupings)
{
	static const char *const keys[] = { "goroutine", "created by", "job",
					    "class",     "thread",     "start function" };
	struct fixture f;

	begin(&f, halves());
	f.m.to_ns = 30000ull * MS;
	look(&f, 80, 24);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		press(&f, 'g');
		cr_expect_str_eq(f.b.board.whole.key, keys[i]);
		if (f.b.view.by.keys[0] == BY_LABEL)
			cr_expect_str_eq(f.b.board.rows[1].name, "x");
	}
	end(&f);
}

Test(top, a_filter_is_used_while_it_is_typed)
{
	struct fixture f;

	begin(&f, halves());
	f.m.to_ns = 30000ull * MS;
	look(&f, 80, 24);
	type(&f, "/oth(");
	cr_expect_eq(f.b.board.n, 1, "what is no expression yet changes nothing");
	press(&f, SCREEN_BACKSPACE);
	type(&f, "q");
	cr_expect_not(f.b.quit, "keys are text");
	expect_on_screen(&f, "no sample matches the filter");
	press(&f, SCREEN_BACKSPACE);
	press(&f, SCREEN_ENTER);
	expect_first(&f, "main.b");
	expect_on_screen(&f, "/oth/");
	press(&f, SCREEN_ESCAPE);
	cr_expect_eq(f.b.board.n, 2);
	type(&f, "/main.b");
	press(&f, SCREEN_ESCAPE);
	cr_expect_eq(f.b.board.n, 2);
	end(&f);
}

Test(top, the_flame_graph)
{
	struct fixture f;

	begin(&f, halves());
	f.m.to_ns = 30000ull * MS;
	look(&f, 80, 24);
	press(&f, SCREEN_TAB);
	expect_on_screen(&f, "▏all");
	press(&f, SCREEN_DOWN);
	press(&f, SCREEN_RIGHT);
	expect_on_screen(&f, "10.0% · 50.0% of all · self 0.0%  start main.b");
	press(&f, SCREEN_DOWN);
	press(&f, SCREEN_ENTER);
	cr_expect_eq(f.b.graph.boxes[f.b.box_at].columns, 80);
	press(&f, SCREEN_DOWN);
	expect_on_screen(&f, "self 10.0%  main.other");
	f.m.to_ns = 14000ull * MS; /* main.b is not there any more */
	look(&f, 80, 24);
	expect_on_screen(&f, "▏main.a");
	press(&f, SCREEN_ESCAPE);
	press(&f, SCREEN_ESCAPE);
	cr_expect_not(f.b.flame);
	end(&f);
}

/* Every key at every place, on screens of any size. */
Test(top, no_key_and_no_size_is_too_much)
{
	static const uint32_t keys[] = { SCREEN_DOWN,  SCREEN_ENTER,  SCREEN_TAB,
					 SCREEN_ENTER, 'g',           's',
					 '?',          SCREEN_RIGHT,  '/',
					 'a',          SCREEN_ENTER,  'z',
					 '-',          SCREEN_ESCAPE, SCREEN_UP,
					 SCREEN_END,   'h',           SCREEN_PAGE_UP,
					 '+',          '}',           SCREEN_RESIZE,
					 SCREEN_TAB,   SCREEN_LEFT,   '[',
					 0x4e16,       'w',           'x',
					 SCREEN_HOME };
	uint32_t seed = 1, n = sizeof(keys) / sizeof(*keys);
	struct fixture f;

	begin(&f, halves());
	look(&f, 80, 24);
	for (int i = 0; i < 3000; i++) {
		seed = seed * 1103515245 + 12345;
		press(&f, keys[(seed >> 16) % n]);
		if (i % 7 == 0)
			look(&f, 1 + (seed >> 20) % 100, 1 + (seed >> 24) % 30);
		cr_expect_leq(f.s.line, 24 + 6);
	}
	end(&f);
}

/* Frozen is a copy: the window goes on. */
Test(top, freezing_what_is_live)
{
	struct profile *p = halves(), *cut;
	struct fixture f;
	uint32_t n;

	begin(&f, NULL);
	f.m.live = window_new(p, 0);
	look(&f, 80, 24);
	expect_on_screen(&f, "waiting for samples");
	press(&f, 'g');
	press(&f, SCREEN_TAB);
	press(&f, SCREEN_ENTER);
	press(&f, SCREEN_TAB);
	while (f.b.view.by.keys[0] != BY_START)
		press(&f, 'g');
	cut = profile_cut(p, 0, 12000ull * MS);
	window_add(f.m.live, cut);
	profile_free(cut);
	look(&f, 80, 24);
	expect_on_screen(&f, "live");
	cr_expect_eq(f.b.board.samples, 120, "one interval is not cut");
	press(&f, 'z');
	cut = profile_cut(p, 12000ull * MS, 30000ull * MS);
	window_add(f.m.live, cut);
	profile_free(cut);
	look(&f, 80, 24);
	expect_on_screen(&f, "frozen");
	cr_expect_eq(f.b.board.samples, 120);
	press(&f, SCREEN_LEFT);
	cr_expect_eq(moment_to(&f.m), 11000ull * MS);
	cut = moment_cut(&f.m);
	cr_expect_eq(cut->n_events, f.b.board.samples);
	profile_free(cut);
	press(&f, 'z');
	n = f.b.board.samples;
	expect_on_screen(&f, "live");
	cr_expect_eq(n, 180 + 150, "the interval that was added last");
	end(&f);
	profile_free(p);
}

/* The inverse part of the time bar, as shares of its columns. */
static void expect_bar(const struct fixture *f, double from, double to)
{
	uint32_t first = UINT32_MAX, last = 0, start = 0, end = 0;

	for (uint32_t i = 0; i < f->s.n; i++) {
		const struct span *r = &f->s.rows[i];

		if (r->line != 2 || r->ink == INK_DIM)
			continue;
		first = r->column < first ? r->column : first;
		last = r->column + r->columns;
		if (r->ink == INK_INVERSE) {
			start = r->column;
			end = last;
		}
	}
	cr_assert_gt(last, first);
	cr_expect_float_eq((double)(start - first) / (last - first), from, 0.02);
	cr_expect_float_eq((double)(end - first) / (last - first), to, 0.02);
}

Test(top, the_time_bar_shows_the_window)
{
	struct profile *p = halves();
	struct fixture f;

	begin(&f, p);
	look(&f, 200, 24);
	expect_bar(&f, 0, 1 / 3.0);
	f.m.to_ns = 25000ull * MS;
	look(&f, 200, 24);
	expect_bar(&f, 0.5, 25 / 30.0);
	press(&f, SCREEN_END);
	f.m.to_ns = 30000ull * MS;
	look(&f, 80, 24);
	expect_bar(&f, 2 / 3.0, 1);
	end(&f);
}

/* Live the bar is a minute, and the window may be all of it. */
Test(top, the_time_bar_of_a_window)
{
	struct profile *p = halves();
	struct fixture f;

	begin(&f, NULL);
	f.m.live = window_new(p, 0);
	window_add(f.m.live, p);
	look(&f, 200, 24);
	expect_bar(&f, 0, 0.5);
	for (int i = 0; i < 3; i++)
		window_add(f.m.live, p);
	f.m.window_ns = WINDOW_MINUTE;
	look(&f, 200, 24);
	expect_bar(&f, 0, 1);
	cr_expect_eq(f.b.board.samples, 2 * 450);
	end(&f);
	profile_free(p);
}

Test(top, what_is_typed_cannot_be_acted_on)
{
	struct fixture f;

	begin(&f, halves());
	look(&f, 80, 24);
	type(&f, "/a");
	press(&f, 1);
	press(&f, 0x9b);
	press(&f, 0x202e);
	press(&f, 0x4e16);
	press(&f, SCREEN_BACKSPACE);
	cr_expect_str_eq(buf_text(&f.b.typed), "a");
	end(&f);
}
