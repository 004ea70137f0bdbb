/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/board.h"

#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/groups.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"

static const struct grouping by_goroutine = { .keys = { BY_GOROUTINE }, .n = 1 };
static const struct grouping by_none = { .n = 0 };

/* Which events. */

/* The key of a group, as that of struct group_row; interned. */
static uint32_t group_key(struct board *b, const struct groups *g, uint32_t group)
{
	const char *names[MAX_GROUP_KEYS + 2];
	struct buf key = { 0 };
	uint32_t n = 0, id;

	for (; group && n < MAX_GROUP_KEYS + 2; group = g->rows[group].parent)
		names[n++] = strtab_get(g->names, g->rows[group].name);
	text_key(&key, names, n);
	id = strtab_addn(b->names, (const char *)key.data, key.len);
	buf_release(&key);
	return id;
}

/* The groups of the minute's events. */
struct grouped {
	struct groups groups;
	struct view part;
	uint32_t *of; /* per event of the minute: its group */
};

static void grouped_init(struct grouped *g, struct board *b, const struct grouping *by)
{
	*g = (struct grouped){ .part = view_part(&b->whole, by, NULL, 0) };
	g->groups = (struct groups){ .view = &g->part, .names = strtab_new() };
	g->of = mem_zalloc(b->n_minute * sizeof(*g->of));
	for (uint32_t i = 0; i < b->n_minute; i++)
		g->of[i] = groups_add(&g->groups, &b->whole.profile->events[b->minute[i]]);
}

static void grouped_release(struct grouped *g)
{
	struct strtab *names = (struct strtab *)g->groups.names;

	groups_release(&g->groups);
	strtab_free(names);
	view_part_release(&g->part);
	free(g->of);
}

/* Per group: does its name match the pattern, with those of the levels above? */
static bool *matching_groups(const struct board *b, const struct grouped *g)
{
	bool *ret = mem_zalloc(g->groups.n + 1);

	for (uint32_t i = 1; i < g->groups.n; i++) {
		const struct group_level *l = &g->groups.rows[i];

		ret[i] = ret[l->parent] ||
			 !regexec(b->q.pattern, strtab_get(g->groups.names, l->value), 0,
				  NULL, 0);
	}
	return ret;
}

/* Per event of the profile: does a frame match the pattern? */
static bool *matching_stacks(const struct board *b)
{
	const struct profile *p = b->whole.profile;
	bool *ret = mem_zalloc(p->n_events + 1);
	struct view v = { .as_pprof = b->q.view->as_pprof,
			  .own_only = b->q.view->own_only };

	v.filter = (struct filter){ .from_ns = b->whole.filter.from_ns,
				    .to_ns = b->whole.filter.to_ns,
				    .kind = b->q.view->filter.kind,
				    .focus = (regex_t *)b->q.pattern,
				    .shares = true };
	view_select(&v, p);
	for (uint32_t i = 0; i < v.n_events; i++)
		ret[v.events[i]] = true;
	view_release(&v);
	return ret;
}

/* Keeps the events of the minute for which keep[i]. */
static void keep(struct board *b, const bool *kept)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n_minute; i++)
		if (kept[i])
			b->minute[n++] = b->minute[i];
	b->n_minute = n;
}

static void keep_matching(struct board *b, const struct grouped *g)
{
	bool *groups = matching_groups(b, g), *stacks = matching_stacks(b);
	bool *kept = mem_zalloc(b->n_minute + 1), any = b->n_minute;

	for (uint32_t i = 0; i < b->n_minute; i++)
		kept[i] = groups[g->of[i]] || stacks[b->minute[i]];
	keep(b, kept);
	b->none_matches = any && !b->n_minute;
	free(groups);
	free(stacks);
	free(kept);
}

/* Keeps the events whose group has this key. */
static void keep_group(struct board *b, const struct grouping *by, const char *key)
{
	uint32_t wanted = strtab_add(b->names, key);
	struct grouped g;
	bool *groups, *kept = mem_zalloc(b->n_minute + 1);

	grouped_init(&g, b, by);
	groups = mem_zalloc(g.groups.n + 1);
	for (uint32_t i = 0; i < g.groups.n; i++)
		groups[i] = group_key(b, &g.groups, i) == wanted;
	for (uint32_t i = 0; i < b->n_minute; i++)
		kept[i] = groups[g.of[i]];
	keep(b, kept);
	free(groups);
	free(kept);
	grouped_release(&g);
}

