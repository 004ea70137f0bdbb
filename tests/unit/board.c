/* SPDX-License-Identifier: BSD-2-Clause */
/* What top shows: rows of a moment, their lines, flame graphs in characters. */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "output/board.h"
#include "output/board_lines.h"
#include "output/flame_lines.h"
#include "output/spans.h"
#include "output/spark.h"
#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/profile/tree.h"

enum { MS = 1000000 };

#define CONN "goexit:runtime.goexit go:net/http.(*conn).serve "

/* Two minutes: until 1:30 main.old runs; then two connections and a collector. */
static struct profile *busy(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo");
	uint32_t t = hand_thread(p, pid, 812, "demo");
	uint32_t old = hand_goroutine(p, pid, 7, "main.old", "", "");
	uint32_t a = hand_goroutine(p, pid, 18, "net/http.(*conn).serve", "",
				    "job=a\033[31m,user=\xe4\xb8\x96\xe7\x95\x8c");
	uint32_t b = hand_goroutine(p, pid, 19, "net/http.(*conn).serve", "", "job=b");
	uint32_t find = hand_stack(p, CONN "go:main.(*Index).Find go:regexp.match"),
		 render = hand_stack(p, CONN "go:main.render"),
		 gc = hand_stack(p, "go:runtime.mstart go:runtime.gcDrain"),
		 f = hand_stack(p, "goexit:runtime.goexit go:main.old");

	for (uint32_t s = 0; s < 120; s++) {
		if (s < 90)
			hand_event(p, s * 1000, f, old, t, CLASS_USER);
		for (uint32_t k = 0; k < 4 && s >= 90; k++)
			hand_event(p, s * 1000 + 100 + k, find, a, t, CLASS_USER);
		if (s >= 90)
			hand_event(p, s * 1000 + 200, render, b, t, CLASS_USER);
		if (s >= 115)
			hand_event(p, s * 1000 + 300, gc, 0, t, CLASS_SCHEDULER);
	}
	p->stats.duration_ns = 120000ull * MS;
	p->n_cpus = 2;
	return p;
}

static const struct grouping by_start = { { BY_START }, 1, { NULL } };

/* The last 10 s of busy(). */
static struct board_query query(struct view *v)
{
	if (!v->by.n)
		v->by = by_start;
	return (struct board_query){
		.view = v, .from_ns = 110000ull * MS, .to_ns = 120000ull * MS, .n_cells = 12
	};
}

static void expect_row(const struct board *b, uint32_t i, const char *name, double ms,
		       uint32_t goroutines)
{
	cr_assert_lt(i, b->n);
	cr_expect_str_eq(b->rows[i].name, name);
	cr_expect_eq(b->rows[i].weight, (uint64_t)(ms * MS), "%s: %llu", name,
		     (unsigned long long)b->rows[i].weight);
	cr_expect_eq(b->rows[i].goroutines, goroutines);
}

Test(board, groups_have_the_window_and_cells_the_minute)
{
	struct profile *p = busy();
	struct view v = { 0 };
	struct board_query q = query(&v);
	struct board b;

	board_init(&b, &q, p);
	cr_assert_eq(b.n, 3);
	expect_row(&b, 0, "net/http.(*conn).serve", 500, 2);
	expect_row(&b, 1, "[scheduler]", 50, 0);
	expect_row(&b, 2, "main.old", 0, 0); /* only earlier in the minute */
	cr_expect_eq(b.total, 550ull * MS);
	cr_expect_eq(b.samples, 55);
	cr_expect_eq(b.cell_ns, 5000ull * MS);
	for (int i = 0; i < 12; i++) {
		cr_expect_eq(b.rows[0].cells[i], i < 6 ? 0 : 250ull * MS);
		cr_expect_eq(b.rows[1].cells[i], i < 11 ? 0 : 50ull * MS);
		cr_expect_eq(b.rows[2].cells[i], i < 6 ? 50ull * MS : 0);
	}
	board_release(&b);
	profile_free(p);
}

/* As time goes on a cell keeps what it has, and moves by a whole one. */
Test(board, cells_keep_their_content)
{
	struct profile *p = busy();
	struct view v = { 0 };
	struct board_query q = query(&v);
	uint64_t before[12] = { 0 };

	for (uint64_t ms = 100000; ms < 120000; ms += 1000) {
		struct board b;

		q.to_ns = ms * MS;
		q.from_ns = (ms - 10000) * MS;
		board_init(&b, &q, p);
		if (ms % 5000 == 1000 && ms > 101000)
			cr_expect_arr_eq(b.rows[0].cells, before + 1, 11 * sizeof(*before));
		else if (ms > 101000)
			cr_expect_arr_eq(b.rows[0].cells, before, 11 * sizeof(*before));
		memcpy(before, b.rows[0].cells, sizeof(before));
		board_release(&b);
	}
	profile_free(p);
}

