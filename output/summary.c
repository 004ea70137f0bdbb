/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/summary.h"

#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* For each node: the row of its function, + 1, and that of its group, + 1; 0: none. */
struct places {
	uint32_t *function, *group;
};

static uint32_t function_get(struct summary *s, struct pairs *set, const struct tree *t,
			     const struct node *n)
{
	bool kernel = n->kind == FRAME_KERNEL;
	uint32_t id = pairs_add(set, (uintptr_t)n->name, kernel);
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

/* True if no node between this one and the root is of the same function. Takes as many
 * steps as the stack is deep, but in a recursion only a few. */
static bool is_outermost(const struct tree *t, const struct places *p, uint32_t node)
{
	for (uint32_t i = t->nodes[node].parent; i; i = t->nodes[i].parent)
		if (p->function[i] == p->function[node])
			return false;
	return true;
}

static void functions_add_up(struct summary *s, const struct tree *t, struct places *p)
{
	struct pairs functions = { 0 };

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct node *n = &t->nodes[i];
		struct function_row *f;
		uint32_t id;

		p->group[i] = n->group ? n->group : p->group[n->parent];
		if (n->type != NODE_FRAME)
			continue;
		id = function_get(s, &functions, t, n);
		p->function[i] = id + 1;
		f = &s->functions[id];
		f->flat += n->self;
		f->flat_samples += n->self_samples;
		if (is_outermost(t, p, i)) {
			f->cum += n->total;
			f->cum_samples += n->samples;
		}
	}
	pairs_release(&functions);
}

/* Groups and functions must not be sorted yet: the places are their rows. */
static void groups_find_top(struct summary *s, const struct tree *t, const struct places *p)
{
	struct pairs shares = { 0 }; /* group, function */
	uint64_t *weights = mem_zalloc(t->n_nodes * sizeof(*weights));

	for (uint32_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].self && p->group[i] && p->function[i])
			weights[pairs_add(&shares, p->group[i] - 1, p->function[i] - 1)] +=
				t->nodes[i].self;
	for (uint32_t i = 0; i < shares.n; i++) {
		struct group_row *g = &s->groups[shares.rows[i].a];

		if (weights[i] <= g->top_weight)
			continue;
		g->top_weight = weights[i];
		g->top = s->functions[shares.rows[i].b].name;
	}
	pairs_release(&shares);
	free(weights);
}

/* values: those of the levels instead of their names. */
static const char *group_key(struct summary *s, const struct tree *t, uint32_t node,
			     bool values)
{
	uint32_t path[MAX_GROUP_KEYS + 2], n = 0;
	struct buf key = { 0 };
	const char *ret;

	for (; node && n < MAX_GROUP_KEYS + 2; node = t->nodes[node].parent)
		path[n++] = node;
	while (n--) {
		text_frame(&key, values ? node_value(t, &t->nodes[path[n]])
					: t->nodes[path[n]].name);
		if (n)
			buf_u8(&key, ';');
	}
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

/* For each node its child with the largest weight, the first one of equals; 0: none. */
static uint32_t *largest_children(const struct tree *t)
{
	uint32_t *ret = mem_zalloc(t->n_nodes * sizeof(*ret));

	for (uint32_t i = 1; i < t->n_nodes; i++) {
		uint32_t *best = &ret[t->nodes[i].parent];

		if (!*best || t->nodes[i].total > t->nodes[*best].total)
			*best = i;
	}
	return ret;
}

static bool has_name(const struct node *const *path, uint32_t n, const char *name)
{
	while (n--)
		if (path[n]->name == name) /* strings of a tree are there once */
			return true;
	return false;
}

/* Own code, each function once, and the last frame. */
static void path_find(struct summary *s, const struct tree *t, const uint32_t *largest,
		      struct group_row *g)
{
	const struct node **path = NULL, *last = NULL;
	uint32_t n = 0, cap = 0, node = g->node, next = largest[node];

	for (; next && t->nodes[next].total > t->nodes[node].self; next = largest[node]) {
		node = next;
		last = &t->nodes[node];
		if (last->origin == ORIGIN_OWN && !has_name(path, n, last->name))
			*table_add(path, n, cap) = last;
	}
	if (last && (!n || path[n - 1]->name != last->name))
		*table_add(path, n, cap) = last;
	g->path = arena_alloc(&s->arena, n * sizeof(*path));
	if (n)
		memcpy(g->path, path, n * sizeof(*path));
	g->n_path = n;
	free(path);
}

static void groups_find_paths(struct summary *s, const struct tree *t)
{
	uint32_t *largest = largest_children(t);

	for (uint32_t i = 0; i < s->n_groups; i++)
		path_find(s, t, largest, &s->groups[i]);
	free(largest);
}

void summary_sort_by_cum(struct summary *s)
{
	table_sort(s->functions, s->n_functions, by_cum);
}

void summary_init(struct summary *s, const struct tree *t)
{
	struct places p = { mem_zalloc(t->n_nodes * sizeof(uint32_t)),
			    mem_zalloc(t->n_nodes * sizeof(uint32_t)) };

	*s = (struct summary){ 0 };
	for (uint32_t i = 0; i < t->n_groups; i++) {
		const struct node *n = &t->nodes[t->groups[i].node];

		*table_add(s->groups, s->n_groups, s->cap_groups) = (struct group_row){
			.key = group_key(s, t, t->groups[i].node, false),
			.value = group_key(s, t, t->groups[i].node, true),
			.node = t->groups[i].node,
			.name = n->name,
			.top = "",
			.weight = n->total,
			.samples = n->samples,
			.goroutines = t->groups[i].goroutines,
		};
	}
	functions_add_up(s, t, &p);
	groups_find_top(s, t, &p);
	groups_find_members(s, t);
	groups_find_paths(s, t);
	table_sort(s->groups, s->n_groups, by_weight);
	table_sort(s->functions, s->n_functions, by_flat);
	free(p.function);
	free(p.group);
}

void summary_release(struct summary *s)
{
	free(s->groups);
	free(s->functions);
	free(s->members);
	arena_release(&s->arena);
	*s = (struct summary){ 0 };
}
