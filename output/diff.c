/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/diff.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/cells.h"
#include "output/comparison.h"
#include "output/json.h"
#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum {
	CELL = 9, /* columns, of which at least one stays empty */
	FIGURES = 4 * CELL,
	BOTH_WIDTH = 2 * FIGURES + 2 + 24, /* of a table with flat, cum, and names */
};

struct table {
	const struct comparison *c;
	const struct diff_options *o;
	struct cells cells;
};

/* Text. */

static struct table table_of(const struct comparison *c, const struct diff_options *o,
			     FILE *out)
{
	return (struct table){ c, o, { .out = out, .color = o->color } };
}

/* From here on in the line. */
static void style(struct table *t, const char *sequence)
{
	if (t->o->color)
		buf_str(&t->cells.line, sequence);
}

/* Names are cut to what is left of the line. */
static void name_add(struct table *t, const char *name, uint32_t taken)
{
	uint32_t width = t->o->width > CELLS_MIN_WIDTH ? t->o->width : CELLS_MIN_WIDTH;

	text_fit(&t->cells.line, name, t->o->width ? width - taken : UINT32_MAX);
}

/* Right-aligned. */
static void cell(struct table *t, const char *mark, const char *text)
{
	uint32_t n = text_columns(mark) + text_columns(text);

	buf_printf(&t->cells.line, "%*s%s%s", n < CELL ? (int)(CELL - n) : 1, "", mark,
		   text);
}

static void cell_value(struct table *t, const char *mark, double v)
{
	char text[32];

	if (t->c->unit == COMPARED_SHARES)
		snprintf(text, sizeof(text), "%.2f%%", 100 * v);
	else if (v < 99.9995)
		snprintf(text, sizeof(text), "%.3f", v);
	else if (v < 9999.95)
		snprintf(text, sizeof(text), "%.1f", v);
	else if (v < 999999.5)
		snprintf(text, sizeof(text), "%.0f", v);
	else if (v < 9999.5e6)
		snprintf(text, sizeof(text), "%.1fM", v / 1e6);
	else if (v < 9999.5e9)
		snprintf(text, sizeof(text), "%.1fG", v / 1e9);
	else
		snprintf(text, sizeof(text), "%.2g", v);
	cell(t, mark, text);
}

/* Old, new, delta and its error. */
static void cells_difference(struct table *t, const struct difference *d)
{
	char mark[3] = "~+", *sign = mark + 1;

	cell_value(t, "", d->old);
	cell_value(t, "", d->new);
	*sign = d->delta < 0 ? '-' : '+';
	if (!d->differs)
		style(t, STYLE_DIM);
	cell_value(t, d->differs || t->o->color ? sign : mark, fabs(d->delta));
	cell_value(t, "±", d->error);
}

static const char *side_name(const struct diff_options *o, int side)
{
	return o->sides[side] ? o->sides[side] : side ? "new" : "old";
}

/* figure: "flat ", "cum " or "". */
static void cells_head(struct table *t, const char *figure)
{
	char old[32];

	snprintf(old, sizeof(old), "%s%s", figure, side_name(t->o, 0));
	cell(t, "", old);
	cell(t, "", side_name(t->o, 1));
	cell(t, "", "delta");
	cell(t, "", "±");
}

static void write_more(struct table *t, uint32_t n, uint32_t different)
{
	if (!n)
		return;
	buf_str(&t->cells.line, "  … ");
	text_count(&t->cells.line, n);
	buf_printf(&t->cells.line, " more row%s", n == 1 ? "" : "s");
	if (different) {
		buf_str(&t->cells.line, ", of which ");
		text_count(&t->cells.line, different);
		buf_printf(&t->cells.line, " differ%s", different == 1 ? "s" : "");
	}
	buf_str(&t->cells.line, " (-n 0 shows all)");
	line_end(&t->cells, STYLE_DIM);
}

