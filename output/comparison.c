/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/comparison.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum { INTERVALS = 64, FEW_INTERVALS = 16, LEVELS = 2 };

static const double DEVIATIONS = 1.959964; /* for COMPARED_CONFIDENCE */

static const int intervals[LEVELS] = { INTERVALS, FEW_INTERVALS };

/* How a row's weight jumps from one interval to the next. */
struct jumps {
	double now, before; /* weight in this interval, and in the one before */
	/* sums of the squared jumps, and of the jumps times those of the total */
	double squares, with_total;
};

/* What is counted of one row on one side; see the model. */
struct tally {
	double weight, squares; /* squares: of the weights of the samples */
	uint64_t samples;
	struct jumps jumps[LEVELS];
};

/* Rows of tallies: the total, the groups, then flat and cum of each function. */
struct counting {
	struct comparison *c;
	const struct tree *trees[2];
	/* Owned; per node of the merged tree: its row + 1, or 0; the outermost of a
	 * recursion counts for cum. */
	uint32_t *group, *function;
	bool *outermost;
	double *self, *sum;       /* owned; per node, for spread() */
	double *row;              /* owned; what spread() gives, per tally */
	struct tally *tallies[2]; /* owned */
	uint32_t n_tallies;
};

/* Rows. */

/* values: those of the levels instead of their names. */
static const char *group_key(struct comparison *c, uint32_t node, bool values)
{
	uint32_t path[MAX_GROUP_KEYS + 2], n = 0;
	struct buf key = { 0 };
	const char *ret;

	for (; node && n < MAX_GROUP_KEYS + 2; node = c->stacks.nodes[node].parent)
		path[n++] = node;
	while (n--) {
		const struct merged_node *level = &c->stacks.nodes[path[n]];

		text_frame(&key, values ? level->value : level->name);
		if (n)
			buf_u8(&key, ';');
	}
	ret = arena_strndup(&c->arena, (const char *)key.data, key.len);
	buf_release(&key);
	return ret;
}

static uint32_t function_get(struct comparison *c, struct pairs *set,
			     const struct merged_node *n)
{
	bool kernel = n->kind == FRAME_KERNEL;
	uint32_t id = pairs_add(set, (uintptr_t)n->name, kernel);
	struct function_difference *f;

	if (id == c->n_functions)
		*table_add(c->functions, c->n_functions,
			   c->cap_functions) = (struct function_difference){
			.name = kernel ? arena_printf(&c->arena, "%s_[k]", n->name)
				       : n->name,
			.file = "",
		};
	f = &c->functions[id];
	if (!*f->file)
		f->file = n->file;
	return id;
}

static bool is_outermost(const struct counting *k, uint32_t node)
{
	const struct merged_node *nodes = k->c->stacks.nodes;

	for (uint32_t i = nodes[node].parent; i; i = nodes[i].parent)
		if (k->function[i] == k->function[node])
			return false;
	return true;
}

static void find_rows(struct counting *k)
{
	struct comparison *c = k->c;
	struct pairs functions = { 0 };

	for (uint32_t i = 0; i < c->stacks.n_nodes; i++) {
		const struct merged_node *n = &c->stacks.nodes[i];

		if (n->is_group) {
			*table_add(c->groups, c->n_groups,
				   c->cap_groups) = (struct group_difference){
				.key = group_key(c, i, false),
				.value = group_key(c, i, true),
				.goroutines = { n->goroutines[0], n->goroutines[1] },
			};
			k->group[i] = c->n_groups;
		}
		if (n->type != NODE_FRAME)
			continue;
		k->function[i] = function_get(c, &functions, n) + 1;
		k->outermost[i] = is_outermost(k, i);
	}
	pairs_release(&functions);
}

/* Counting. */

/* From self, per node, to row, per tally. */
static void spread(struct counting *k)
{
	const struct merged *m = &k->c->stacks;
	double *functions = k->row + 1 + k->c->n_groups;

	memset(k->row, 0, k->n_tallies * sizeof(*k->row));
	memset(k->sum, 0, m->n_nodes * sizeof(*k->sum));
	for (uint32_t i = m->n_nodes; i--;) {
		uint32_t f = k->function[i];

		k->sum[i] += k->self[i];
		if (i)
			k->sum[m->nodes[i].parent] += k->sum[i];
		if (k->group[i])
			k->row[k->group[i]] += k->sum[i];
		if (!f)
			continue;
		functions[2 * (f - 1)] += k->self[i];
		if (k->outermost[i])
			functions[2 * (f - 1) + 1] += k->sum[i];
	}
	k->row[0] = k->sum[0];
}

