/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree_by_hand.h"

#include <math.h>

#include "output/json.h"
#include "output/summary.h"
#include "output/table.h"
#include "output/text.h"

#define PROMETHEUS "github.com/prometheus/prometheus/tsdb."

/* A typical program: a busy worker, a collector, system calls, recursion. */
static struct tree *busy(void)
{
	struct tree *t = hand_tree();
	uint32_t g, n;

	g = hand_group(t, 0, "goroutine 7 " PROMETHEUS "(*DB).run", 1);
	n = hand_node(t, g, PROMETHEUS "(*DB).run", FRAME_GO, 0);
	n = hand_node(t, n, PROMETHEUS "(*DB).reloadBlocks.func1.(*Head).Append", FRAME_GO,
		      12);
	n = hand_node(t, n, "syscall.Syscall", FRAME_GO, 1);
	hand_node(t, n, "ksys_write", FRAME_KERNEL, 30);
	g = hand_group(t, 0, "goroutine 18 main.worker", 1);
	n = hand_node(t, g, "main.worker", FRAME_GO, 2);
	n = hand_node(t, n, "main.fib", FRAME_GO, 100);
	n = hand_node(t, n, "main.fib", FRAME_GO, 200);
	hand_file(t, n, "/src/main.go");
	n = hand_node(t, n, "main.leaf", FRAME_GO, 5);
	hand_node(t, n, "main.fib", FRAME_GO, 300);
	g = hand_group(t, 0, "[scheduler]", 0);
	n = hand_node(t, g, "runtime.mstart", FRAME_MSTART, 0);
	n = hand_node(t, n, "runtime.schedule", FRAME_GO, 40);
	hand_node(t, n, "ksys_write", FRAME_NATIVE, 1);
	g = hand_group(t, 0, "goroutine 2000 main.\xe4\xb8\x96\xe7\x95\x8c\033[31m", 1);
	hand_node(t, g, "main.\xe4\xb8\x96\xe7\x95\x8c\033[31m", FRAME_GO, 9);
	return hand_done(t);
}

static struct view busy_view(struct tree *t)
{
	struct view v = hand_view(t);
	struct profile *p = hand_profile_of(&v);
	struct quality *q = &p->kinds[1].quality;

	p->stats = (struct stats){ .lost_ring_full = 1,
				   .lost_table_full = 2,
				   .cpu_ns = 49000000,
				   .peak_rss = 14100000 };
	q->with_goroutine = 659;
	q->rooted = 699;
	q->user_frames = q->named_frames = 2000;
	return v;
}

static char *table(struct view *v, struct table_options o)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(table_write(v, &o, out), 0);
	quality_line(v->profile, v->kind, o.width, out);
	fclose(out);
	return text;
}

/* No line is wider, or ends in a space. */
static void expect_width(const char *text, uint32_t width)
{
	char *copy = mem_strdup(text);

	for (char *s = copy, *line; (line = strsep(&s, "\n"));) {
		cr_expect_leq(text_columns(line), width, "%s", line);
		cr_expect(!*line || line[strlen(line) - 1] != ' ', "[%s]", line);
	}
	free(copy);
}

static void expect_table(struct view v, struct table_options o, const char *golden)
{
	char *text = table(&v, o);

	expect_golden(text, golden);
	if (o.width && !o.color)
		expect_width(text, o.width);
	free(text);
	hand_release(&v);
}

Test(table, piped_cuts_nothing)
{
	expect_table(busy_view(busy()), (struct table_options){ 0 },
		     "tests/unit/golden/report-piped.txt");
}

/* Cuts have a row, which tells how much time was spent in stacks that are not complete;
 * two cuts in a stack count once. */
Test(table, a_stack_is_never_silently_short)
{
	struct tree *t = hand_tree();
	uint32_t n = hand_node(t, 0, "[cut]", FRAME_CUT, 0);
	struct view v;
	char *text;
	size_t len;
	FILE *out;

	n = hand_node(t, n, "main.b", FRAME_GO, 3);
	n = hand_node(t, n, "[cut]", FRAME_CUT, 0);
	hand_node(t, n, "f", FRAME_NATIVE, 2);
	v = hand_view(hand_done(t));
	text = table(&v, (struct table_options){ 0 });
	cr_expect(strstr(text, " 0     0.0%       50ms   100.0%  [cut]\n"), "%s", text);
	free(text);
	out = open_memstream(&text, &len);
	cr_assert_eq(table_write_json(&v, out), 0);
	fclose(out);
	cr_expect(strstr(text, "{\"name\":\"[cut]\",\"file\":\"\",\"line\":null,"
			       "\"origin\":\"other\",\"flat\":0,\"cum\":5,"
			       "\"flat_ns\":0,\"cum_ns\":50000000}"),
		  "%s", text);
	free(text);
	hand_release(&v);
}