Test(board, a_row_opens_to_goroutines_functions_and_lines)
{
	struct profile *p = busy();
	struct view v = { 0 };
	struct board_query q = query(&v);
	struct board b;
	char *group, *goroutine;

	board_init(&b, &q, p);
	group = mem_strdup(b.rows[0].key);
	board_release(&b);
	q.group = group;
	q.level = BOARD_GOROUTINES;
	board_init(&b, &q, p);
	cr_assert_eq(b.n, 3);
	expect_row(&b, 0, "all 2 goroutines", 500, 2);
	expect_row(&b, 1, "18 job=a\033[31m,user=\xe4\xb8\x96\xe7\x95\x8c", 400, 1);
	expect_row(&b, 2, "19 job=b", 100, 1);
	cr_expect_eq(b.rows[0].cells[11], 250ull * MS);
	goroutine = mem_strdup(b.rows[2].key);
	board_release(&b);
	q.level = BOARD_FUNCTIONS;
	q.goroutine = ""; /* all */
	q.sort = BOARD_BY_SELF;
	board_init(&b, &q, p);
	cr_assert_eq(b.n, 4);
	expect_row(&b, 0, "regexp.match", 400, 0);
	cr_expect_eq(b.rows[0].self, 400ull * MS);
	expect_row(&b, 1, "main.render", 100, 0);
	expect_row(&b, 2, "net/http.(*conn).serve", 500, 0);
	board_release(&b);
	q.goroutine = goroutine;
	board_init(&b, &q, p);
	cr_assert_eq(b.n, 2);
	expect_row(&b, 0, "main.render", 100, 0);
	cr_expect_eq(b.total, 100ull * MS);
	board_release(&b);
	q.level = BOARD_LINES;
	q.function = "main.render";
	board_init(&b, &q, p);
	cr_expect_eq(b.n, 0, "no line is known of it");
	cr_expect_eq(b.samples, 10);
	board_release(&b);
	free(group);
	free(goroutine);
	profile_free(p);
}

Test(board, lines_are_those_of_the_function)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), call[3];
	uint32_t t = hand_thread(p, pid, 812, "demo");
	uint32_t g = hand_goroutine(p, pid, 7, "main.f", "", "");
	struct view v = { 0 };
	struct board_query q = query(&v);
	struct board b;

	for (uint32_t i = 0; i < 3; i++)
		call[i] = profile_call(
			p, i == 2 ? call[0] : 0,
			profile_frame(p, &(struct frame){
						 .addr = i,
						 .func = hand_string(p, i == 2 ? "main.g"
									       : "main.f"),
						 .file = hand_string(p, "/src/store/f.go"),
						 .line = 10 + i,
						 .kind = FRAME_GO }));
	for (uint32_t i = 0; i < 6; i++) /* line 10 once, 11 twice, and 12 below 10 */
		hand_event(p, 111000, call[i == 0 ? 0 : i < 3 ? 1 : 2], g, t, CLASS_USER);
	q.level = BOARD_LINES;
	q.group = "start main.f";
	q.goroutine = "";
	q.function = "main.f";
	board_init(&b, &q, p);
	cr_assert_eq(b.n, 2);
	expect_row(&b, 0, "f.go:10", 40, 0);
	cr_expect_eq(b.rows[0].self, 10ull * MS);
	expect_row(&b, 1, "f.go:11", 20, 0);
	board_release(&b);
	profile_free(p);
}

static void expect_matches(const char *pattern, uint32_t samples, const char *first)
{
	struct profile *p = busy();
	struct view v = { .by = { { BY_LABEL }, 1, { "job" } } };
	struct board_query q = query(&v);
	regex_t re;
	struct board b;

	cr_assert_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	q.pattern = &re;
	board_init(&b, &q, p);
	cr_expect_eq(b.samples, samples, "%s: %u", pattern, b.samples);
	cr_expect_eq(b.none_matches, !samples);
	if (first)
		cr_expect_str_eq(b.rows[0].name, first);
	board_release(&b);
	regfree(&re);
	profile_free(p);
}

