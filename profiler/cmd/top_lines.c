/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "output/board_lines.h"
#include "output/spark.h"
#include "output/text.h"
#include "profiler/base/clock.h"
#include "profiler/cmd/top.h"
#include "profiler/profile/tree.h"

static const struct profile *profile_of(const struct browser *b)
{
	return b->board.whole.profile;
}

/* Title and figures. */

static const char *state_of(const struct moment *m)
{
	if (m->file && m->still)
		return m->to_ns == m->end_ns ? "at its end" : "paused";
	if (m->file)
		return "playing";
	return m->ended ? "ended" : m->frozen ? "frozen" : "live";
}

/* "server-812 › net/http.(*conn).serve › all 529 goroutines", and the state. */
static void put_title(const struct browser *b, const struct moment *m, struct spans *to)
{
	const char *state = state_of(m);
	uint32_t left = spans_left(to), n = (uint32_t)strlen(state) + 2;
	struct buf text = { 0 };

	buf_str(&text, b->title);
	for (int i = 0; i < TOP_LEVELS; i++)
		if (b->names[i])
			buf_printf(&text, " › %s", b->names[i]);
	spans_fit(to, INK_BOLD, buf_text(&text), left > n ? left - n : left);
	spans_right(to, m->still ? INK_INVERSE : INK_DIM, state);
	buf_release(&text);
}

/* Samples of the window that were lost; of a recording when is not known. */
static uint64_t lost_of(const struct moment *m)
{
	struct stats s = { 0 };

	if (m->file)
		s = m->file->stats;
	else if (m->live)
		s = window_stats(m->frozen ? m->frozen : m->live, moment_from(m),
				 moment_to(m));
	return stats_lost(&s);
}

/* "0.74 of 2 CPUs in 10.0s, 730 samples, 0 lost". */
static void put_figures(const struct browser *b, const struct moment *m, struct spans *to)
{
	const struct board *board = &b->board;
	double seconds = (double)(moment_to(m) - moment_from(m)) / 1e9;
	struct buf text = { 0 };
	uint64_t lost = lost_of(m);

	if (!profile_of(b) || seconds <= 0) {
		spans_add(to, INK_DIM, "waiting for samples");
		return;
	}
	if (profile_is_time(profile_of(b), board->whole.kind)) {
		buf_printf(&text, "%.2f of ", (double)board->total / 1e9 / seconds);
		text_count_of(&text, profile_of(b)->n_cpus ? profile_of(b)->n_cpus : 1,
			      "CPU");
	} else {
		board_figure(board, board->total, &text);
	}
	buf_printf(&text, " in %.1fs, ", seconds);
	text_count_of(&text, board->samples,
		      profile_noun(profile_of(b), board->whole.kind));
	buf_str(&text, ", ");
	text_count(&text, lost);
	buf_str(&text, m->file && lost ? " lost in all" : " lost");
	spans_add(to, lost ? INK_WARN : INK_NONE, buf_text(&text));
	buf_release(&text);
}

/* "/conn/ · by start · sorted by CPU". */
static void put_way(const struct browser *b, struct spans *to)
{
	static const char *const sorts[] = {
		[BOARD_BY_CPU] = "CPU",
		[BOARD_BY_SELF] = "self",
		[BOARD_BY_GOROUTINES] = "goroutines",
		[BOARD_BY_NAME] = "name",
	};
	struct buf text = { 0 };

	if (b->pattern && !b->prompt)
		buf_printf(&text, "/%s/ · ", buf_text((struct buf *)&b->typed));
	if (b->level == BOARD_GROUPS)
		buf_str(&text, "by ");
	for (int i = 0; b->level == BOARD_GROUPS && i < b->view.by.n; i++) {
		grouping_word(&b->view.by, i, &text);
		buf_str(&text, i + 1 < b->view.by.n ? "," : " · ");
	}
	if (!b->flame)
		buf_printf(&text, "sorted by %s", sorts[b->sort[b->level]]);
	else
		buf_str(&text, "flame graph");
	spans_right(to, INK_DIM, buf_text(&text));
	buf_release(&text);
}