static void select_minute(struct board *b, const struct profile *p)
{
	const struct board_query *q = &b->q;
	struct view *v = &b->whole;
	struct grouped g;

	*v = (struct view){ .by = q->view->by,
			    .as_pprof = q->view->as_pprof,
			    .own_only = q->view->own_only,
			    .starts = q->view->starts };
	filter_share(&v->filter, &q->view->filter);
	v->filter.from_ns = q->from_ns;
	if (q->n_cells && board_cells_from(q->to_ns, q->n_cells) < q->from_ns)
		v->filter.from_ns = board_cells_from(q->to_ns, q->n_cells);
	if (v->filter.from_ns < q->view->filter.from_ns)
		v->filter.from_ns = q->view->filter.from_ns;
	v->filter.to_ns = q->to_ns ? q->to_ns : 1; /* 0 would be no limit */
	view_select(v, p);
	b->minute = mem_zalloc(v->n_events * sizeof(*b->minute));
	if (v->n_events)
		memcpy(b->minute, v->events, v->n_events * sizeof(*b->minute));
	b->n_minute = v->n_events;
	if (q->pattern) {
		grouped_init(&g, b, &v->by);
		keep_matching(b, &g);
		grouped_release(&g);
	}
	if (q->level > BOARD_GROUPS)
		keep_group(b, &v->by, q->group);
	if (q->level > BOARD_GOROUTINES && *q->goroutine)
		keep_group(b, &by_goroutine, q->goroutine);
}

/* Those of the minute that are in the window. */
static void select_window(struct board *b, const struct grouping *by)
{
	const struct event *all = b->whole.profile->events;
	uint32_t *events = mem_zalloc(b->n_minute * sizeof(*events)), n = 0;

	for (uint32_t i = 0; i < b->n_minute; i++) {
		const struct event *e = &all[b->minute[i]];

		if (e->time_ns < b->q.from_ns)
			continue;
		events[n++] = b->minute[i];
		b->total += e->weight;
	}
	b->samples = n;
	b->part = view_part(&b->whole, by, events, n);
	if (b->q.tree)
		view_tree(&b->part); /* the rows are made of it, too */
}

/* Groups and goroutines. */

uint64_t board_cells_from(uint64_t to_ns, uint32_t n_cells)
{
	uint64_t cell = BOARD_SPAN_NS / n_cells, last = to_ns ? (to_ns - 1) / cell : 0;

	return last + 1 > n_cells ? (last + 1 - n_cells) * cell : 0;
}

/* "18 job=encode": what the goroutines run is known. */
static const char *goroutine_name(struct board *b, const struct group_row *g)
{
	const struct tree *t = b->sums.tree;
	const struct group *group = &t->groups[t->nodes[g->node].group - 1];
	struct buf name = { 0 };
	const char *ret;

	if (!group->goid)
		return g->value;
	if (b->part.n_processes > 1) {
		view_process_name(&b->whole, group->process, &name);
		buf_u8(&name, ' ');
	}
	buf_decimal(&name, group->goid);
	if (*group->labels)
		buf_printf(&name, " %s", group->labels);
	ret = strtab_get(b->names,
			 strtab_addn(b->names, (const char *)name.data, name.len));
	buf_release(&name);
	return ret;
}

static void add_groups(struct board *b)
{
	for (uint32_t i = 0; i < b->sums.n_groups; i++) {
		const struct group_row *g = &b->sums.groups[i];

		*table_add(b->rows, b->n, b->cap) = (struct board_row){
			.key = g->key,
			.name = b->q.level == BOARD_GOROUTINES ? goroutine_name(b, g)
							       : g->value,
			.weight = g->weight,
			.goroutines = g->goroutines,
			.group = g,
		};
	}
}

/* Groups that were only seen earlier in the minute have rows too. g: the minute's. Returns
 * for each group its row. */
static uint32_t *rows_of_groups(struct board *b, const struct grouped *g)
{
	uint32_t *ret = mem_zalloc((g->groups.n + 1) * sizeof(*ret)), n_keys, *row;
	bool *used = mem_zalloc(g->groups.n + 1);

	for (uint32_t i = 0; i < b->n_minute; i++)
		used[g->of[i]] = true;
	for (uint32_t i = 0; i < b->n; i++)
		strtab_add(b->names, b->rows[i].key);
	for (uint32_t i = 1; i < g->groups.n; i++)
		ret[i] = group_key(b, &g->groups, i);
	n_keys = strtab_count(b->names);
	row = mem_zalloc(n_keys * sizeof(*row)); /* + 1 */
	for (uint32_t i = 0; i < b->n; i++)
		row[strtab_add(b->names, b->rows[i].key)] = i + 1;
	for (uint32_t i = 1; i < g->groups.n; i++) {
		uint32_t key = ret[i];
		const char *value = strtab_get(g->groups.names, g->groups.rows[i].value);

		if (!row[key] && used[i]) {
			*table_add(b->rows, b->n, b->cap) = (struct board_row){
				.key = strtab_get(b->names, key),
				.name = strtab_get(b->names, strtab_add(b->names, value)),
			};
			row[key] = b->n;
		}
		ret[i] = row[key] ? row[key] - 1 : 0;
	}
	free(row);
	free(used);
	return ret;
}

static void add_cells(struct board *b, const struct grouping *by)
{
	uint64_t from = board_cells_from(b->q.to_ns, b->q.n_cells);
	struct grouped g;
	uint32_t *row;

	grouped_init(&g, b, by);
	row = rows_of_groups(b, &g);
	b->cells = mem_zalloc((size_t)b->n * b->q.n_cells * sizeof(*b->cells));
	for (uint32_t i = 0; i < b->n; i++)
		b->rows[i].cells = b->cells + (size_t)i * b->q.n_cells;
	for (uint32_t i = 0; i < b->n_minute; i++) {
		const struct event *e = &b->whole.profile->events[b->minute[i]];

		if (e->time_ns >= from && g.of[i])
			b->rows[row[g.of[i]]].cells[(e->time_ns - from) / b->cell_ns] +=
				e->weight;
	}
	free(row);
	grouped_release(&g);
}

