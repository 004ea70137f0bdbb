/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/board_lines.h"

#include <string.h>

#include "output/board.h"
#include "output/hotpath.h"
#include "output/spans.h"
#include "output/spark.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/profile/origin.h"

enum {
	FIGURE = 8,           /* columns */
	GOROUTINES = 10,      /* those of the column with their number */
	GAP = 2,              /* between columns */
	MIN_WIDTH = 50,       /* narrower screens have no spark lines, */
	MIN_GOROUTINES = 40,  /* and even narrower ones no such column */
	NAME_MIN = 16,        /* of a name that shares the line with a path */
	SPARK_SAMPLES_MIN = 4 /* a full block is at least so many, or one would seem many */
};

uint32_t board_cells(uint32_t width)
{
	return width < MIN_WIDTH ? 0 : width < 100 ? 12 : width < 160 ? 20 : 30;
}

void board_figure(const struct board *b, uint64_t weight, struct buf *to)
{
	uint64_t ns = b->q.to_ns - b->q.from_ns;
	double rate = ns ? (double)weight / (double)ns : 0;

	if (profile_is_time(b->whole.profile, b->whole.kind)) {
		buf_printf(to, "%.1f%%", 100 * rate);
		return;
	}
	text_count(to, (uint64_t)(rate * 1e9 + 0.5));
	buf_str(to, "/s");
}

static void put_figure(const struct board *b, uint64_t weight, enum ink ink,
		       struct spans *to)
{
	struct buf text = { 0 };

	board_figure(b, weight, &text);
	spans_printf(to, ink, "%*s", FIGURE, buf_text(&text));
	spans_to(to, to->column + GAP);
	buf_release(&text);
}

static bool is_groups(const struct board *b)
{
	return b->q.level < BOARD_FUNCTIONS;
}

static bool has_goroutines(const struct board *b, const struct spans *to)
{
	const struct grouping *by = &b->whole.by;

	return b->q.level == BOARD_GROUPS && by->keys[by->n - 1] != BY_GOROUTINE &&
	       (!to->width || to->width >= MIN_GOROUTINES);
}

/* The columns of names, and of the paths behind them. */
struct widths {
	uint32_t name, path;
};

static struct widths widths_of(const struct board *b, const struct board_layout *l,
			       const char *head, const struct spans *to)
{
	uint32_t left, most = text_columns(head), end = l->first + l->rows;
	struct widths w;

	for (uint32_t i = l->first; i < b->n && (!l->rows || i < end); i++) {
		uint32_t n = text_columns(b->rows[i].name);

		most = n > most ? n : most;
	}
	if (!to->width)
		return (struct widths){ most, UINT32_MAX };
	left = spans_left(to);
	w.name = left > 2 * NAME_MIN ? left / 2 : NAME_MIN;
	w.name = most < w.name ? most : w.name;
	w.name = w.name < left ? w.name : left;
	w.path = left > w.name + GAP ? left - w.name - GAP : 0;
	return w;
}

/* Up to where the names begin. */
static void put_head(const struct board *b, struct spans *to)
{
	bool time = profile_is_time(b->whole.profile, b->whole.kind);
	const char *kind = profile_string(b->whole.profile,
					  b->whole.profile->kinds[b->whole.kind].name);

	if (!strcmp(kind, "cpu"))
		kind = "CPU";
	spans_printf(to, INK_BOLD, "%*.*s", FIGURE, FIGURE,
		     is_groups(b) ? time ? kind : "calls" : "cum");
	spans_to(to, to->column + GAP);
	if (!is_groups(b)) {
		spans_printf(to, INK_BOLD, "%*s", FIGURE, "self");
		spans_to(to, to->column + GAP);
	}
	if (is_groups(b) && b->q.n_cells) {
		uint32_t column = to->column;

		spans_fit(to, INK_BOLD, "1 minute", b->q.n_cells);
		spans_to(to, column + b->q.n_cells + GAP);
	}
	if (has_goroutines(b, to)) {
		spans_add(to, INK_BOLD, "goroutines");
		spans_to(to, to->column + GAP);
	}
}

/* Each row has a scale of its own: the figure beside it says how much it is. */
static void put_cells(const struct board *b, const struct board_row *r, struct spans *to)
{
	const struct event_kind *k = &b->whole.profile->kinds[b->whole.kind];
	uint64_t most, least = SPARK_SAMPLES_MIN * k->period;
	uint32_t column = to->column;
	struct buf text = { 0 };

	spark_complete(r->cells, b->q.n_cells, board_cells_from(b->q.to_ns, b->q.n_cells),
		       b->cell_ns, b->q.to_ns);
	most = spark_most(r->cells, b->q.n_cells);
	spark_add(&text, r->cells, b->q.n_cells, most > least ? most : least);
	spans_add(to, INK_SPARK, buf_text(&text));
	spans_to(to, column + b->q.n_cells + GAP);
	buf_release(&text);
}

static enum ink ink_of(uint8_t origin)
{
	return origin == ORIGIN_OWN       ? INK_OWN
	       : origin == ORIGIN_LIBRARY ? INK_NONE
					  : INK_DIM;
}

static void put_row(const struct board *b, const struct board_row *r, struct widths w,
		    struct spans *to)
{
	uint32_t column;

	put_figure(b, r->weight, r->weight ? INK_NONE : INK_DIM, to);
	if (!is_groups(b)) {
		put_figure(b, r->self, r->self ? INK_NONE : INK_DIM, to);
		spans_add(to, ink_of(r->origin), r->name);
		return;
	}
	if (b->q.n_cells)
		put_cells(b, r, to);
	if (has_goroutines(b, to)) {
		if (r->goroutines)
			spans_printf(to, INK_NONE, "%*u", GOROUTINES, r->goroutines);
		else
			spans_printf(to, INK_DIM, "%*s", GOROUTINES, "-");
		spans_to(to, to->column + GAP);
	}
	column = to->column;
	spans_fit(to, r->weight ? INK_NONE : INK_DIM, r->name, w.name);
	if (r->group && r->group->n_path && w.path) {
		struct buf path = { 0 };

		spans_to(to, column + w.name + GAP);
		hotpath_fit(&path, r->group, w.path);
		spans_add(to, INK_DIM, buf_text(&path));
		buf_release(&path);
	}
}

static const char *name_head(const struct board *b)
{
	static const char *const heads[] = {
		[BOARD_GOROUTINES] = "goroutine",
		[BOARD_FUNCTIONS] = "function",
		[BOARD_LINES] = "line",
	};

	return b->q.level == BOARD_GROUPS ? b->whole.key : heads[b->q.level];
}

void board_lines(const struct board *b, const struct board_layout *l, struct spans *to)
{
	uint32_t column, end = l->first + l->rows;
	struct widths w;

	put_head(b, to);
	column = to->column;
	w = widths_of(b, l, name_head(b), to);
	spans_fit(to, INK_BOLD, name_head(b), w.name);
	if (is_groups(b) && w.path) {
		spans_to(to, column + w.name + GAP);
		spans_fit(to, INK_BOLD, "hottest path", w.path);
	}
	spans_end(to);
	for (uint32_t i = l->first; i < b->n && (!l->rows || i < end); i++) {
		if (i == l->chosen)
			to->chosen = to->line + 1;
		put_row(b, &b->rows[i], w, to);
		spans_end(to);
	}
}
