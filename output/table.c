/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/table.h"

#include <errno.h>
#include <string.h>

#include "output/summary.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

enum {
	MIN_WIDTH = 60,   /* on narrower terminals lines wrap */
	MIN_ROWS = 5,     /* of each table, however few lines the terminal has */
	OTHER_LINES = 12, /* of a report besides the rows of its tables, and the prompt */
};

struct table {
	const struct view *view;
	const struct tree *tree;
	bool time; /* weights are ns, else counts */
	const struct summary *sums;
	const struct table_options *o;
	FILE *out;
	struct buf line;
};

/* Ends the line and writes it. */
static void line_end(struct table *t, const char *style)
{
	bool styled = style && t->o->color && t->line.len;

	if (styled)
		fputs(style, t->out);
	buf_write(&t->line, t->out);
	fputs(styled ? PLAIN "\n" : "\n", t->out);
	t->line.len = 0;
}

static void weight_add(struct buf *b, bool time, uint64_t weight)
{
	double s = (double)weight / 1e9;

	if (weight < 10000000 && (!time || !weight))
		text_count(b, weight);
	else if (!time && weight < 10000000000)
		buf_printf(b, "%.1fM", s * 1e3);
	else if (!time)
		buf_printf(b, "%.1fG", s);
	else if (s < 0.00995)
		buf_printf(b, "%.1fms", s * 1e3);
	else if (s < 0.9995)
		buf_printf(b, "%.0fms", s * 1e3);
	else if (s < 9.995)
		buf_printf(b, "%.2fs", s);
	else if (s < 99.95)
		buf_printf(b, "%.1fs", s);
	else {
		text_count(b, (weight + 500000000) / 1000000000);
		buf_u8(b, 's');
	}
}

static bool is_cpu(const struct view *v)
{
	return !strcmp(profile_string(v->profile, v->profile->kinds[v->kind].name), "cpu");
}

/* Adds what weights are of, "CPU" or "calls", in at most max columns. Returns the columns
 * taken. */
static uint32_t kind_add(struct buf *b, const struct view *v, uint32_t max)
{
	const struct profile *p = v->profile;

	return text_fit(b, is_cpu(v) ? "CPU" : profile_string(p, p->kinds[v->kind].name),
			max);
}

/* Cells are right-aligned, with a gap before the next one. */
static void cell_kind(struct table *t)
{
	struct buf b = { 0 };
	uint32_t n = kind_add(&b, t->view, 9);

	buf_printf(&t->line, "%*s%.*s  ", (int)(9 - n), "", (int)b.len,
		   (const char *)b.data);
	buf_release(&b);
}

static void cell_weight(struct table *t, uint64_t weight)
{
	struct buf b = { 0 };

	weight_add(&b, t->time, weight);
	buf_printf(&t->line, "%9.*s  ", (int)b.len, (const char *)b.data);
	buf_release(&b);
}

static double percent_of(const struct table *t, uint64_t weight)
{
	uint64_t total = t->tree->nodes[0].total;

	return total ? 100.0 * (double)weight / (double)total : 0;
}

static void cell_share(struct table *t, uint64_t weight)
{
	buf_printf(&t->line, "%6.1f%%  ", percent_of(t, weight));
}

static void write_more(struct table *t, uint32_t n, uint64_t weight)
{
	if (!n)
		return;
	buf_str(&t->line, "  \xe2\x80\xa6 ");
	text_count(&t->line, n);
	buf_printf(&t->line, " more row%s, %.1f%% (pipe to see all)", n == 1 ? "" : "s",
		   percent_of(t, weight));
	line_end(t, DIM);
}