/* The view's events by interval: rows of profile->events, those of interval i end at
 * ends[i]. The caller frees them. */
static uint32_t *sort_events(const struct counting *k, int side, uint32_t ends[INTERVALS])
{
	const struct view *v = k->c->views[side];
	double length = k->c->seconds[side] * 1e9 / INTERVALS;
	uint32_t *ret = mem_zalloc(v->n_events * sizeof(*ret)), n = 0;
	uint8_t *interval = mem_zalloc(v->n_events);

	memset(ends, 0, INTERVALS * sizeof(*ends));
	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *e = &v->profile->events[v->events[i]];
		double at = (double)(e->time_ns - v->filter.from_ns) / length;

		interval[i] = at < INTERVALS ? (uint8_t)at : INTERVALS - 1;
		ends[interval[i]]++;
	}
	for (int i = 0; i < INTERVALS; i++) {
		uint32_t count = ends[i];

		ends[i] = n;
		n += count;
	}
	for (uint32_t i = 0; i < v->n_events; i++)
		ret[ends[interval[i]]++] = v->events[i];
	free(interval);
	return ret;
}

/* Spreads weight ^ power of some of a side's events. */
static void count(struct counting *k, int side, const uint32_t *events, uint32_t n,
		  int power)
{
	const struct view *v = k->c->views[side];

	memset(k->self, 0, k->c->stacks.n_nodes * sizeof(*k->self));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t leaf = k->trees[side]->leaves[events[i]];
		double w = (double)v->profile->events[events[i]].weight;

		k->self[k->c->stacks.of[side][leaf]] += power == 0   ? 1
							: power == 1 ? w
								     : w * w;
	}
	spread(k);
}

/* An interval of this level is over. */
static void count_jumps(struct counting *k, int side, int level, bool first)
{
	struct tally *rows = k->tallies[side];
	double of_total = rows[0].jumps[level].now - rows[0].jumps[level].before;

	for (uint32_t i = 0; i < k->n_tallies; i++) {
		struct jumps *j = &rows[i].jumps[level];
		double jump = j->now - j->before;

		j->before = j->now;
		j->now = 0;
		if (first)
			continue;
		j->squares += jump * jump;
		j->with_total += jump * of_total;
	}
}

static void count_interval(struct counting *k, int side, int interval)
{
	for (uint32_t i = 0; i < k->n_tallies; i++) {
		struct tally *t = &k->tallies[side][i];

		t->weight += k->row[i];
		for (int level = 0; level < LEVELS; level++)
			t->jumps[level].now += k->row[i];
	}
	for (int level = 0; level < LEVELS; level++) {
		int width = INTERVALS / intervals[level];

		if (interval % width == width - 1)
			count_jumps(k, side, level, interval < width);
	}
}

static void count_side(struct counting *k, int side)
{
	uint32_t ends[INTERVALS], *events = sort_events(k, side, ends), first = 0;
	uint32_t n = k->c->views[side]->n_events;

	k->tallies[side] = mem_zalloc(k->n_tallies * sizeof(*k->tallies[side]));
	for (int i = 0; i < INTERVALS; first = ends[i++]) {
		count(k, side, events + first, ends[i] - first, 1);
		count_interval(k, side, i);
	}
	count(k, side, events, n, 2);
	for (uint32_t i = 0; i < k->n_tallies; i++)
		k->tallies[side][i].squares = k->row[i];
	count(k, side, events, n, 0);
	for (uint32_t i = 0; i < k->n_tallies; i++)
		k->tallies[side][i].samples = (uint64_t)k->row[i];
	free(events);
}

/* The model. */

/* What a row's weight on one side is divided by; 0: there is no time, or nothing to be a
 * share of. */
static double divisor(const struct counting *k, int side)
{
	double seconds = k->c->seconds[side];

	if (k->c->unit == COMPARED_SHARES)
		return k->tallies[side][0].weight;
	return k->c->unit == COMPARED_CPUS ? seconds * 1e9 : seconds;
}

/* The square of the weight of one sample of the row: all have the same, or the mean. */
static double square_of_one(const struct counting *k, int side, uint32_t row)
{
	const struct view *v = k->c->views[side];
	const struct tally *a = &k->tallies[0][row], *b = &k->tallies[1][row];
	double period = (double)v->profile->kinds[v->kind].period;
	uint64_t n = a->samples + b->samples;

	if (period > 0)
		return period * period;
	return n ? (a->squares + b->squares) / (double)n : 0;
}