/* The bar. */

static void time_text(char text[16], uint64_t ns)
{
	uint64_t s = ns / SECOND;

	snprintf(text, 16, "%llu:%02u.%u", (unsigned long long)(s / 60), (unsigned)(s % 60),
		 (unsigned)(ns / (SECOND / 10) % 10));
}

/* The cell of a time, n if it is behind the last one. */
static uint32_t cell_at(const struct axis *a, uint32_t n, uint64_t ns)
{
	uint64_t at = ns > a->from_ns ? ns - a->from_ns : 0;

	return at < a->ns ? (uint32_t)((double)at / (double)a->ns * n) : n;
}

/* The activity over time; the window in it is inverse. */
static void put_bar(struct moment *m, struct spans *to)
{
	char from[16], until[16];
	uint32_t n, first, end;
	struct axis axis;
	uint64_t *cells, most;
	struct buf text = { 0 };

	time_text(from, m->file ? m->start_ns : 0);
	time_text(until, m->file ? m->end_ns : 0);
	n = (uint32_t)(m->file ? strlen(from) + strlen(until) : strlen("-60s") + 3) + 3;
	n = to->width > n ? to->width - n : 1;
	n = n < TOP_BAR_CELLS ? n : TOP_BAR_CELLS;
	axis = moment_axis(m, n);
	cells = moment_bar(m, n);
	if (!m->file)
		spark_complete(cells, n, axis.from_ns, axis.ns / n, moment_last(m));
	most = spark_most(cells, n);
	end = cell_at(&axis, n, moment_to(m) - 1) + 1;
	end = end < n ? end : n;
	first = cell_at(&axis, n, moment_from(m));
	first = first < end ? first : end - 1;
	spans_printf(to, INK_DIM, "%s ", m->file ? from : "-60s");
	spark_add(&text, cells, first, most);
	spans_add(to, INK_SPARK, buf_text(&text));
	text.len = 0;
	spark_add(&text, cells + first, end - first, most);
	spans_add(to, INK_INVERSE, buf_text(&text));
	text.len = 0;
	spark_add(&text, cells + end, n - end, most);
	spans_add(to, INK_SPARK, buf_text(&text));
	spans_printf(to, INK_DIM, " %s", m->file ? until : "now");
	buf_release(&text);
	free(cells);
}

/* The last line. */

struct hint {
	const char *key, *what;
};

static void put_hint(const struct hint *h, struct spans *to)
{
	spans_add(to, INK_BOLD, h->key);
	spans_printf(to, INK_DIM, " %s", h->what);
	spans_to(to, to->column + 2);
}

/* As many as fit, but always the last two. */
static void put_hints(const struct browser *b, const struct moment *m, struct spans *to)
{
	const char *go_on = m->file ? "play" : "go on";
	const struct hint hints[] = {
		{ "Enter", b->flame ? "zoom" : "open" },
		{ "Tab", b->flame ? "rows" : "flame graph" },
		{ "/", "filter" },
		{ "z", m->still ? go_on : "freeze" },
		{ "g", "group" },
		{ "s", "sort" },
		{ "w", "write" },
		{ "+-", "window" },
		{ "?", "keys" },
		{ "q", "quit" },
	};
	size_t n = sizeof(hints) / sizeof(*hints), last = strlen("? keys  q quit") + 4;

	for (size_t i = 0; i < n; i++)
		if (i + 2 >= n ||
		    spans_left(to) > strlen(hints[i].key) + strlen(hints[i].what) + last)
			put_hint(&hints[i], to);
}

static void put_last(const struct browser *b, const struct moment *m, struct spans *to)
{
	if (b->prompt) {
		spans_printf(to, INK_BOLD, "/%s", buf_text((struct buf *)&b->typed));
		spans_add(to, INK_INVERSE, " ");
		spans_right(to, INK_DIM, "Enter keeps the filter, Esc drops it");
	} else if (b->said) {
		spans_add(to, INK_BOLD, b->said);
	} else {
		put_hints(b, m, to);
	}
}

/* The middle. */