Test(table, terminal_of_80_columns)
{
	expect_table(busy_view(busy()), (struct table_options){ .width = 80, .rows = 20 },
		     "tests/unit/golden/report-80.txt");
}

Test(table, terminal_in_colour)
{
	expect_table(busy_view(busy()),
		     (struct table_options){ .width = 120, .rows = 40, .color = true },
		     "tests/unit/golden/report-120-color.txt");
}

Test(table, groups_of_many_goroutines_are_counted)
{
	struct tree *t = busy();

	t->groups[1].goroutines = 1234;
	hand_member(t, t->groups[0].node, 7, 43);
	hand_member(t, t->groups[1].node, 18, 30);
	hand_member(t, t->groups[1].node, 1234567, 77);
	hand_member(t, t->groups[1].node, 19, 500);
	expect_table(busy_view(t), (struct table_options){ .width = 100, .rows = 40 },
		     "tests/unit/golden/report-counts.txt");
}

Test(table, calls_have_no_seconds)
{
	struct tree *t = busy();
	struct view v;

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		t->nodes[i].self = t->nodes[i].self_samples;
		t->nodes[i].total = t->nodes[i].samples;
	}
	v = busy_view(t);
	hand_kind(&v, "calls", UNIT_COUNT, 1);
	expect_table(v, (struct table_options){ .width = 100, .rows = 40 },
		     "tests/unit/golden/report-calls.txt");
}

Test(table, many_calls_do_not_burst_the_column)
{
	struct tree *t = hand_tree();
	struct view v;
	char *text;

	hand_node(t, 0, "main.tiny", FRAME_GO, 1);
	t->nodes[1].self = 123456789;
	hand_node(t, 0, "main.small", FRAME_GO, 1);
	t->nodes[2].self = 16029805320;
	v = hand_view(hand_done(t));
	hand_kind(&v, "calls", UNIT_COUNT, 1);
	text = table(&v, (struct table_options){ 0 });
	cr_expect(strstr(text, "\n   123.5M     0.8%     123.5M     0.8%  main.tiny\n"),
		  "%s", text);
	cr_expect(strstr(text, "\n    16.0G    99.2%      16.0G    99.2%  main.small\n"),
		  "%s", text);
	free(text);
	hand_release(&v);
}

Test(table, fits_every_width_and_height)
{
	struct view v = busy_view(busy());

	v.tree->groups[1].goroutines = 12;
	hand_member(v.tree, v.tree->groups[1].node, 18, 300);
	hand_member(v.tree, v.tree->groups[1].node, 1234567, 307);
	for (uint32_t width = 60; width <= 160; width++) {
		char *text = table(&v,
				   (struct table_options){ .width = width, .rows = 10 });

		expect_width(text, width);
		free(text);
	}
	hand_release(&v);
}