static void write_group(struct table *t, const char *name, const struct difference *d)
{
	cells_difference(t, d);
	buf_str(&t->cells.line, "  ");
	name_add(t, name, FIGURES + 2);
	line_end(&t->cells, d->differs ? NULL : STYLE_DIM);
}

static void write_groups(struct table *t)
{
	const struct comparison *c = t->c;
	uint32_t rows = t->o->rows, different = 0;

	cells_head(t, "");
	if (c->n_groups) {
		buf_str(&t->cells.line, "  ");
		name_add(t, c->views[1]->key, FIGURES + 2);
	}
	line_end(&t->cells, STYLE_BOLD);
	if (c->unit != COMPARED_SHARES)
		write_group(t, "total", &c->total);
	for (uint32_t i = 0; i < c->n_groups; i++) {
		if (!rows || i < rows)
			write_group(t, c->groups[i].value, &c->groups[i].d);
		else
			different += c->groups[i].d.differs;
	}
	write_more(t, rows && c->n_groups > rows ? c->n_groups - rows : 0, different);
}

static void write_function(struct table *t, const struct function_difference *f, bool flat,
			   bool cum)
{
	bool differs = (flat && f->flat.differs) || (cum && f->cum.differs);
	uint32_t taken = (flat && cum ? 2 : 1) * FIGURES + 2;

	if (flat)
		cells_difference(t, &f->flat);
	if (flat && cum && differs)
		style(t, STYLE_NONE);
	if (cum)
		cells_difference(t, &f->cum);
	if (differs)
		style(t, STYLE_NONE);
	buf_str(&t->cells.line, "  ");
	name_add(t, f->name, taken);
	line_end(&t->cells, differs ? NULL : STYLE_DIM);
}

static bool differs_in_cum_only(const struct comparison *c)
{
	bool flat = false, cum = false;

	for (uint32_t i = 0; i < c->n_functions; i++) {
		flat |= c->functions[i].flat.differs;
		cum |= c->functions[i].cum.differs;
	}
	return cum && !flat;
}

/* A narrow table has no room for both flat and cum. */
static void write_functions(struct table *t)
{
	const struct comparison *c = t->c;
	uint32_t rows = t->o->rows, different = 0;
	bool both = !t->o->width || t->o->width >= BOTH_WIDTH;
	bool narrow_cum = t->o->by_cum || differs_in_cum_only(c);
	bool flat = both || !narrow_cum, cum = both || narrow_cum;

	if (flat)
		cells_head(t, "flat ");
	if (cum)
		cells_head(t, "cum ");
	buf_str(&t->cells.line, "  function");
	line_end(&t->cells, STYLE_BOLD);
	/* First those that differ in what is shown; they are sorted by flat and cum. */
	for (uint32_t i = 0, shown = 0; i < 2 * c->n_functions; i++) {
		const struct function_difference *f = &c->functions[i % c->n_functions];
		bool differs = (flat && f->flat.differs) || (cum && f->cum.differs);

		if (differs != (i < c->n_functions))
			continue;
		if (!rows || shown++ < rows)
			write_function(t, f, flat, cum);
		else
			different += differs;
	}
	write_more(t, rows && c->n_functions > rows ? c->n_functions - rows : 0, different);
}

static void write_title(struct table *t, int side)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s  %s: %s, ", side_name(t->o, side), t->o->paths[side],
		   t->c->views[side]->title);
	text_count_of(&b, t->c->views[side]->n_events, "sample");
	name_add(t, buf_text(&b), 0);
	line_end(&t->cells, NULL);
	buf_release(&b);
}