static void put_help(struct spans *to, uint32_t rows)
{
	static const char *const texts[][2] = {
		{ "Up Down PgUp PgDn", "select a row; Home and End too" },
		{ "Enter", "open it: its goroutines, their functions, their lines" },
		{ "Esc", "go back" },
		{ "Tab", "a flame graph of what is opened, and back" },
		{ "", "in it arrows select a box, Enter zooms, Esc goes back" },
		{ "/", "filter: samples whose group or a function matches" },
		{ "s", "sort by the next column" },
		{ "g", "group by start function, goroutine, creator, label …" },
		{ "z or space", "freeze; play or pause a recording" },
		{ "Left Right, [ ]", "a second back and forth; { } ten seconds" },
		{ "- +", "a shorter or longer window, 1 to 60 s" },
		{ "w", "write the window to a recording" },
		{ "q", "quit" },
		{ "", "" },
		{ "", "100% is one CPU. Each spark line has a scale of its own." },
	};

	for (uint32_t i = 0; i < sizeof(texts) / sizeof(*texts) && i < rows; i++) {
		spans_to(to, 2);
		spans_add(to, INK_BOLD, texts[i][0]);
		spans_to(to, 22);
		spans_add(to, INK_NONE, texts[i][1]);
		spans_end(to);
	}
}

/* Why there are no rows. */
static const char *nothing(const struct browser *b, const struct moment *m)
{
	if (b->board.too_big)
		return "the stacks need too much memory; --max-memory SIZE allows more";
	if (b->board.none_matches)
		return "no sample matches the filter";
	if (b->level == BOARD_LINES && b->board.samples)
		return "no line of this function is known";
	return moment_to(m) ? "no CPU time was used" : "waiting for samples";
}

/* What is selected in the flame graph. */
static void put_box(const struct browser *b, struct spans *to)
{
	const struct board *board = &b->board;
	const struct node *n = &board->part.tree->nodes[b->graph.boxes[b->box_at].node];
	struct buf text = { 0 };

	board_figure(board, n->total, &text);
	buf_printf(&text, " · %.1f%% of all · self ",
		   board->total ? 100.0 * (double)n->total / (double)board->total : 0);
	board_figure(board, n->self, &text);
	buf_str(&text, "  ");
	spans_add(to, INK_NONE, buf_text(&text));
	spans_add(to, INK_BOLD, n->type == NODE_ROOT ? "all" : n->name);
	buf_release(&text);
}

static void put_flame(const struct browser *b, struct spans *to)
{
	put_box(b, to);
	spans_end(to);
	flame_lines(&b->graph, (struct view *)&b->board.part, b->depth, browser_rows(b),
		    b->box_at, to);
}

static void put_middle(const struct browser *b, const struct moment *m, struct spans *to)
{
	const struct board_layout layout = { .first = b->first,
					     .rows = browser_rows(b),
					     .chosen = b->at };

	if (b->help) {
		put_help(to, browser_rows(b) + 1);
	} else if (!b->board.n) {
		spans_end(to);
		spans_add(to, INK_DIM, nothing(b, m));
	} else if (b->flame && b->graph.n) {
		put_flame(b, to);
	} else {
		board_lines(&b->board, &layout, to);
	}
}

void top_screen(const struct browser *b, struct moment *m, struct spans *to)
{
	spans_clear(to);
	to->width = b->width;
	put_title(b, m, to);
	spans_end(to);
	put_figures(b, m, to);
	put_way(b, to);
	spans_end(to);
	if (moment_to(m))
		put_bar(m, to);
	spans_end(to);
	put_middle(b, m, to);
	to->line = b->height - 1;
	to->column = 0;
	put_last(b, m, to);
	spans_end(to);
}

void top_text(const struct browser *b, const struct moment *m, struct spans *to)
{
	const struct board_layout layout = { .chosen = UINT32_MAX };

	spans_printf(to, INK_NONE, "%s: ", b->title);
	put_figures(b, m, to);
	spans_end(to);
	if (b->board.n)
		board_lines(&b->board, &layout, to);
	spans_end(to);
}