static double variance(const struct counting *k, int side, uint32_t row)
{
	const struct tally *t = &k->tallies[side][row], *all = &k->tallies[side][0];
	bool shares = k->c->unit == COMPARED_SHARES && all->weight > 0;
	double share = shares ? t->weight / all->weight : 0;
	double ret = t->squares * (1 - 2 * share) + share * share * all->squares +
		     square_of_one(k, side, row);

	for (int i = 0; i < LEVELS; i++) {
		const struct jumps *j = &t->jumps[i];
		double sum = j->squares - 2 * share * j->with_total +
			     share * share * all->jumps[i].squares;

		ret = fmax(ret, sum / 2 * intervals[i] / (intervals[i] - 1));
	}
	return ret;
}

/* The delta's variance if both sides are samples of one value, of independent samples. */
static double null_variance(const struct counting *k, uint32_t row)
{
	double by[2] = { divisor(k, 0), divisor(k, 1) }, value, ret = 0;

	if (!by[0] || !by[1])
		return 0;
	value = (k->tallies[0][row].weight + k->tallies[1][row].weight) / (by[0] + by[1]);
	for (int side = 0; side < 2; side++) {
		double square = square_of_one(k, side, row);
		double spread = k->c->unit == COMPARED_SHARES ? value * (1 - value) : value;

		ret += spread * sqrt(square) / by[side] + square / (by[side] * by[side]);
	}
	return ret;
}

static struct difference row_difference(const struct counting *k, uint32_t row)
{
	struct difference d = { .p = 1 };
	double values[2], sum = 0, null = null_variance(k, row);

	for (int side = 0; side < 2; side++) {
		const struct tally *t = &k->tallies[side][row];
		double by = divisor(k, side);

		values[side] = by ? t->weight / by : 0;
		sum += by ? variance(k, side, row) / (by * by) : 0;
		d.samples[side] = t->samples;
	}
	d.old = values[0];
	d.new = values[1];
	d.delta = d.new - d.old;
	d.error = DEVIATIONS * sqrt(sum);
	if (sum > 0)
		d.p = erfc(fabs(d.delta) / sqrt(2 * fmax(sum, null)));
	return d;
}

static uint64_t samples_of(const struct difference *d)
{
	return d->samples[0] + d->samples[1];
}

static int by_samples(const void *a, const void *b)
{
	uint64_t x = samples_of(*(const struct difference *const *)a),
		 y = samples_of(*(const struct difference *const *)b);

	return descending(x, y);
}

/* Leaves out rows of so few samples that they could not differ, even if all were on one
 * side. Returns how many are left; they come first. */
static uint32_t leave_out_rare(const struct counting *k, struct difference **rows,
			       uint32_t n)
{
	double by[2] = { divisor(k, 0), divisor(k, 1) };
	double ratio = by[0] && by[1] ? fmax(by[0], by[1]) / fmin(by[0], by[1]) : 1;
	double false_rate = k->c->false_rate;
	uint32_t i;

	table_sort(rows, n, by_samples);
	for (i = 0; i < n; i++) {
		double samples = (double)samples_of(rows[i]);

		/* null_variance(), and the delta if all are on the shorter side */
		double least = samples / ratio + 1 + 1 / (ratio * ratio);

		if (erfc(samples / sqrt(2 * least)) > false_rate / (i + 1))
			break;
	}
	while (i && i < n && samples_of(rows[i - 1]) == samples_of(rows[i]))
		i--;
	return i;
}

static int by_p(const void *a, const void *b)
{
	const struct difference *const *x = a, *const *y = b;

	return ascending((*x)->p, (*y)->p);
}

/* Benjamini and Hochberg's procedure. */
static void find_different(const struct counting *k, struct difference **rows, uint32_t n)
{
	uint32_t different = 0;

	n = leave_out_rare(k, rows, n);
	table_sort(rows, n, by_p);
	for (uint32_t i = 0; i < n; i++)
		if (rows[i]->p <= k->c->false_rate * (i + 1) / n)
			different = i + 1;
	for (uint32_t i = 0; i < different; i++)
		rows[i]->differs = true;
}

static void judge(struct counting *k)
{
	struct comparison *c = k->c;
	struct difference **rows = mem_zalloc(k->n_tallies * sizeof(*rows)), *d;
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->n_tallies; i++) {
		uint32_t f = i - 1 - c->n_groups;

		if (!i)
			d = &c->total;
		else if (i <= c->n_groups)
			d = &c->groups[i - 1].d;
		else
			d = f & 1 ? &c->functions[f / 2].cum : &c->functions[f / 2].flat;
		*d = row_difference(k, i);
		rows[n++] = d;
	}
	find_different(k, rows, n);
	free(rows);
	for (uint32_t i = 0; i < c->n_groups; i++)
		c->n_different += c->groups[i].d.differs;
	for (uint32_t i = 0; i < c->n_functions; i++)
		c->n_different += c->functions[i].flat.differs ||
				  c->functions[i].cum.differs;
}

