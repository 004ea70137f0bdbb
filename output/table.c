/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/table.h"

#include <errno.h>
#include <string.h>

#include "output/calltree.h"
#include "output/cells.h"
#include "output/hotlines.h"
#include "output/hotpath.h"
#include "output/summary.h"
#include "output/text.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum {
	MIN_ROWS = 3,     /* of each table, however few lines the terminal has */
	HOT_LINES = 4,    /* rows of lines, unless they were asked for */
	OTHER_LINES = 13, /* of a report besides the rows of its tables, and the prompt */
	LARGE_SHARE = 10, /* a goroutine with more than this part of all has a line */
};

struct table {
	struct cells cells;
	const struct view *view;
	const struct tree *tree; /* with frames if --tree is given */
	const struct table_options *o;
	struct summary sums;
	struct hotlines lines;
	enum line_figure by;                     /* by which lines are sorted */
	uint32_t n_groups, n_functions, n_lines; /* rows that are shown */
};

/* Groups. */

/* The widths of the texts of a line of groups. */
struct widths {
	uint32_t value, path;
};

/* The columns that the widest path takes when each has at most max. */
static uint32_t widest_path(const struct table *t, uint32_t max)
{
	uint32_t widest = strlen("hottest path"), n;
	struct buf b = { 0 };

	for (uint32_t i = 0; i < t->n_groups; i++) {
		b.len = 0;
		hotpath_fit(&b, &t->sums.groups[i], max);
		n = text_columns(buf_text(&b));
		widest = n > widest ? n : widest;
	}
	buf_release(&b);
	return widest;
}

/* Paths get what they need, up to three fifths of the space that is left, and values get
 * the rest; what these do not need goes back to the paths. */
static struct widths widths_of(struct table *t)
{
	struct widths w = { text_columns(t->view->key), UINT32_MAX };
	uint32_t left = line_left(&t->cells), n;

	for (uint32_t i = 0; i < t->n_groups; i++) {
		n = text_columns(t->sums.groups[i].value);
		w.value = n > w.value ? n : w.value;
	}
	if (left < UINT32_MAX) {
		left -= at_most(left - 1, 2);
		n = left > w.value ? left - w.value : 1;
		n = n > left * 3 / 5 ? n : left * 3 / 5;
		w.value = at_most(w.value, left - at_most(widest_path(t, n), n));
		w.path = left - w.value;
	}
	return w;
}

/* Which columns the groups have. */
static bool has_counts(const struct table *t)
{
	for (uint32_t i = 0; i < t->sums.n_groups; i++)
		if (t->sums.groups[i].goroutines > 1)
			return true;
	return false;
}

static bool has_goroutine_rows(const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		if (by->keys[i] == BY_GOROUTINE)
			return true;
	return false;
}

/* The goroutines of a group that alone take a large part of all. */
static void write_large(struct table *t, const struct group_row *g)
{
	for (uint32_t i = 0; i < g->n_members && g->n_members > 1; i++) {
		const struct member *m = &g->members[i];

		if (m->weight * LARGE_SHARE <= t->cells.total)
			return;
		cell_weight(&t->cells, m->weight);
		cell_share(&t->cells, m->weight);
		buf_printf(&t->cells.line, "- goroutine %llu", (unsigned long long)m->goid);
		line_end(&t->cells, STYLE_DIM);
	}
}

static void write_group(struct table *t, const struct group_row *g, struct widths w,
			bool counts)
{
	struct buf *line = &t->cells.line;
	uint32_t taken;

	cell_weight(&t->cells, g->weight);
	cell_share(&t->cells, g->weight);
	if (counts && g->n_members > 1)
		buf_printf(line, "%10u  %7llu %5.1f%%  ", g->goroutines,
			   (unsigned long long)g->members->goid,
			   100 * share_of(g->members->weight, g->weight));
	else if (counts && g->n_members)
		buf_printf(line, "%10u  %7llu %6s  ", g->goroutines,
			   (unsigned long long)g->members->goid, "");
	else if (counts)
		buf_printf(line, "%10s  %14s  ", "", "");
	taken = text_fit(line, g->value, w.value);
	if (g->n_path) {
		buf_printf(line, "%*s", (int)(w.value - taken) + 2, "");
		hotpath_fit(line, g, w.path);
	}
	line_end(&t->cells, NULL);
	write_large(t, g);
}