static uint32_t left_of(const struct table *t)
{
	uint32_t width = t->o->width;

	if (!width)
		return UINT32_MAX;
	width = width < MIN_WIDTH ? MIN_WIDTH : width;
	return width > t->line.len ? width - (uint32_t)t->line.len : 1;
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The end of a line of groups: the second text may be missing. */
static void texts_add(struct table *t, const char *name, uint32_t name_width,
		      const char *top, uint32_t top_width)
{
	uint32_t taken = text_fit(&t->line, name, name_width);

	if (!*top)
		return;
	buf_printf(&t->line, "%*s", (int)(name_width - taken) + 2, "");
	text_fit(&t->line, top, top_width);
}

/* The first n groups. Beside the numbers, top functions get what they need, up to two
 * fifths of the space that is left, and names get the rest. */
static void write_groups(struct table *t, uint32_t n)
{
	uint32_t name = text_columns(t->view->key), top = strlen("top function"), left;
	uint64_t rest = 0;
	bool counts = false;

	for (uint32_t i = 0; i < t->sums->n_groups; i++) {
		const struct group_row *g = &t->sums->groups[i];
		uint32_t a = text_columns(g->key), b = text_columns(g->top);

		counts |= g->goroutines > 1;
		rest += i < n ? 0 : g->weight;
		name = i < n && a > name ? a : name;
		top = i < n && b > top ? b : top;
	}
	cell_kind(t);
	buf_str(&t->line, counts ? "  share  goroutines  " : "  share  ");
	left = left_of(t);
	if (left < UINT32_MAX) {
		left -= 2;
		name = at_most(name, left - at_most(top, left * 2 / 5));
		top = left - name;
	}
	texts_add(t, t->view->key, name, "top function", top);
	line_end(t, BOLD);
	for (uint32_t i = 0; i < n; i++) {
		const struct group_row *g = &t->sums->groups[i];

		cell_weight(t, g->weight);
		cell_share(t, g->weight);
		if (counts)
			buf_printf(&t->line, "%10u  ", g->goroutines);
		texts_add(t, g->key, name, g->top, top);
		line_end(t, NULL);
	}
	write_more(t, t->sums->n_groups - n, rest);
}

static void write_functions(struct table *t, uint32_t n)
{
	uint64_t rest = 0;

	buf_str(&t->line, "     flat    flat%        cum     cum%  function");
	line_end(t, BOLD);
	for (uint32_t i = 0; i < t->sums->n_functions; i++) {
		const struct function_row *f = &t->sums->functions[i];

		if (i >= n) {
			rest += f->flat;
			continue;
		}
		cell_weight(t, f->flat);
		cell_share(t, f->flat);
		cell_weight(t, f->cum);
		cell_share(t, f->cum);
		text_fit(&t->line, f->name, left_of(t));
		line_end(t, NULL);
	}
	write_more(t, t->sums->n_functions - n, rest);
}

/* How many rows of each table fit: each gets half of the lines, and what one does not need
 * goes to the other. */
static void rows_fit(const struct table *t, uint32_t *groups, uint32_t *functions)
{
	uint32_t rows = t->o->rows, half;

	*groups = t->sums->n_groups;
	*functions = t->sums->n_functions;
	if (!rows)
		return;
	rows = rows > OTHER_LINES + 2 * MIN_ROWS ? rows - OTHER_LINES : 2 * MIN_ROWS;
	half = rows / 2;
	if (*functions > rows - half)
		*functions = *groups > half ? rows - half
					    : at_most(*functions, rows - *groups);
	*groups = at_most(*groups, rows - *functions);
}

static void write_title(struct table *t)
{
	const struct node *whole = &t->tree->nodes[0];
	uint64_t recorded = t->view->profile->kinds[t->view->kind].quality.samples;

	text_fit(&t->line, t->view->title, left_of(t));
	line_end(t, BOLD);
	weight_add(&t->line, t->time, whole->total);
	buf_str(&t->line, t->time ? " of " : " ");
	kind_add(&t->line, t->view, left_of(t));
	if (!t->time && whole->total == 1 && t->line.data[t->line.len - 1] == 's')
		t->line.len--; /* one call */
	buf_str(&t->line, " in ");
	text_count_of(&t->line, whole->samples, "sample");
	if (whole->samples != recorded) {
		buf_str(&t->line, ", selected from ");
		text_count(&t->line, recorded);
	}
	line_end(t, NULL);
}

int table_write(struct view *v, const struct table_options *o, FILE *out)
{
	struct summary sums;
	struct table t = { .view = v,
			   .tree = view_tree(v),
			   .time = profile_is_time(v->profile, v->kind),
			   .sums = &sums,
			   .o = o,
			   .out = out };
	uint32_t groups, functions;

	if (!t.tree)
		return -E2BIG;
	summary_init(&sums, t.tree);
	rows_fit(&t, &groups, &functions);
	write_title(&t);
	line_end(&t, NULL);
	if (sums.n_groups) {
		write_groups(&t, groups);
		line_end(&t, NULL);
	}
	write_functions(&t, functions);
	line_end(&t, NULL);
	summary_release(&sums);
	buf_release(&t.line);
	return 0;
}

/* Rounded down: only the whole is 100 %. */
static double percent_down(uint64_t part, uint64_t of)
{
	return (double)(uint64_t)(share_of(part, of) * 1000 + 1e-9) / 10;
}

void quality_line(const struct profile *p, uint8_t kind, uint32_t width, FILE *out)
{
	const struct quality *q = &p->kinds[kind].quality;
	const struct stats *s = &p->stats;
	uint32_t column = 0;
	struct buf b = { 0 };
	char *parts, *part;

	text_count_of(&b, q->samples, "sample");
	buf_str(&b, ", ");
	text_count(&b, s->lost_ring_full + s->lost_table_full);
	buf_printf(&b,
		   " lost\n%.1f%% with a goroutine\n%.1f%% complete stacks\n"
		   "%.1f%% of user frames named\n%.2fs CPU, %.1f MB peak",
		   percent_down(q->with_goroutine, q->samples),
		   percent_down(q->rooted, q->samples),
		   percent_down(q->named_frames, q->user_frames), (double)s->cpu_ns / 1e9,
		   (double)s->peak_rss / 1e6);
	buf_u8(&b, 0);
	parts = (char *)b.data;
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
