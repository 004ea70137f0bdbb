/* SPDX-License-Identifier: BSD-2-Clause */
/* What `diff` prints: names that match between two recordings, tables, JSON, folded
 * stacks. */
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/comparison_by_hand.h"
#include "tests/unit/tree_by_hand.h"

#include "output/diff.h"

static char *written(const struct hand_pair *r, struct diff_options o,
		     void (*write)(const struct comparison *c, const struct diff_options *o,
				   FILE *out))
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	o.paths[0] = "old.gsr";
	o.paths[1] = "new.gsr";
	write(&r->c, &o, out);
	fclose(out);
	return text;
}

static void write_folded(const struct comparison *c, const struct diff_options *o,
			 FILE *out)
{
	(void)o;
	diff_write_folded(c, out);
}

/* The profiles are released. */
static void expect_folded(struct profile *old, struct profile *new, const char *by,
			  bool shares, const char *want)
{
	struct hand_pair r;
	char *text;

	hand_compare(&r, old, new, by, shares, false);
	text = written(&r, (struct diff_options){ 0 }, write_folded);
	cr_expect_str_eq(text, want, "%s", text);
	free(text);
	hand_compared(&r);
}

/* A goroutine that starts in main.w, or in start, for each of the creators. */
static struct profile *created(uint32_t tgid, const char *start,
			       const char *const *creators)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, tgid, "demo"), n;
	uint32_t t = hand_thread(p, pid, tgid, "");
	char stack[64];

	snprintf(stack, sizeof(stack), "goexit:runtime.goexit go:%s", start);
	for (n = 1; *creators; creators++, n++)
		hand_event(p, n, hand_stack(p, stack),
			   hand_goroutine(p, pid, n, start, *creators, ""), t, CLASS_USER);
	return p;
}

#define CREATED(...) created(812, "main.w", (const char *const[]){ __VA_ARGS__, NULL })

Test(diff, one_place_needs_no_name)
{
	expect_folded(CREATED("main.main a.go:7"), CREATED("main.main a.go:9"), "start",
		      false, "start main.w;main.w 1 1\n");
	expect_folded(CREATED(""), CREATED("main.main a.go:9"), "start", false,
		      "start main.w;main.w 1 1\n");
}

Test(diff, lines_of_the_same_file_tell_places_apart)
{
	expect_folded(CREATED("main.main a.go:7", "main.main a.go:9"),
		      CREATED("main.main a.go:9"), "start", false,
		      "start main.w (main.main a.go:7);main.w 1 0\n"
		      "start main.w (main.main a.go:9);main.w 1 1\n");
}

Test(diff, lines_that_moved_match_in_their_order)
{
	expect_folded(CREATED("main.main a.go:10", "main.main a.go:7", "main.x a.go:9"),
		      CREATED("main.main a.go:8", "main.main a.go:11", "main.main a.go:8"),
		      "start", false,
		      "start main.w (main.main a.go:11);main.w 1 1\n"
		      "start main.w (main.main a.go:8);main.w 1 2\n"
		      "start main.w (main.x a.go:9);main.w 1 0\n");
}

Test(diff, lines_that_do_not_match_are_one_place)
{
	expect_folded(CREATED("main.main a.go:7", "main.main a.go:10", "main.x b.go:1"),
		      CREATED("main.main a.go:8"), "start", false,
		      "start main.w (main.main a.go);main.w 2 1\n"
		      "start main.w (main.x b.go:1);main.w 1 0\n");
	expect_folded(CREATED("main.main a.go:7", "main.main a.go:10"),
		      CREATED("main.main a.go:8"), "start", false,
		      "start main.w;main.w 2 1\n");
}

Test(diff, by_creator_the_places_match_too)
{
	expect_folded(CREATED("main.main a.go:7"), CREATED("main.main a.go:9"), "creator",
		      false, "go main.main a.go:9;main.w 1 1\n");
	expect_folded(CREATED("main.main"), CREATED("main.main"), "creator", false,
		      "go main.main;main.w 1 1\n");
}

static uint32_t add_process(struct profile *p, uint32_t tgid, const char *name,
			    const char *stack)
{
	uint32_t pid = hand_process(p, tgid, name), t = hand_thread(p, pid, tgid, "");

	hand_event(p, tgid, hand_stack(p, stack), 0, t, CLASS_C);
	return pid;
}

/* Pids differ from run to run. */
Test(diff, processes_are_programs)
{
	struct profile *old = hand_profile(), *new = hand_profile();

	add_process(old, 1, "demo", "c:main");
	add_process(old, 2, "demo", "c:main");
	add_process(new, 3, "demo", "c:main");
	expect_folded(old, new, "start", false, "[c];main 2 1\n");
	old = hand_profile();
	new = hand_profile();
	add_process(old, 1, "demo", "c:main");
	add_process(new, 3, "demo", "c:main");
	add_process(new, 4, "other", "c:main");
	expect_folded(old, new, "start", false, "demo;[c];main 1 1\nother;[c];main 0 1\n");
}

/* Another build inlines other functions. */
Test(diff, inlined_or_not_is_one_function)
{
	struct profile *old = hand_profile(), *new = hand_profile();

	add_process(old, 1, "demo", "go:main.a inl:main.b");
	add_process(new, 1, "demo", "go:main.a go:main.b");
	add_process(new, 1, "demo", "go:main.a kernel:main.b");
	expect_folded(old, new, "none", false,
		      "main.a;main.b 1 1\nmain.a;main.b_[k] 0 1\n");
}