static void write_groups(struct table *t)
{
	bool counts = has_counts(t) && !has_goroutine_rows(&t->view->by);
	uint64_t rest = 0;
	struct widths w;
	uint32_t taken;

	cell_kind(&t->cells, t->view);
	if (counts)
		buf_str(&t->cells.line, "goroutines  largest, share  ");
	w = widths_of(t);
	taken = text_fit(&t->cells.line, t->view->key, w.value);
	buf_printf(&t->cells.line, "%*s", (int)(w.value - taken) + 2, "");
	text_fit(&t->cells.line, "hottest path", w.path);
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->sums.n_groups; i++) {
		if (i < t->n_groups)
			write_group(t, &t->sums.groups[i], w, counts);
		else
			rest += t->sums.groups[i].weight;
	}
	rows_more(&t->cells, t->sums.n_groups - t->n_groups, rest);
	line_end(&t->cells, NULL);
}

/* Functions and lines. */

static void cell_flat_cum(struct table *t, uint64_t flat, uint64_t cum)
{
	cell_weight(&t->cells, flat);
	cell_share(&t->cells, flat);
	cell_weight(&t->cells, cum);
	cell_share(&t->cells, cum);
}

static void write_functions(struct table *t)
{
	uint64_t rest = 0;

	buf_str(&t->cells.line, "     flat    flat%        cum     cum%  function");
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->sums.n_functions; i++) {
		const struct function_row *f = &t->sums.functions[i];

		if (i >= t->n_functions) {
			rest += f->flat;
			continue;
		}
		cell_flat_cum(t, f->flat, f->cum);
		text_fit(&t->cells.line, f->name, line_left(&t->cells));
		line_end(&t->cells, style_of(f->origin));
	}
	rows_more(&t->cells, t->sums.n_functions - t->n_functions, rest);
	line_end(&t->cells, NULL);
}

/* "store/cache.go:88  main.(*Cache).Get"; whole: with the whole path. */
static void place_add(struct table *t, const struct line_row *r, bool whole)
{
	const char *file = r->file + strlen(r->file);
	struct buf b = { 0 };

	for (int slashes = 0; file > r->file && (whole || slashes < 2); file--)
		slashes += file[-1] == '/';
	file += !whole && *file == '/';
	buf_printf(&b, "%s:%u  %s", file, r->line, r->func);
	text_fit(&t->cells.line, buf_text(&b), line_left(&t->cells));
	buf_release(&b);
}

static void write_hot_lines(struct table *t)
{
	cell_kind(&t->cells, t->view);
	buf_str(&t->cells.line,
		t->by == LINE_OWN ? "hottest lines of own code" : "hottest lines");
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->n_lines; i++) {
		const struct line_row *r = &t->lines.rows[i];

		cell_weight(&t->cells, r->weights[t->by]);
		cell_share(&t->cells, r->weights[t->by]);
		place_add(t, r, false);
		line_end(&t->cells, style_of(r->origin));
	}
	line_end(&t->cells, NULL);
}

/* --lines. */
static void write_lines(struct table *t)
{
	uint64_t rest = 0;

	buf_str(&t->cells.line, "     flat    flat%        cum     cum%  line");
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->lines.n; i++) {
		const struct line_row *r = &t->lines.rows[i];

		if (i >= t->n_lines) {
			rest += r->weights[LINE_FLAT];
			continue;
		}
		cell_flat_cum(t, r->weights[LINE_FLAT], r->weights[LINE_CUM]);
		place_add(t, r, true);
		line_end(&t->cells, style_of(r->origin));
	}
	rows_more(&t->cells, t->lines.n - t->n_lines, rest);
	line_end(&t->cells, NULL);
}

static void find_lines(struct table *t)
{
	hotlines_init(&t->lines, t->view);
	t->by = !t->o->lines ? LINE_OWN : t->o->by_cum ? LINE_CUM : LINE_FLAT;
	hotlines_sort(&t->lines, t->by);
	if (t->by == LINE_CUM || !t->lines.n || t->lines.rows->weights[t->by])
		return;
	t->by = LINE_FLAT; /* no own code has a line */
	hotlines_sort(&t->lines, t->by);
}