/* What the figures are, and how many rows differ. */
static void write_legend(struct table *t)
{
	const struct comparison *c = t->c;
	const struct profile *p = c->views[1]->profile;
	const char *kind = profile_string(p, p->kinds[c->views[1]->kind].name);
	bool cpu = !strcmp(kind, "cpu");
	uint32_t rows = c->n_groups + c->n_functions;

	if (c->unit == COMPARED_SHARES)
		buf_str(&t->cells.line, "shares of all ");
	else if (c->unit == COMPARED_CPUS)
		buf_str(&t->cells.line, cpu ? "CPUs: seconds of " : "seconds of ");
	text_fit(&t->cells.line, cpu ? "CPU time" : kind, UINT32_MAX);
	buf_str(&t->cells.line, c->unit == COMPARED_SHARES ? "" : " per second");
	buf_str(&t->cells.line, " · ± is the sampling error at 95%");
	line_end(&t->cells, NULL);
	text_count(&t->cells.line, c->n_different);
	buf_str(&t->cells.line, " of ");
	text_count_of(&t->cells.line, rows, "row");
	buf_printf(&t->cells.line, " differ%s · %s may be chance",
		   c->n_different == 1 ? "s" : "", t->o->color ? "what is dim" : "~");
	line_end(&t->cells, NULL);
}

void diff_write_titles(const struct comparison *c, const struct diff_options *o, FILE *out)
{
	struct table t = table_of(c, o, out);

	write_title(&t, 0);
	write_title(&t, 1);
	buf_release(&t.cells.line);
}

void diff_write_groups(const struct comparison *c, const struct diff_options *o, FILE *out)
{
	struct table t = table_of(c, o, out);

	write_groups(&t);
	buf_release(&t.cells.line);
}

void diff_write_functions(const struct comparison *c, const struct diff_options *o,
			  FILE *out)
{
	struct table t = table_of(c, o, out);

	write_functions(&t);
	buf_release(&t.cells.line);
}

void diff_write_text(const struct comparison *c, const struct diff_options *o, FILE *out)
{
	struct table t = table_of(c, o, out);

	diff_write_titles(c, o, out);
	write_legend(&t);
	line_end(&t.cells, NULL);
	if (c->n_groups || c->unit != COMPARED_SHARES) {
		write_groups(&t);
		line_end(&t.cells, NULL);
	}
	write_functions(&t);
	buf_release(&t.cells.line);
}

/* JSON. */

static const char *const unit_names[] = {
	[COMPARED_CPUS] = "seconds_per_second",
	[COMPARED_RATE] = "per_second",
	[COMPARED_SHARES] = "share",
};

/* "old" or "old_samples". */
static void json_key(char key[64], const struct diff_options *o, int side, const char *of)
{
	snprintf(key, 64, "%s%s", side_name(o, side), of);
}

static void json_difference(struct json *j, const char *key, const struct difference *d,
			    const struct diff_options *o)
{
	char side[64];

	if (key)
		json_open(j, key, '{');
	json_num(j, side_name(o, 0), d->old);
	json_num(j, side_name(o, 1), d->new);
	json_num(j, "delta", d->delta);
	json_num(j, "error", d->error);
	json_num(j, "p", d->p);
	json_bool(j, "differs", d->differs);
	for (int i = 0; i < 2; i++) {
		json_key(side, o, i, "_samples");
		json_uint(j, side, d->samples[i]);
	}
	if (key)
		json_close(j, '}');
}

void diff_json_side(struct json *j, const struct comparison *c, int side,
		    const struct diff_options *o)
{
	const struct view *v = c->views[side];
	const struct event_kind *k = &v->profile->kinds[v->kind];

	json_open(j, side_name(o, side), '{');
	json_str(j, "file", o->paths[side]);
	json_str(j, "title", v->title);
	json_str(j, "event", profile_string(v->profile, k->source));
	json_uint(j, "hz", k->freq);
	json_num(j, "seconds", c->seconds[side]);
	json_uint(j, "samples", v->n_events);
	json_close(j, '}');
}