Test(diff, folded_shares_are_scaled_to_the_new_sum)
{
	struct profile *old = hand_profile(), *new = hand_profile();

	for (uint32_t i = 0; i < 4; i++)
		add_process(old, 1, "demo", i ? "go:a" : "go:b");
	for (uint32_t i = 0; i < 8; i++)
		add_process(new, 1, "demo", i > 1 ? "go:a" : "");
	expect_folded(old, new, "none", true, "[unknown] 0 2\nb 2 0\na 6 6\n");
}

/* Both decide together which functions are starters: see starts.h. */
Test(diff, names_behind_starters_agree)
{
	struct profile *p[2];

	for (int i = 0; i < 2; i++) {
		uint32_t pid, t;

		p[i] = hand_profile();
		pid = hand_process(p[i], 812, "demo");
		t = hand_thread(p[i], pid, 812, "");
		hand_event(
			p[i], 1,
			hand_stack(p[i],
				   "goexit:runtime.goexit go:sync.(*WaitGroup).Go.func1 "
				   "go:main.w"),
			hand_goroutine(p[i], pid, 7, "sync.(*WaitGroup).Go.func1", "", ""),
			t, CLASS_USER);
	}
	expect_folded(p[0], p[1], "start", false,
		      "start main.w;sync.(*WaitGroup).Go.func1;main.w 1 1\n");
}

/* Tables: a function grows, another one may have, a long name, the kernel. */

static void add_work(struct profile *p, uint32_t n, uint32_t of, const char *stack,
		     uint32_t goroutine)
{
	for (uint32_t i = 0; i < n; i++)
		hand_event(p, (uint64_t)i * 10000 / n + of, hand_stack(p, stack), goroutine,
			   1, CLASS_USER);
}

static struct profile *worked(uint32_t search, uint32_t encode)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), a, b;

	p->stats.duration_ns = 10000000000;
	hand_thread(p, pid, 812, "");
	a = hand_goroutine(p, pid, 7, "main.search", "", "");
	b = hand_goroutine(p, pid, 8, "main.encode", "", "");
	add_work(p, search, 1, "goexit:runtime.goexit go:main.search go:regexp.match", a);
	add_work(
		p, encode, 2,
		"goexit:runtime.goexit go:main.encode "
		"go:example.com/some/where/encoding/deflate.(*compressor).writeStoredBlock",
		b);
	add_work(p, 40, 3, "goexit:runtime.goexit go:main.encode kernel:ksys_write", b);
	return p;
}

static void expect_text(struct diff_options o, bool shares, const char *golden)
{
	struct hand_pair r;
	char *text;

	hand_compare(&r, worked(300, 500), worked(520, 510), "start", shares, o.by_cum);
	text = written(&r, o, diff_write_text);
	expect_golden(text, golden);
	free(text);
	hand_compared(&r);
}

Test(diff, text_of_all_rows)
{
	expect_text((struct diff_options){ 0 }, false, "tests/unit/golden/diff-piped.txt");
}

Test(diff, text_on_a_colour_terminal)
{
	expect_text((struct diff_options){ .width = 100, .rows = 3, .color = true }, true,
		    "tests/unit/golden/diff-100-color.txt");
}

Test(diff, text_on_a_narrow_terminal)
{
	expect_text((struct diff_options){ .width = 70, .rows = 1, .by_cum = true }, false,
		    "tests/unit/golden/diff-70-cum.txt");
}

/* The callers of one leaf. */
static struct profile *called(uint32_t search, uint32_t encode)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), g;

	p->stats.duration_ns = 10000000000;
	hand_thread(p, pid, 812, "");
	g = hand_goroutine(p, pid, 7, "main.main", "", "");
	add_work(p, search, 1, "goexit:runtime.goexit go:main.search go:main.leaf", g);
	add_work(p, encode, 2, "goexit:runtime.goexit go:main.encode go:main.leaf", g);
	return p;
}

/* A narrow table shows the column in which functions differ, these first. */
Test(diff, narrow_tables_show_what_differs)
{
	struct hand_pair r;
	char *text;

	hand_compare(&r, called(100, 400), called(400, 100), "start", false, false);
	text = written(&r, (struct diff_options){ .width = 70, .rows = 2 },
		       diff_write_text);
	cr_expect(strstr(text, " cum old      new    delta        ±  function\n"), "%s",
		  text);
	cr_expect(strstr(text, "  main.search\n") && strstr(text, "  main.encode\n"), "%s",
		  text);
	free(text);
	hand_compared(&r);
}

Test(diff, json)
{
	struct hand_pair r;
	char *text;

	hand_compare(&r, worked(300, 500), worked(520, 510), "start", false, false);
	text = written(&r, (struct diff_options){ .rows = 1 }, diff_write_json);
	expect_golden(text, "tests/unit/golden/diff.json");
	free(text);
	hand_compared(&r);
}

/* Events that are counted have rates, of any size. */
Test(diff, text_of_rates)
{
	static const uint64_t weights[] = { 1,        5000,         700000,
					    30000000, 500000000000, 900000000000000 };
	struct profile *p[2] = { worked(0, 0), worked(0, 0) };
	struct hand_pair r;
	char *text, stack[32];

	for (int side = 0; side < 2; side++) {
		p[side]->kinds[1].name = hand_string(p[side], "calls");
		p[side]->kinds[1].unit = hand_string(p[side], UNIT_COUNT);
		p[side]->kinds[1].period = 0;
		for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++) {
			snprintf(stack, sizeof(stack), "go:main.f%zu", i);
			add_work(p[side], 100, 5, stack, 0);
			for (uint32_t e = p[side]->n_events - 100; e < p[side]->n_events;
			     e++)
				p[side]->events[e].weight = weights[i];
		}
	}
	hand_compare(&r, p[0], p[1], "none", false, false);
	text = written(&r, (struct diff_options){ 0 }, diff_write_text);
	expect_golden(text, "tests/unit/golden/diff-rates.txt");
	free(text);
	hand_compared(&r);
}