Test(board, a_pattern_matches_groups_and_functions)
{
	expect_matches("^b$", 10, "b");                      /* a label's value */
	expect_matches("Find", 40, "a\xef\xbf\xbd[31m");     /* a function */
	expect_matches("Find|^b$", 50, "a\xef\xbf\xbd[31m"); /* both */
	expect_matches("scheduler", 5, "[scheduler]");
	expect_matches("nothing", 0, NULL);
}

Test(board, sorts)
{
	struct profile *p = busy();
	struct view v = { 0 };
	struct board_query q = query(&v);
	struct board b;

	q.sort = BOARD_BY_NAME;
	board_init(&b, &q, p);
	expect_row(&b, 0, "[scheduler]", 50, 0);
	expect_row(&b, 1, "main.old", 0, 0);
	board_release(&b);
	q.from_ns = 85000ull * MS;
	q.sort = BOARD_BY_GOROUTINES;
	board_init(&b, &q, p);
	expect_row(&b, 0, "net/http.(*conn).serve", 1500, 2);
	expect_row(&b, 1, "main.old", 50, 1);
	expect_row(&b, 2, "[scheduler]", 50, 0);
	board_release(&b);
	profile_free(p);
}

/* Nothing reaches a terminal that it would act on, no line is too wide, and each span is
 * where the one before it ended or later. */
static void expect_tame(const struct spans *s, uint32_t width)
{
	uint32_t line = 0, column = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct span *r = &s->rows[i];
		char *text = mem_zalloc(r->len + 1);

		memcpy(text, s->text.data + r->at, r->len);
		cr_expect_eq(text_columns(text), r->columns);
		for (uint32_t k = 0; k < r->len; k++)
			cr_expect((uint8_t)text[k] >= ' ' && text[k] != 0x7f, "%s", text);
		column = r->line == line ? column : 0;
		line = r->line;
		cr_expect_geq(r->column, column);
		column = r->column + r->columns;
		cr_expect(!width || column <= width, "%u > %u: %s", column, width, text);
		free(text);
	}
}

static char *written(const struct spans *s)
{
	char *text, *to;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	spans_write(s, out);
	fclose(out);
	to = text; /* boxes are filled with spaces */
	for (const char *from = text; *from; from++) {
		while (*from == '\n' && to > text && to[-1] == ' ')
			to--;
		*to++ = *from;
	}
	*to = 0;
	return text;
}

Test(board, lines_fit_any_width)
{
	struct profile *p = busy();
	struct view v = { .by = { { BY_LABEL, BY_START }, 2, { "job" } } };
	struct board_query q = query(&v);

	for (uint32_t width = 1; width < 220; width++) {
		struct spans s = { .width = width };
		struct board b;

		q.n_cells = board_cells(width);
		board_init(&b, &q, p);
		board_lines(&b, &(struct board_layout){ .rows = 20, .chosen = 1 }, &s);
		cr_expect_eq(s.line, 1 + b.n);
		cr_expect_eq(s.chosen, 3); /* counts from 1, below the head */
		expect_tame(&s, width);
		spans_release(&s);
		board_release(&b);
	}
	profile_free(p);
}

static void expect_lines(struct view v, struct board_query q, uint32_t width,
			 const char *want)
{
	struct profile *p = busy();
	struct spans s = { .width = width };
	struct board b;
	char *text;

	q.view = &v;
	board_init(&b, &q, p);
	board_lines(&b, &(struct board_layout){ .chosen = UINT32_MAX }, &s);
	text = written(&s);
	cr_expect_str_eq(text, want, "%s", text);
	free(text);
	spans_release(&s);
	board_release(&b);
	profile_free(p);
}

Test(board, lines_say_what_the_rows_have)
{
	struct view v = { .by = by_start };
	struct board_query q = query(&v);

	expect_lines(v, q, 80,
		     "     CPU  1 minute      goroutines  start function          hottest "
		     "path\n"
		     "    5.0%        ██████           2  net/http.(*conn).serve  "
		     "… › regexp.match\n"
		     "    0.5%             █           -  [scheduler]             "
		     "runtime.gcDrain\n"
		     "    0.0%  ██████                 -  main.old\n");
	q.n_cells = 0;
	expect_lines(v, q, 0,
		     "     CPU  goroutines  start function          hottest path\n"
		     "    5.0%           2  net/http.(*conn).serve  "
		     "main.(*Index).Find › regexp.match\n"
		     "    0.5%           -  [scheduler]             runtime.gcDrain\n");
}

