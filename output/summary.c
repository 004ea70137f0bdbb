/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* What is worked out for the nodes of one group. */
struct part {
	const struct tree *t;
	uint32_t group, first, end; /* nodes */
	uint32_t *function;         /* per node from first on: its row */
};

static uint32_t function_get(struct summary *s, const struct tree *t, const struct node *n)
{
	bool kernel = n->kind == FRAME_KERNEL;
	uint32_t id = pairs_add(&s->known, (uintptr_t)n->name, kernel);
	struct function_row *f;

	if (id == s->n_functions)
		*table_add(s->functions, s->n_functions,
			   s->cap_functions) = (struct function_row){
			.name = kernel ? arena_printf(&s->arena, "%s_[k]", n->name)
				       : n->name,
			.file = "",
			.start_line = node_frame(t, n)->start_line,
			.origin = n->origin,
		};
	f = &s->functions[id];
	if (!*f->file)
		f->file = node_file(t, n);
	return id;
}

/* True if no node between this one and the group is of the same function. Takes as many
 * steps as the stack is deep, but in a recursion only a few. */
static bool is_outermost(const struct part *p, uint32_t node)
{
	uint32_t function = p->function[node - p->first];

	while ((node = p->t->nodes[node].parent) >= p->first)
		if (p->function[node - p->first] == function)
			return false;
	return true;
}

static void functions_add_up(struct summary *s, const struct part *p)
{
	for (uint32_t i = p->first; i < p->end; i++) {
		const struct node *n = &p->t->nodes[i];
		uint32_t id = function_get(s, p->t, n);
		struct function_row *f = &s->functions[id];

		p->function[i - p->first] = id;
		f->flat += n->self;
		f->flat_samples += n->self_samples;
		if (is_outermost(p, i)) {
			f->cum += n->total;
			f->cum_samples += n->samples;
		}
	}
}

static void find_top(struct summary *s, const struct part *p, struct group_row *g)
{
	uint64_t *weights = mem_zalloc((p->end - p->first) * sizeof(*weights));
	struct pairs functions = { 0 };

	for (uint32_t i = p->first; i < p->end; i++)
		if (p->t->nodes[i].self)
			weights[pairs_add(&functions, p->function[i - p->first], 0)] +=
				p->t->nodes[i].self;
	for (uint32_t i = 0; i < functions.n; i++) {
		if (weights[i] <= g->top_weight)
			continue;
		g->top_weight = weights[i];
		g->top = s->functions[functions.rows[i].a].name;
	}
	pairs_release(&functions);
	free(weights);
}

/* values: those of the levels instead of their names. */
static const char *group_key(struct summary *s, const struct tree *t, uint32_t node,
			     bool values)
{
	const char *names[MAX_GROUP_KEYS + 2], *ret;
	struct buf key = { 0 };
	uint32_t n = 0;

	for (; node && n < MAX_GROUP_KEYS + 2; node = t->nodes[node].parent)
		names[n++] = values ? node_value(t, &t->nodes[node]) : t->nodes[node].name;
	text_key(&key, names, n);
	ret = arena_strndup(&s->arena, (const char *)key.data, key.len);
	buf_release(&key);
	return ret;
}

static int by_weight(const void *a, const void *b)
{
	const struct group_row *x = a, *y = b;

	return descending(x->weight, y->weight) ?: strcmp(x->key, y->key);
}

static int by_flat(const void *a, const void *b)
{
	const struct function_row *x = a, *y = b;

	return descending(x->flat, y->flat) ?: descending(x->cum, y->cum) ?: strcmp(x->name, y->name);
}

static int by_cum(const void *a, const void *b)
{
	const struct function_row *x = a, *y = b;

	return descending(x->cum, y->cum) ?: by_flat(a, b);
}

static int by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return ascending(x->group, y->group) ?: descending(x->weight, y->weight) ?: ascending(x->process, y->process) ?: ascending(x->goid, y->goid);
}

/* Groups must not be sorted yet. */
static void groups_find_members(struct summary *s, const struct tree *t)
{
	if (!t->n_members)
		return;
	s->members = mem_zalloc(t->n_members * sizeof(*s->members));
	memcpy(s->members, t->members, t->n_members * sizeof(*s->members));
	qsort(s->members, t->n_members, sizeof(*s->members), by_group);
	for (uint32_t i = t->n_members; i--;) {
		struct group_row *g = &s->groups[s->members[i].group];

		g->members = &s->members[i];
		g->n_members++;
	}
}