/* How many rows there are. */

static bool is_large(const struct table *t, uint64_t weight)
{
	return (double)weight >= t->o->min_share / 100 * (double)t->cells.total;
}

/* Rows below the smallest share are not shown. */
static void drop_small(struct table *t)
{
	uint32_t n;

	for (n = 0; n < t->n_groups && is_large(t, t->sums.groups[n].weight); n++)
		;
	t->n_groups = n;
	for (n = 0; n < t->n_functions; n++)
		if (!is_large(t, t->o->by_cum ? t->sums.functions[n].cum
					      : t->sums.functions[n].flat))
			break;
	t->n_functions = n;
	for (n = 0; n < t->n_lines && is_large(t, t->lines.rows[n].weights[t->by]); n++)
		;
	t->n_lines = n;
}

/* Lines below the rows of the first n groups, for their large goroutines. */
static uint32_t count_large(const struct table *t, uint32_t n)
{
	uint32_t ret = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct group_row *g = &t->sums.groups[i];

		for (uint32_t k = 0; k < g->n_members && g->n_members > 1; k++)
			ret += g->members[k].weight * LARGE_SHARE > t->cells.total;
	}
	return ret;
}

/* How many rows of each table fit: the lines get a few, groups and functions half of the
 * rest each, and what one does not need goes to the other. */
static void rows_fit(struct table *t)
{
	uint32_t rows = t->o->rows, half, others = OTHER_LINES, *second;

	t->n_groups = t->sums.n_groups;
	t->n_functions = t->sums.n_functions;
	t->n_lines = t->o->lines ? t->lines.n : at_most(t->lines.n, HOT_LINES);
	while (!t->o->lines && t->n_lines && !t->lines.rows[t->n_lines - 1].weights[t->by])
		t->n_lines--;
	second = t->o->lines ? &t->n_lines : &t->n_functions;
	if (t->o->limit) {
		t->n_groups = at_most(t->n_groups, t->o->limit);
		*second = at_most(*second, t->o->limit);
	} else if (rows) {
		/* with the head and the empty line of the table of lines */
		others += t->o->lines || !t->n_lines ? 0 : t->n_lines + 2;
		rows = rows > others + 2 * MIN_ROWS ? rows - others : 2 * MIN_ROWS;
		half = rows / 2;
		if (*second > rows - half)
			*second = t->n_groups > half ? rows - half
						     : at_most(*second, rows - t->n_groups);
		rows -= at_most(*second, rows);
		t->n_groups = at_most(t->n_groups, rows);
		while (t->n_groups > 1 && t->n_groups + count_large(t, t->n_groups) > rows)
			t->n_groups--;
	}
	drop_small(t);
}

/* The rest. */

/* "2.69s of CPU in 10.0s = 0.27 of 2 CPUs". */
static void usage_add(struct table *t, struct buf *to)
{
	double in = (double)view_selected_ns(t->view), busy = (double)t->cells.total;
	uint32_t n = t->view->profile->n_cpus;

	buf_printf(to, " in %.1fs", in / 1e9);
	if (in <= 0)
		return;
	if (n > 1)
		buf_printf(to, " = %.2f of %u CPUs", busy / in, n);
	else
		buf_printf(to, " = %.2f CPUs", busy / in);
}

static void write_title(struct table *t)
{
	const struct node *whole = &t->tree->nodes[0];
	const struct event_kind *k = &t->view->profile->kinds[t->view->kind];
	struct buf *line = &t->cells.line;

	text_fit(line, t->view->title, line_left(&t->cells));
	line_end(&t->cells, STYLE_BOLD);
	weight_add(line, t->cells.time, whole->total);
	buf_str(line, t->cells.time ? " of " : " ");
	kind_add(line, t->view, line_left(&t->cells));
	if (!t->cells.time && whole->total == 1 && line->data[line->len - 1] == 's')
		line->len--; /* one call */
	if (t->cells.time) {
		usage_add(t, line);
		buf_str(line, ", ");
	} else {
		buf_str(line, " in ");
	}
	text_count_of(line, whole->samples, "sample");
	if (whole->samples != k->quality.samples) {
		buf_str(line, ", selected from ");
		text_count(line, k->quality.samples);
	}
	line_end(&t->cells, NULL);
	line_end(&t->cells, NULL);
}

