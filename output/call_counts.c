/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/call_counts.h"

#include <errno.h>

#include "output/cells.h"
#include "output/json.h"
#include "output/json_meta.h"
#include "output/summary.h"
#include "output/text.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

struct counts_table {
	struct cells cells;
	struct view *view;
	struct summary sums;
	uint32_t rows;
};

static void write_title(struct counts_table *t)
{
	struct buf *line = &t->cells.line;

	text_fit(line, t->view->title, line_left(&t->cells));
	line_end(&t->cells, STYLE_BOLD);
	text_count_of(line, t->cells.total, "call");
	line_end(&t->cells, NULL);
	line_end(&t->cells, NULL);
}

static void write_groups(struct counts_table *t)
{
	struct buf *line = &t->cells.line;
	uint64_t rest = 0;

	cell_kind(&t->cells, t->view);
	buf_str(line, "goroutines  ");
	text_fit(line, t->view->key, line_left(&t->cells));
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->sums.n_groups; i++) {
		const struct group_row *g = &t->sums.groups[i];

		if (i >= t->rows) {
			rest += g->weight;
			continue;
		}
		cell_weight(&t->cells, g->weight);
		cell_share(&t->cells, g->weight);
		if (g->goroutines)
			buf_printf(line, "%10u  ", g->goroutines);
		else
			buf_printf(line, "%10s  ", "");
		text_fit(line, g->value, line_left(&t->cells));
		line_end(&t->cells, NULL);
	}
	if (t->sums.n_groups > t->rows)
		rows_more(&t->cells, t->sums.n_groups - t->rows, rest);
	line_end(&t->cells, NULL);
}

static void write_functions(struct counts_table *t)
{
	uint64_t rest = 0;

	cell_kind(&t->cells, t->view);
	buf_str(&t->cells.line, "function");
	line_end(&t->cells, STYLE_BOLD);
	for (uint32_t i = 0; i < t->sums.n_functions; i++) {
		const struct function_row *f = &t->sums.functions[i];

		if (i >= t->rows) {
			rest += f->flat;
			continue;
		}
		cell_weight(&t->cells, f->flat);
		cell_share(&t->cells, f->flat);
		text_fit(&t->cells.line, f->name, line_left(&t->cells));
		line_end(&t->cells, style_of(f->origin));
	}
	if (t->sums.n_functions > t->rows)
		rows_more(&t->cells, t->sums.n_functions - t->rows, rest);
	line_end(&t->cells, NULL);
}

int call_counts_write(struct view *v, const struct call_counts_options *o, FILE *out)
{
	struct counts_table t = { .view = v, .rows = o->rows ? o->rows : UINT32_MAX };

	if (summary_init(&t.sums, v))
		return -E2BIG;
	t.cells = cells_of(v, t.sums.tree->nodes[0].total, o->width, o->color, out);
	write_title(&t);
	if (t.sums.n_groups)
		write_groups(&t);
	write_functions(&t);
	summary_release(&t.sums);
	buf_release(&t.cells.line);
	return 0;
}

static void json_group(struct json *j, const struct group_row *g)
{
	json_open(j, NULL, '{');
	json_str(j, "name", g->name);
	json_str(j, "key", g->key);
	json_uint(j, "goroutines", g->goroutines);
	json_uint_or_null(j, "goid", g->n_members == 1 ? g->members->goid : 0);
	json_uint(j, "calls", g->weight);
	json_close(j, '}');
}

int call_counts_json(struct view *v, FILE *out)
{
	const struct profile *p = v->profile;
	struct json j = { .out = out };
	struct summary s;

	if (summary_init(&s, v))
		return -E2BIG;
	json_open(&j, NULL, '{');
	json_time(&j, "start", p->start_ns);
	json_uint(&j, "start_ns", p->start_ns);
	json_uint(&j, "duration_ns", v->duration_ns);
	json_uint(&j, "calls", s.tree->nodes[0].total);
	json_uint(&j, "lost", stats_lost(&p->stats));
	json_open(&j, "groups", '[');
	for (uint32_t i = 0; i < s.n_groups; i++)
		json_group(&j, &s.groups[i]);
	json_close(&j, ']');
	json_open(&j, "functions", '[');
	for (uint32_t i = 0; i < s.n_functions; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "function", s.functions[i].name);
		json_str(&j, "file", s.functions[i].file);
		json_uint_or_null(&j, "line", s.functions[i].start_line);
		json_uint(&j, "calls", s.functions[i].flat);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
	summary_release(&s);
	return 0;
}

void call_totals_add(struct call_totals *t, const struct view *v)
{
	const struct stats *s = &v->profile->stats;

	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *e = &v->profile->events[v->events[i]];

		t->calls += e->weight;
		t->with_goroutine += e->goroutine ? e->weight : 0;
	}
	t->lost += stats_lost(s);
	t->cpu_ns += s->cpu_ns;
	t->peak_rss = s->peak_rss;
}

void call_totals_write(const struct call_totals *t, FILE *out)
{
	struct buf b = { 0 };

	text_count_of(&b, t->calls, "call");
	buf_str(&b, ", ");
	text_count(&b, t->lost);
	buf_printf(&b, " lost · %.1f%% with a goroutine · %.2fs CPU, %.1f MB peak\n",
		   percent_down(t->with_goroutine, t->calls), (double)t->cpu_ns / 1e9,
		   (double)t->peak_rss / 1e6);
	buf_write(&b, out);
	buf_release(&b);
}