Test(board, spark_lines)
{
	const uint64_t cells[] = { 0, 1, 40, 80, 160, 200, 319, 320 };
	uint64_t last[] = { 8, 8, 2 };
	struct buf b = { 0 };

	spark_add(&b, cells, 8, spark_most(cells, 8));
	cr_expect_str_eq(buf_text(&b), " ▁▁▂▄▅██");
	/* a quarter of the last cell's time is over, then less */
	spark_complete(last, 3, 100, 40, 100 + 90);
	cr_expect_eq(last[2], 8);
	last[2] = 2;
	spark_complete(last, 3, 100, 40, 100 + 81);
	cr_expect_eq(last[2], 8, "but not 80");
	spark_complete(last, 3, 100, 40, 100 + 120);
	cr_expect_eq(last[2], 8, "it is over");
	buf_release(&b);
}

/* Boxes of one line are from left to right, below their parents, as wide as their share;
 * what is left out is narrower than a column. */
static void expect_flame(uint32_t width)
{
	struct profile *p = busy();
	struct view v = { .by = by_start };
	struct spans s = { .width = width };
	struct flame f;
	const struct tree *t;

	view_select(&v, p);
	t = view_tree(&v);
	flame_init(&f, &v, 0, width);
	cr_assert_gt(f.n, 0);
	cr_expect_eq(f.boxes[0].columns, width);
	for (uint32_t i = 1; i < f.n; i++) {
		const struct flame_box *b = &f.boxes[i], *up = &f.boxes[b->parent];
		double share = (double)t->nodes[b->node].total /
			       (double)t->nodes[up->node].total * up->columns;

		cr_expect_eq(b->depth, up->depth + 1);
		cr_expect_geq(b->column, up->column);
		cr_expect_leq(b->column + b->columns, up->column + up->columns);
		cr_expect_lt(share - b->columns, 1.001);
		cr_expect_lt(b->columns - share, 1.001);
		if (i > 1 && f.boxes[i - 1].depth == b->depth)
			cr_expect_geq(b->column,
				      f.boxes[i - 1].column + f.boxes[i - 1].columns);
	}
	flame_lines(&f, &v, 0, 100, 0, &s);
	cr_expect_eq(s.line, f.depth);
	expect_tame(&s, width);
	spans_release(&s);
	flame_release(&f);
	view_release(&v);
	profile_free(p);
}

Test(board, flame_graphs_of_any_width)
{
	for (uint32_t width = 1; width < 220; width++)
		expect_flame(width);
}

Test(board, a_flame_graph_zooms)
{
	struct profile *p = busy();
	struct view v = { .by = by_start };
	struct spans s = { .width = 60 };
	struct flame f;
	uint32_t node = 0;
	char *text;

	view_select(&v, p);
	for (uint32_t i = 0; i < view_tree(&v)->n_nodes; i++)
		if (!strcmp(view_tree(&v)->nodes[i].name, "main.(*Index).Find"))
			node = i;
	flame_init(&f, &v, 0, 60);
	flame_lines(&f, &v, 0, 100, 0, &s);
	text = written(&s);
	cr_expect_str_eq(text,
			 "▏all\n"
			 "▏▏main.old             ▏net/http.(*conn).serve\n"
			 "▏▏main.old             ▏net/http.(*conn).serve\n"
			 "▏                      ▏main.(*Index).Find           ▏render\n"
			 "                       ▏regexp.match\n",
			 "%s", text);
	free(text);
	flame_release(&f);
	spans_clear(&s);
	flame_init(&f, &v, node, 60);
	flame_lines(&f, &v, 1, 3, 0, &s);
	text = written(&s);
	cr_expect_str_eq(text,
			 "▏net/http.(*conn).serve\n▏net/http.(*conn).serve\n"
			 "▏main.(*Index).Find\n",
			 "%s", text);
	free(text);
	flame_release(&f);
	spans_release(&s);
	view_release(&v);
	profile_free(p);
}

Test(board, spans_stop_at_the_width)
{
	struct spans s = { .width = 10 };
	char *text;

	spans_add(&s, INK_BOLD, "abcdef");
	spans_to(&s, 8);
	spans_add(&s, INK_DIM, "a long one");
	spans_add(&s, INK_DIM, "more");
	spans_end(&s);
	spans_add(&s, INK_NONE, "a");
	spans_right(&s, INK_NONE, "right");
	spans_end(&s);
	spans_add(&s, INK_NONE, "too full");
	spans_right(&s, INK_NONE, "right");
	spans_end(&s);
	text = written(&s);
	cr_expect_str_eq(text, "abcdef  …e\na    right\ntoo full\n");
	free(text);
	expect_tame(&s, 10);
	spans_release(&s);
}