/* The first row of goroutines stands for all of them. */
static void add_all(struct board *b)
{
	struct buf name = { 0 };
	struct board_row *all;
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		n += b->rows[i].weight && b->rows[i].goroutines;
	(void)table_add(b->rows, b->n, b->cap);
	memmove(b->rows + 1, b->rows, (b->n - 1) * sizeof(*b->rows));
	buf_str(&name, "all ");
	text_count_of(&name, n, "goroutine");
	all = &b->rows[0];
	*all = (struct board_row){
		.key = "",
		.name = strtab_get(b->names, strtab_add(b->names, buf_text(&name))),
		.weight = b->total,
		.goroutines = n,
	};
	buf_release(&name);
	if (!b->q.n_cells)
		return;
	all->cells = mem_zalloc(b->q.n_cells * sizeof(*all->cells));
	for (uint32_t i = 1; i < b->n; i++)
		for (uint32_t k = 0; k < b->q.n_cells; k++)
			all->cells[k] += b->rows[i].cells[k];
}

/* Functions and lines. */

static void add_functions(struct board *b)
{
	for (uint32_t i = 0; i < b->sums.n_functions; i++) {
		const struct function_row *f = &b->sums.functions[i];

		*table_add(b->rows, b->n, b->cap) = (struct board_row){
			.key = f->name,
			.name = f->name,
			.weight = f->cum,
			.self = f->flat,
			.origin = f->origin,
		};
	}
}

/* Of one function: "store/cache.go:88"; its package is the function's. */
static void add_lines(struct board *b)
{
	hotlines_init(&b->lines, &b->part);
	for (uint32_t i = 0; i < b->lines.n; i++) {
		const struct line_row *l = &b->lines.rows[i];
		const char *slash = strrchr(l->file, '/');
		struct buf name = { 0 };
		uint32_t id;

		if (strcmp(l->func, b->q.function))
			continue;
		buf_printf(&name, "%s:%u", slash ? slash + 1 : l->file, l->line);
		id = strtab_addn(b->names, (const char *)name.data, name.len);
		buf_release(&name);
		*table_add(b->rows, b->n, b->cap) = (struct board_row){
			.key = strtab_get(b->names, id),
			.name = strtab_get(b->names, id),
			.weight = l->weights[LINE_CUM],
			.self = l->weights[LINE_FLAT],
			.origin = l->origin,
		};
	}
}

/* All. */

static int compare_rows(const void *a, const void *b, void *sort)
{
	const struct board_row *x = a, *y = b;
	enum board_sort by = *(const enum board_sort *)sort;
	int by_name = strcmp(x->name, y->name);

	if (by == BOARD_BY_NAME && by_name)
		return by_name;
	if (by == BOARD_BY_GOROUTINES && x->goroutines != y->goroutines)
		return descending(x->goroutines, y->goroutines);
	if (by == BOARD_BY_SELF && x->self != y->self)
		return descending(x->self, y->self);
	return descending(x->weight, y->weight)
		?: descending(x->self, y->self)
		?: by_name
		?: strcmp(x->key, y->key);
}

static void sort_rows(struct board *b)
{
	bool all = b->q.level == BOARD_GOROUTINES;

	if (b->n > 1u + all)
		qsort_r(b->rows + all, b->n - all, sizeof(*b->rows), compare_rows,
			&b->q.sort);
}

void board_init(struct board *b, const struct board_query *q, const struct profile *p)
{
	const struct grouping *by = q->level == BOARD_GROUPS       ? &q->view->by
				    : q->level == BOARD_GOROUTINES ? &by_goroutine
								   : &by_none;

	*b = (struct board){ .q = *q, .names = strtab_new() };
	b->cell_ns = q->n_cells ? BOARD_SPAN_NS / q->n_cells : 0;
	select_minute(b, p);
	select_window(b, by);
	if (q->level < BOARD_LINES && summary_init(&b->sums, &b->part)) {
		b->too_big = true;
		return;
	}
	if (q->level < BOARD_FUNCTIONS) {
		add_groups(b);
		if (q->n_cells)
			add_cells(b, by);
	} else if (q->level == BOARD_FUNCTIONS) {
		add_functions(b);
	} else {
		add_lines(b);
	}
	if (q->level == BOARD_GOROUTINES)
		add_all(b);
	sort_rows(b);
}

void board_release(struct board *b)
{
	if (b->q.level == BOARD_GOROUTINES && b->n)
		free(b->rows[0].cells);
	summary_release(&b->sums);
	hotlines_release(&b->lines);
	view_part_release(&b->part);
	view_release(&b->whole);
	free(b->minute);
	free(b->cells);
	free(b->rows);
	strtab_free(b->names);
	*b = (struct board){ 0 };
}
