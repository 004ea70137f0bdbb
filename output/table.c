/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/table.h"

#include <string.h>

#include "output/json.h"
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

/* Adds a cell of this width, with s at its right end, and the gap before the next cell. */
static void cell(struct table *t, uint32_t width, const char *s)
{
	uint32_t n = text_columns(s);

	buf_printf(&t->line, "%*s%s  ", n < width ? (int)(width - n) : 0, "", s);
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

/* What weights are of: "CPU", "calls", in at most max columns. */
static void kind_add(struct buf *b, const struct view *v, uint32_t max)
{
	const struct profile *p = v->profile;

	text_fit(b, is_cpu(v) ? "CPU" : profile_string(p, p->kinds[v->kind].name), max);
}

static void cell_kind(struct table *t)
{
	struct buf b = { 0 };

	kind_add(&b, t->view, 9);
	buf_u8(&b, 0);
	cell(t, 9, (const char *)b.data);
	buf_release(&b);
}

static void cell_weight(struct table *t, uint64_t weight)
{
	struct buf b = { 0 };

	weight_add(&b, t->time, weight);
	buf_u8(&b, 0);
	cell(t, 9, (const char *)b.data);
	buf_release(&b);
}

static double percent_of(const struct table *t, uint64_t weight)
{
	uint64_t total = t->tree->nodes[0].total;

	return total ? 100.0 * (double)weight / (double)total : 0;
}

static void cell_share(struct table *t, uint64_t weight)
{
	char s[16];

	snprintf(s, sizeof(s), "%.1f%%", percent_of(t, weight));
	cell(t, 7, s);
}

static void write_more(struct table *t, uint32_t n, uint64_t weight)
{
	if (!n)
		return;
	buf_printf(&t->line, "  \xe2\x80\xa6 ");
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

static void group_numbers(struct table *t, const struct group_row *g, bool counts)
{
	char s[16];

	cell_weight(t, g->weight);
	cell_share(t, g->weight);
	if (!counts)
		return;
	snprintf(s, sizeof(s), "%u", g->goroutines);
	cell(t, 10, s);
}

/* The first n groups. Beside the numbers, top functions get what they need, up to two
 * fifths of the space that is left, and names get the rest. */
static void write_groups(struct table *t, uint32_t n)
{
	uint32_t name = text_columns(t->view->key), top = strlen("top function"), left;
	uint32_t taken;
	uint64_t rest = 0;
	bool counts = false;

	for (uint32_t i = 0; i < n; i++) {
		const struct group_row *g = &t->sums->groups[i];
		uint32_t a = text_columns(g->key), b = text_columns(g->top);

		name = a > name ? a : name;
		top = b > top ? b : top;
	}
	for (uint32_t i = 0; i < t->sums->n_groups; i++) {
		counts |= t->sums->groups[i].goroutines > 1;
		rest += i < n ? 0 : t->sums->groups[i].weight;
	}
	cell_kind(t);
	cell(t, 7, "share");
	if (counts)
		cell(t, 10, "goroutines");
	left = left_of(t);
	if (left < UINT32_MAX) {
		left -= 2;
		name = at_most(name, left - at_most(top, left * 2 / 5));
		top = left - name;
	}
	taken = text_fit(&t->line, t->view->key, name);
	buf_printf(&t->line, "%*s", (int)(name - taken) + 2, "");
	text_fit(&t->line, "top function", top);
	line_end(t, BOLD);
	for (uint32_t i = 0; i < n; i++) {
		const struct group_row *g = &t->sums->groups[i];

		group_numbers(t, g, counts);
		taken = text_fit(&t->line, g->key, name);
		if (*g->top) {
			buf_printf(&t->line, "%*s", (int)(name - taken) + 2, "");
			text_fit(&t->line, g->top, top);
		}
		line_end(t, NULL);
	}
	write_more(t, t->sums->n_groups - n, rest);
}

static void write_functions(struct table *t, uint32_t n)
{
	uint64_t rest = 0;

	cell(t, 9, "flat");
	cell(t, 7, "flat%");
	cell(t, 9, "cum");
	cell(t, 7, "cum%");
	buf_str(&t->line, "function");
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
	uint64_t recorded = t->view->profile->kinds[t->view->kind].samples;

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
			   .time = profile_is_time(v->profile, v->kind),
			   .sums = &sums,
			   .o = o,
			   .out = out };
	uint32_t groups, functions;
	int err = view_tree(v, &t.tree);

	if (err)
		return err;
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

static void json_quality(struct json *j, const struct truth *t)
{
	json_open(j, "truth", '{');
	json_uint(j, "samples", t->samples);
	json_uint(j, "lost", t->lost_ring_full + t->lost_table_full);
	json_num(j, "with_goroutine", share_of(t->with_goroutine, t->samples));
	json_num(j, "rooted", share_of(t->rooted, t->samples));
	json_num(j, "named", share_of(t->named_frames, t->user_frames));
	json_num(j, "cpu_s", (double)t->cpu_ns / 1e9);
	json_uint(j, "peak_rss_bytes", t->peak_rss);
	json_close(j, '}');
}

/* Profiles of CPU time alone look as they did before there were kinds. */
static bool names_kind(const struct view *v)
{
	return v->other_kinds || !is_cpu(v);
}

static void json_group(struct json *j, const struct group_row *g, const struct view *v)
{
	json_open(j, NULL, '{');
	json_str(j, "name", g->name);
	json_str(j, "key", g->key);
	json_uint(j, "goroutines", g->goroutines);
	json_uint(j, "samples", g->samples);
	if (is_cpu(v))
		json_uint(j, "cpu_ns", g->weight);
	else
		json_null(j, "cpu_ns");
	if (names_kind(v))
		json_uint(j, "weight", g->weight);
	json_str(j, "top", g->top);
	json_close(j, '}');
}

static void json_function(struct json *j, const struct function_row *f)
{
	json_open(j, NULL, '{');
	json_str(j, "name", f->name);
	json_str(j, "file", f->file);
	json_uint(j, "flat", f->flat_samples);
	json_uint(j, "cum", f->cum_samples);
	json_close(j, '}');
}

int table_write_json(struct view *v, FILE *out)
{
	struct json j = { .out = out };
	const struct tree *t;
	struct summary s;
	int err = view_tree(v, &t);

	if (err)
		return err;
	summary_init(&s, t);
	json_open(&j, NULL, '{');
	json_quality(&j, &v->profile->truth);
	if (names_kind(v)) {
		const struct event_kind *k = &v->profile->kinds[v->kind];

		json_str(&j, "kind", profile_string(v->profile, k->name));
		json_str(&j, "unit", profile_string(v->profile, k->unit));
	}
	json_open(&j, "groups", '[');
	for (uint32_t i = 0; i < s.n_groups; i++)
		json_group(&j, &s.groups[i], v);
	json_close(&j, ']');
	json_open(&j, "functions", '[');
	for (uint32_t i = 0; i < s.n_functions; i++)
		json_function(&j, &s.functions[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
	summary_release(&s);
	return 0;
}

/* Rounded down: only the whole is 100 %. */
static double percent_down(uint64_t part, uint64_t of)
{
	return (double)(uint64_t)(share_of(part, of) * 1000 + 1e-9) / 10;
}

void quality_line(const struct profile *p, uint32_t width, FILE *out)
{
	const struct truth *t = &p->truth;
	struct buf part = { 0 };
	uint32_t column = 0;

	for (int i = 0; i < 5; i++) {
		uint32_t n;

		part.len = 0;
		if (i == 0) {
			text_count_of(&part, t->samples, "sample");
			buf_str(&part, ", ");
			text_count(&part, t->lost_ring_full + t->lost_table_full);
			buf_str(&part, " lost");
		} else if (i == 1)
			buf_printf(&part, "%.1f%% with a goroutine",
				   percent_down(t->with_goroutine, t->samples));
		else if (i == 2)
			buf_printf(&part, "%.1f%% complete stacks",
				   percent_down(t->rooted, t->samples));
		else if (i == 3)
			buf_printf(&part, "%.1f%% of user frames named",
				   percent_down(t->named_frames, t->user_frames));
		else
			buf_printf(&part, "%.2fs CPU, %.1f MB peak",
				   (double)t->cpu_ns / 1e9, (double)t->peak_rss / 1e6);
		n = (uint32_t)part.len;
		if (column && width && column + 3 + n > width) {
			fputs("\n", out);
			column = 0;
		} else if (column) {
			fputs(" \xc2\xb7 ", out);
			column += 3;
		}
		buf_write(&part, out);
		column += n;
	}
	fputc('\n', out);
	buf_release(&part);
}