/* Order. */

static int by_difference(const struct difference *x, const struct difference *y)
{
	double a = fabs(x->delta), b = fabs(y->delta);

	if (x->differs != y->differs)
		return x->differs ? -1 : 1;
	if (a != b)
		return a > b ? -1 : 1;
	a = x->old + x->new;
	b = y->old + y->new;
	return descending(a, b);
}

static int by_group(const void *a, const void *b)
{
	const struct group_difference *x = a, *y = b;

	return by_difference(&x->d, &y->d) ?: strcmp(x->key, y->key);
}

/* Functions that differ in the first figure, those that differ in the second one only, the
 * others. */
static int by_figures(const struct function_difference *x,
		      const struct function_difference *y, const struct difference *x_first,
		      const struct difference *y_first, const struct difference *x_second,
		      const struct difference *y_second)
{
	int order = 0;

	if (x_first->differs || y_first->differs)
		order = by_difference(x_first, y_first);
	if (!order && (x_second->differs || y_second->differs))
		order = by_difference(x_second, y_second);
	return order ?: by_difference(x_first, y_first) ?: by_difference(x_second, y_second) ?: strcmp(x->name, y->name);
}

static int by_flat(const void *a, const void *b)
{
	const struct function_difference *x = a, *y = b;

	return by_figures(x, y, &x->flat, &y->flat, &x->cum, &y->cum);
}

static int by_cum(const void *a, const void *b)
{
	const struct function_difference *x = a, *y = b;

	return by_figures(x, y, &x->cum, &y->cum, &x->flat, &y->flat);
}

static void counting_release(struct counting *k)
{
	free(k->group);
	free(k->function);
	free(k->outermost);
	free(k->self);
	free(k->sum);
	free(k->row);
	free(k->tallies[0]);
	free(k->tallies[1]);
}

int comparison_init(struct comparison *c, struct view *old, struct view *new, bool shares,
		    bool cum, double false_rate)
{
	struct counting k = { .c = c, .trees = { view_tree(old), view_tree(new) } };
	size_t n;

	*c = (struct comparison){ .views = { old, new }, .false_rate = false_rate };
	if (!k.trees[0] || !k.trees[1])
		return -E2BIG;
	c->unit = shares                                     ? COMPARED_SHARES
		  : profile_is_time(new->profile, new->kind) ? COMPARED_CPUS
							     : COMPARED_RATE;
	c->seconds[0] = (double)view_selected_ns(old) / 1e9;
	c->seconds[1] = (double)view_selected_ns(new) / 1e9;
	merge_trees(&c->stacks, k.trees[0], k.trees[1]);
	n = c->stacks.n_nodes;
	k.group = mem_zalloc(n * sizeof(*k.group));
	k.function = mem_zalloc(n * sizeof(*k.function));
	k.outermost = mem_zalloc(n * sizeof(*k.outermost));
	k.self = mem_zalloc(n * sizeof(*k.self));
	k.sum = mem_zalloc(n * sizeof(*k.sum));
	find_rows(&k);
	k.n_tallies = 1 + c->n_groups + 2 * c->n_functions;
	k.row = mem_zalloc(k.n_tallies * sizeof(*k.row));
	count_side(&k, 0);
	count_side(&k, 1);
	judge(&k);
	table_sort(c->groups, c->n_groups, by_group);
	table_sort(c->functions, c->n_functions, cum ? by_cum : by_flat);
	counting_release(&k);
	return 0;
}

void comparison_release(struct comparison *c)
{
	free(c->groups);
	free(c->functions);
	merged_release(&c->stacks);
	arena_release(&c->arena);
	*c = (struct comparison){ 0 };
}

static void grown_more(const struct difference *d, const char *name, double limit,
		       const struct difference **most, const char **ret)
{
	if (!d->differs || d->delta - d->error <= limit ||
	    (*most && (*most)->delta >= d->delta))
		return;
	*most = d;
	*ret = name;
}

const char *comparison_grown(const struct comparison *c, double share,
			     const struct difference **d)
{
	double limit = c->unit == COMPARED_SHARES ? share : share * c->total.old;
	const char *ret = NULL;

	*d = NULL;
	for (uint32_t i = 0; i < c->n_functions; i++)
		grown_more(&c->functions[i].flat, c->functions[i].name, limit, d, &ret);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < c->n_groups; i++)
		grown_more(&c->groups[i].d, c->groups[i].key, limit, d, &ret);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < c->n_functions; i++)
		grown_more(&c->functions[i].cum, c->functions[i].name, limit, d, &ret);
	return ret;
}