void diff_json_groups(struct json *j, const struct comparison *c,
		      const struct diff_options *o)
{
	char side[64];

	json_open(j, "groups", '[');
	for (uint32_t i = 0; i < c->n_groups; i++) {
		const struct group_difference *g = &c->groups[i];

		json_open(j, NULL, '{');
		json_str(j, "key", g->key);
		for (int k = 0; k < 2; k++) {
			json_key(side, o, k, "_goroutines");
			json_uint(j, side, g->goroutines[k]);
		}
		json_difference(j, NULL, &g->d, o);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void diff_json_functions(struct json *j, const struct comparison *c,
			 const struct diff_options *o)
{
	json_open(j, "functions", '[');
	for (uint32_t i = 0; i < c->n_functions; i++) {
		const struct function_difference *f = &c->functions[i];

		json_open(j, NULL, '{');
		json_str(j, "name", f->name);
		json_str(j, "file", f->file);
		json_difference(j, "flat", &f->flat, o);
		json_difference(j, "cum", &f->cum, o);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void diff_write_json(const struct comparison *c, const struct diff_options *o, FILE *out)
{
	struct json j = { .out = out };
	const struct view *v = c->views[1];

	json_open(&j, NULL, '{');
	diff_json_side(&j, c, 0, o);
	diff_json_side(&j, c, 1, o);
	json_str(&j, "kind", profile_string(v->profile, v->profile->kinds[v->kind].name));
	json_str(&j, "unit", unit_names[c->unit]);
	json_num(&j, "confidence", COMPARED_CONFIDENCE);
	json_num(&j, "false_discovery_rate", c->false_rate);
	json_uint(&j, "rows", c->n_groups + c->n_functions);
	json_uint(&j, "different", c->n_different);
	json_difference(&j, "total", &c->total, o);
	diff_json_groups(&j, c, o);
	diff_json_functions(&j, c, o);
	json_close(&j, '}');
	fputc('\n', out);
}

/* Differential folded stacks. */

/* Nodes from a leaf up to the root's child. */
struct path {
	uint32_t *nodes; /* owned */
	uint32_t n, cap;
};

/* The numbers of folded stacks: samples, or weights if these differ. */
static uint64_t own_of(const struct comparison *c, uint32_t node, int side)
{
	const struct view *v = c->views[side];
	const struct merged_node *n = &c->stacks.nodes[node];

	return v->profile->kinds[v->kind].period ? n->self_samples[side] : n->self[side];
}

static void stack_add(struct buf *b, const struct merged *m, uint32_t leaf,
		      struct path *path)
{
	path->n = 0;
	for (uint32_t i = leaf; i; i = m->nodes[i].parent)
		*table_add(path->nodes, path->n, path->cap) = i;
	if (!path->n)
		text_frame(b, "");
	for (uint32_t i = path->n; i--;) {
		const struct merged_node *n = &m->nodes[path->nodes[i]];

		text_frame(b, n->name);
		if (n->kind == FRAME_KERNEL)
			buf_str(b, "_[k]");
		if (i)
			buf_u8(b, ';');
	}
}

void diff_write_folded(const struct comparison *c, FILE *out)
{
	struct path path = { 0 };
	struct buf line = { 0 };
	uint64_t sums[2] = { 0 };
	double scale = 1;

	for (uint32_t i = 0; i < c->stacks.n_nodes; i++) {
		sums[0] += own_of(c, i, 0);
		sums[1] += own_of(c, i, 1);
	}
	if (c->unit == COMPARED_SHARES && sums[0])
		scale = (double)sums[1] / (double)sums[0];
	for (uint32_t i = 0; i < c->stacks.n_nodes; i++) {
		uint64_t old = own_of(c, i, 0), new = own_of(c, i, 1);

		if (!old && !new)
			continue;
		line.len = 0;
		stack_add(&line, &c->stacks, i, &path);
		buf_printf(&line, " %.0f %" PRIu64 "\n", (double)old * scale, new);
		if (fwrite(line.data, 1, line.len, out) != line.len)
			break;
	}
	buf_release(&line);
	free(path.nodes);
}