/* Adds how to group by the first label that can be typed. */
static void hint_add(struct buf *b, const struct label_keys *keys)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.:/-";

	for (uint32_t i = 0; i < keys->n; i++) {
		const char *name = keys->rows[i].name;

		if (!*name || name[strspn(name, plain)])
			continue;
		buf_printf(b, " · --by label:%s", name);
		return;
	}
}

/* "labels: handler (7), tenant (31) · --by label:handler". */
static void write_labels(struct table *t)
{
	struct label_keys keys;
	struct buf b = { 0 };

	label_keys_init(&keys, t->view->profile);
	for (uint32_t i = 0; i < keys.n; i++)
		buf_printf(&b, "%s%s (%u)", i ? ", " : "labels: ", keys.rows[i].name,
			   keys.rows[i].n_values);
	if (keys.n) {
		hint_add(&b, &keys);
		text_fit(&t->cells.line, buf_text(&b), line_left(&t->cells));
		line_end(&t->cells, NULL);
	}
	label_keys_release(&keys);
	buf_release(&b);
}

static int write_callers(struct table *t)
{
	struct tree *callers = callers_tree(t->view, t->o->callers);

	if (!callers)
		return -ENOENT;
	write_title(t);
	calltree_write(&t->cells, callers, 1, t->o->min_share);
	tree_free(callers);
	return 0;
}

static void write_sections(struct table *t)
{
	write_title(t);
	if (t->o->tree) {
		calltree_write(&t->cells, t->tree, 0, t->o->min_share);
		return;
	}
	if (t->sums.n_groups)
		write_groups(t);
	if (t->o->lines) {
		write_lines(t);
		return;
	}
	write_functions(t);
	if (t->n_lines)
		write_hot_lines(t);
}

int table_write(struct view *v, const struct table_options *o, FILE *out)
{
	struct table t = { .view = v, .o = o };
	int err = o->tree ? 0 : summary_init(&t.sums, v);

	t.tree = o->tree ? view_tree(v) : t.sums.tree;
	if (!t.tree)
		return -E2BIG;
	t.cells = cells_of(v, t.tree->nodes[0].total, o->width, o->color, out);
	if (o->by_cum)
		summary_sort_by_cum(&t.sums);
	find_lines(&t);
	rows_fit(&t);
	if (o->callers)
		err = write_callers(&t);
	else
		write_sections(&t);
	if (!err)
		write_labels(&t);
	summary_release(&t.sums);
	hotlines_release(&t.lines);
	buf_release(&t.cells.line);
	return err;
}

void quality_line(const struct profile *p, uint8_t kind, uint32_t width, FILE *out)
{
	const struct quality *q = &p->kinds[kind].quality;
	const struct stats *s = &p->stats;
	uint32_t column = 0;
	struct buf b = { 0 };
	char *parts, *part;

	text_count_of(&b, q->samples, profile_noun(p, kind));
	buf_str(&b, ", ");
	text_count(&b, stats_lost(s));
	buf_printf(&b,
		   " lost\n%.1f%% with a goroutine\n%.1f%% complete stacks\n"
		   "%.1f%% of user frames named\n%.2fs CPU, %.1f MB peak",
		   percent_down(q->with_goroutine, q->samples),
		   percent_down(q->rooted, q->samples),
		   percent_down(q->named_frames, q->user_frames), (double)s->cpu_ns / 1e9,
		   (double)s->peak_rss / 1e6);
	parts = buf_text(&b);
	while ((part = strsep(&parts, "\n"))) {
		uint32_t n = (uint32_t)strlen(part);
		bool fits = !width || column + 3 + n <= width;

		if (column)
			fputs(fits ? " \xc2\xb7 " : "\n", out);
		column = column && fits ? column + 3 + n : n;
		fputs(part, out);
	}
	fputc('\n', out);
	buf_release(&b);
}