static uint32_t count(const char *text, const char *word)
{
	uint32_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* n functions with n, n - 1, … samples, each in a group of its own or all in one. */
static char *many(char names[][24], uint32_t n, bool own_groups)
{
	struct tree *t = hand_tree();
	uint32_t g = 0;
	struct view v;
	char *text;

	for (uint32_t i = 0; i < n; i++) {
		snprintf(names[i], 24, "main.f%02u", i);
		if (!i || own_groups)
			g = hand_group(t, 0, names[i], 1);
		hand_node(t, g, names[i], FRAME_GO, n - i);
	}
	v = hand_view(hand_done(t));
	text = table(&v, (struct table_options){ .width = 80, .rows = 40 });
	cr_expect_leq(count(text, "\n"), 39);
	hand_release(&v);
	return text;
}

Test(table, both_tables_get_half_of_the_rows)
{
	char names[50][24], *text = many(names, 50, true);

	/* of 27 rows that are left; 50 + 49 + … + 38 of 1275 samples are shown */
	cr_expect_eq(count(text, "\xe2\x80\xa6 37 more rows, 55.1% (-n 0 shows all)"), 1,
		     "%s", text);
	cr_expect_eq(count(text, "\xe2\x80\xa6 36 more rows, 52.2% (-n 0 shows all)"), 1,
		     "%s", text);
	free(text);
}

Test(table, rows_that_one_table_does_not_need_go_to_the_other)
{
	char names[50][24], *text = many(names, 50, false);

	cr_expect_eq(count(text, "\xe2\x80\xa6 24 more rows, 23.5% (-n 0 shows all)"), 1,
		     "%s", text);
	free(text);
}

Test(summary, cumulative_counts_a_sample_once)
{
	struct view v = hand_view(busy());
	struct summary s;

	cr_assert_eq(summary_init(&s, &v), 0);
	cr_assert_str_eq(s.functions[0].name, "main.fib");
	cr_expect_eq(s.functions[0].flat_samples, 600);
	cr_expect_eq(s.functions[0].cum_samples, 605);
	cr_expect_eq(s.functions[0].flat, 600ull * SAMPLE_NS);
	cr_expect_eq(s.functions[0].cum, 605ull * SAMPLE_NS);
	cr_expect_str_eq(s.functions[0].file, "/src/main.go");
	summary_release(&s);
	hand_release(&v);
}

Test(summary, nested_groups_have_the_whole_path_as_key)
{
	struct tree *t = hand_tree();
	uint32_t outer = hand_node(t, 0, "demo-812", 0, 0), g;
	struct summary s;
	struct view v;

	t->nodes[outer].type = NODE_GROUP;
	g = hand_group(t, outer, "go main.F[struct { a int; b int }] pool.go:41", 3);
	hand_node(t, g, "main.a", FRAME_GO, 3);
	g = hand_node(t, g, "main.b", FRAME_GO, 1);
	hand_node(t, g, "main.c", FRAME_GO, 2);
	hand_node(t, g, "main.c", FRAME_GO, 2);
	v = hand_view(hand_done(t));
	cr_assert_eq(summary_init(&s, &v), 0);
	cr_assert_eq(s.n_groups, 1);
	cr_expect_str_eq(s.groups[0].key,
			 "demo-812;go main.F[struct { a int: b int }] pool.go:41");
	cr_expect_str_eq(s.groups[0].name, "go main.F[struct { a int; b int }] pool.go:41");
	cr_expect_str_eq(s.groups[0].top, "main.c");
	cr_expect_eq(s.groups[0].goroutines, 3);
	cr_expect_eq(s.groups[0].samples, 8);
	summary_release(&s);
	hand_release(&v);
}

/* A kind whose events have different weights, in a profile of several kinds. */
Test(table, names_the_kind_of_event)
{
	struct tree *t = hand_tree();
	uint32_t g = hand_group(t, 0, "goroutine 7 main.f", 1);
	struct view v;
	char *text;
	size_t len;
	FILE *out;

	hand_node(t, g, "main.f", FRAME_GO, 2);
	t->nodes[2].self = 3000000000;
	v = hand_view(hand_done(t));
	v.other_kinds = true;
	hand_kind(&v, "off-\033cpu", UNIT_NS, 0);
	hand_profile_of(&v)->kinds[1].quality.samples = 5;
	text = table(&v, (struct table_options){ 0 });
	cr_expect(strstr(text,
			 "\n3.00s of off-\xef\xbf\xbd"
			 "cpu in 10.0s = 0.30 of 2 CPUs, 2 samples, selected from 5\n"),
		  "%s", text);
	cr_expect(strstr(text, "\n off-\xef\xbf\xbd"
			       "cpu    share  goroutine"),
		  "%s", text);
	free(text);
	hand_kind(&v, "off-cpu", UNIT_NS, 0);
	out = open_memstream(&text, &len);
	cr_assert_eq(table_write_json(&v, out), 0);
	fclose(out);
	cr_expect(strstr(text, "\"samples\":2,\"cpu_ns\":null,\"weight\":3000000000,"
			       "\"kind\":\"off-cpu\",\"unit\":\"nanoseconds\","),
		  "%s", text);
	cr_expect(strstr(text, "\"cpu_ns\":null,\"weight\":3000000000,"), "%s", text);
	free(text);
	hand_release(&v);
}

Test(table, json_has_quality_groups_and_functions)
{
	struct view v = busy_view(busy());
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_null(grouping_parse("goroutine", &v.by));
	for (uint32_t i = 0; i < v.tree->n_groups; i++)
		v.tree->nodes[v.tree->groups[i].node].level = 1;
	cr_assert_eq(table_write_json(&v, out), 0);
	fclose(out);
	hide_version(text);
	expect_golden(text, "tests/unit/golden/report.json");
	free(text);
	hand_release(&v);
}

static void expect_quality(const char *name, struct quality q, struct stats s,
			   uint32_t width, const char *want)
{
	struct strtab *strings = strtab_new();
	struct event_kind kinds[3] = { [2] = { .name = strtab_add(strings, name),
					       .quality = q } };
	struct profile p = { .strings = strings, .kinds = kinds, .stats = s };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	quality_line(&p, 2, width, out);
	fclose(out);
	cr_expect_str_eq(text, want);
	free(text);
	strtab_free(strings);
}

Test(quality, is_one_line_and_never_rounds_up)
{
	struct quality q = { .samples = 4950,
			     .with_goroutine = 4941,
			     .rooted = 4949,
			     .user_frames = 20000,
			     .named_frames = 20000 };
	struct stats s = { .lost_ring_full = 1234000,
			   .lost_table_full = 567,
			   .cpu_ns = 50000000,
			   .peak_rss = 14100000 };

	expect_quality(
		"cpu", q, s, 0,
		"4,950 samples, 1,234,567 lost \xc2\xb7 99.8% with a goroutine \xc2\xb7 "
		"99.9% complete stacks \xc2\xb7 100.0% of user frames named \xc2\xb7 "
		"0.05s CPU, 14.1 MB peak\n");
	expect_quality("cpu", q, s, 60,
		       "4,950 samples, 1,234,567 lost \xc2\xb7 99.8% with a goroutine\n"
		       "99.9% complete stacks \xc2\xb7 100.0% of user frames named\n"
		       "0.05s CPU, 14.1 MB peak\n");
}

Test(quality, says_one_sample)
{
	struct quality q = { .samples = 1, .with_goroutine = 1, .rooted = 1 };

	expect_quality(
		"cpu", q, (struct stats){ 0 }, 0,
		"1 sample, 0 lost \xc2\xb7 100.0% with a goroutine \xc2\xb7 100.0% "
		"complete stacks \xc2\xb7 100.0% of user frames named \xc2\xb7 0.00s CPU, "
		"0.0 MB peak\n");
	expect_quality(
		"calls", q, (struct stats){ .lost_ring_full = 3 }, 0,
		"1 call, 3 lost \xc2\xb7 100.0% with a goroutine \xc2\xb7 100.0% "
		"complete stacks \xc2\xb7 100.0% of user frames named \xc2\xb7 0.00s CPU, "
		"0.0 MB peak\n");
}

#define WORLD "\xe4\xb8\x96\xe7\x95\x8c"

static void expect_fit(const char *s, uint32_t max, const char *want)
{
	struct buf b = { 0 };
	uint32_t n = text_fit(&b, s, max);

	buf_u8(&b, 0);
	cr_expect_str_eq((const char *)b.data, want);
	cr_expect_eq(n, text_columns(want));
	cr_expect_leq(n, max);
	buf_release(&b);
}

Test(text, fit_cuts_in_the_middle_by_columns)
{
	expect_fit("main.worker", 11, "main.worker");
	expect_fit("main.worker", 10, "main\xe2\x80\xa6orker");
	expect_fit("main.worker", 1, "\xe2\x80\xa6");
	expect_fit("main.worker", 2, "\xe2\x80\xa6r");
	expect_fit(WORLD WORLD, 8, WORLD WORLD);
	expect_fit(WORLD WORLD, 7, "\xe4\xb8\x96\xe2\x80\xa6\xe7\x95\x8c");
	expect_fit(WORLD WORLD, 6, "\xe4\xb8\x96\xe2\x80\xa6\xe7\x95\x8c");
	expect_fit("a\033[2Jb", UINT32_MAX, "a\xef\xbf\xbd[2Jb");
}

Test(text, fit_does_not_make_another_number)
{
	expect_fit("goroutine 1495 main.(*Pool).start", 25,
		   "goroutine 1495\xe2\x80\xa6ool).start");
	expect_fit("goroutine 1495 main.(*Pool).start", 22,
		   "goroutine \xe2\x80\xa6Pool).start");
	expect_fit("goroutine 1495 main.(*Pool).start", 20,
		   "goroutine\xe2\x80\xa6ool).start");
	expect_fit("123456789", 5, "1234\xe2\x80\xa6");
}

Test(json, escapes_whatever_is_not_plain_text)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct json j = { .out = out };

	json_open(&j, NULL, '[');
	json_str(&j, NULL, "a\"b\\c\n\033\x7f\xc2\x9b\xff\xe4\xb8\x96\xe2\x80\xa8/");
	json_open(&j, NULL, '{');
	json_num(&j, "\"k", 0.25);
	json_num(&j, "nan", NAN);
	json_uint(&j, "big", UINT64_MAX);
	json_close(&j, '}');
	json_open(&j, NULL, '[');
	json_close(&j, ']');
	json_null(&j, NULL);
	json_close(&j, ']');
	fclose(out);
	cr_expect_str_eq(
		text,
		"[\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u009b\\ufffd\xe4\xb8\x96\\u2028/\","
		"{\"\\\"k\":0.25,\"nan\":null,\"big\":18446744073709551615},[],null]");
	free(text);
}