/* The node's child with the largest weight, the first one of equals, for the group itself
 * and its nodes from first on; 0: none. */
static uint32_t *largest_children(const struct part *p)
{
	uint32_t *ret = mem_zalloc((p->end - p->first + 1) * sizeof(*ret));
	const struct node *nodes = p->t->nodes;

	for (uint32_t i = p->first; i < p->end; i++) {
		uint32_t parent = nodes[i].parent;
		uint32_t *best = &ret[parent < p->first ? 0 : parent - p->first + 1];

		if (!*best || nodes[i].total > nodes[*best].total)
			*best = i;
	}
	return ret;
}

static bool has_name(const struct path_step *path, uint32_t n, const char *name)
{
	while (n--)
		if (path[n].name == name) /* strings of a tree are there once */
			return true;
	return false;
}

/* Own code, each function once, and the last frame. */
static void find_path(struct summary *s, const struct part *p, struct group_row *g)
{
	uint32_t *largest = largest_children(p);
	uint32_t n = 0, cap = 0, node = p->group, next = *largest;
	struct path_step *path = NULL;
	const struct node *last = NULL, *nodes = p->t->nodes;

	for (; next && nodes[next].total > nodes[node].self;
	     next = largest[node - p->first + 1]) {
		node = next;
		last = &nodes[node];
		if (last->origin == ORIGIN_OWN && !has_name(path, n, last->name))
			*table_add(path, n, cap) = (struct path_step){ last->name,
								       last->kind };
	}
	if (last && (!n || path[n - 1].name != last->name))
		*table_add(path, n, cap) = (struct path_step){ last->name, last->kind };
	g->path = arena_alloc(&s->arena, n * sizeof(*path));
	g->n_path = n;
	for (uint32_t i = 0; i < n; i++)
		g->path[i] = path[i];
	free(path);
	free(largest);
}

static void add_group(void *summary, const struct tree *t, uint32_t group, uint32_t first,
		      uint32_t end)
{
	struct part p = { t, group, first, end,
			  mem_zalloc((end - first) * sizeof(uint32_t)) };
	uint32_t row = t->nodes[group].group;
	struct summary *s = summary;

	functions_add_up(s, &p);
	while (s->n_groups < row)
		(void)table_add(s->groups, s->n_groups, s->cap_groups);
	if (row) {
		find_top(s, &p, &s->groups[row - 1]);
		find_path(s, &p, &s->groups[row - 1]);
	}
	free(p.function);
}

static void finish_groups(struct summary *s, const struct tree *t)
{
	while (s->n_groups < t->n_groups)
		(void)table_add(s->groups, s->n_groups, s->cap_groups);
	for (uint32_t i = 0; i < t->n_groups; i++) {
		const struct node *n = &t->nodes[t->groups[i].node];
		struct group_row *g = &s->groups[i];

		g->key = group_key(s, t, t->groups[i].node, false);
		g->value = group_key(s, t, t->groups[i].node, true);
		g->node = t->groups[i].node;
		g->name = n->name;
		g->top = g->top ? g->top : "";
		g->weight = n->total;
		g->samples = n->samples;
		g->goroutines = t->groups[i].goroutines;
	}
}

void summary_sort_by_cum(struct summary *s)
{
	table_sort(s->functions, s->n_functions, by_cum);
}

int summary_init(struct summary *s, const struct view *v)
{
	struct tree_visitor visitor = { add_group, s };

	*s = (struct summary){ .tree = v->tree };
	if (v->tree)
		tree_visit(v->tree, visitor);
	else
		s->tree = s->own = tree_build_groups(v, visitor);
	pairs_release(&s->known);
	if (!s->tree) {
		summary_release(s);
		return -E2BIG;
	}
	finish_groups(s, s->tree);
	groups_find_members(s, s->tree);
	table_sort(s->groups, s->n_groups, by_weight);
	table_sort(s->functions, s->n_functions, by_flat);
	return 0;
}

void summary_release(struct summary *s)
{
	free(s->groups);
	free(s->functions);
	free(s->members);
	tree_free(s->own);
	arena_release(&s->arena);
	*s = (struct summary){ 0 };
}
