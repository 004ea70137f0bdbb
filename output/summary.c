/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/summary.h"

#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/index.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* For each node: the row of its function, or NONE; the row of its group + 1, or 0. */
struct places {
	uint32_t *function, *group;
};

struct lookup {
	const struct summary *s;
	const struct node *node;
};

/* The weight of a function's own in a group. */
struct share {
	uint32_t group, function;
	uint64_t weight;
};

#define NONE INDEX_NONE

static bool is_function(const void *arg, uint32_t id)
{
	const struct lookup *l = arg;
	const struct function_row *f = &l->s->functions[id];

	return f->kernel == (l->node->kind == FRAME_KERNEL) &&
	       !strcmp(f->symbol, l->node->name);
}

static uint32_t function_find(struct summary *s, struct index *ix, const struct node *n)
{
	bool kernel = n->kind == FRAME_KERNEL;
	uint64_t hash = hash_pair(hash_bytes(n->name, strlen(n->name)), kernel);
	uint32_t id = index_find(ix, hash, is_function, &(struct lookup){ s, n });
	struct function_row *f;

	if (id == NONE) {
		id = s->n_functions;
		f = table_add(s->functions, s->n_functions, s->cap_functions);
		*f = (struct function_row){ .symbol = n->name,
					    .kernel = kernel,
					    .file = "" };
		f->name = kernel ? arena_printf(&s->arena, "%s_[k]", n->name) : n->name;
		index_add(ix, hash, id);
	}
	if (!*s->functions[id].file && n->file)
		s->functions[id].file = n->file;
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
	struct index ix = { 0 };

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct node *n = &t->nodes[i];
		struct function_row *f;

		p->group[i] = n->group ? n->group : p->group[n->parent];
		p->function[i] = NONE;
		if (n->type != NODE_FRAME)
			continue;
		p->function[i] = function_find(s, &ix, n);
		f = &s->functions[p->function[i]];
		f->flat += n->self;
		f->flat_samples += n->self_samples;
		if (is_outermost(t, p, i)) {
			f->cum += n->total;
			f->cum_samples += n->samples;
		}
	}
	index_release(&ix);
}

static int by_place(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

/* Groups and functions must not be sorted yet: the places are their rows. */
static void groups_find_top(struct summary *s, const struct tree *t, const struct places *p)
{
	struct share *shares = NULL;
	uint32_t n = 0, cap = 0;
	uint64_t sum = 0, most = 0;

	for (uint32_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].self && p->group[i] && p->function[i] != NONE)
			*table_add(shares, n, cap) = (struct share){ p->group[i] - 1,
								     p->function[i],
								     t->nodes[i].self };
	if (n)
		qsort(shares, n, sizeof(*shares), by_place);
	for (uint32_t i = 0; i < n; i++) {
		const struct share *x = &shares[i];

		if (!i || x->group != x[-1].group)
			most = sum = 0;
		else if (x->function != x[-1].function)
			sum = 0;
		sum += x->weight;
		if (sum > most) {
			most = sum;
			s->groups[x->group].top = s->functions[x->function].name;
		}
	}
	free(shares);
}

static const char *group_key(struct summary *s, const struct tree *t, uint32_t node)
{
	uint32_t path[MAX_GROUP_KEYS + 2], n = 0;
	struct buf key = { 0 };
	const char *ret;

	for (; node && n < MAX_GROUP_KEYS + 2; node = t->nodes[node].parent)
		path[n++] = node;
	while (n--) {
		text_frame(&key, t->nodes[path[n]].name);
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

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int by_flat(const void *a, const void *b)
{
	const struct function_row *x = a, *y = b;

	if (x->flat != y->flat)
		return x->flat > y->flat ? -1 : 1;
	if (x->cum != y->cum)
		return x->cum > y->cum ? -1 : 1;
	return strcmp(x->name, y->name);
}

void summary_init(struct summary *s, const struct tree *t)
{
	struct places p = { mem_zalloc(t->n_nodes * sizeof(uint32_t)),
			    mem_zalloc(t->n_nodes * sizeof(uint32_t)) };

	*s = (struct summary){ 0 };
	for (uint32_t i = 0; i < t->n_groups; i++) {
		const struct node *n = &t->nodes[t->groups[i].node];

		*table_add(s->groups, s->n_groups, s->cap_groups) = (struct group_row){
			.key = group_key(s, t, t->groups[i].node),
			.name = n->name,
			.top = "",
			.weight = n->total,
			.samples = n->samples,
			.goroutines = t->groups[i].goroutines,
		};
	}
	functions_add_up(s, t, &p);
	groups_find_top(s, t, &p);
	if (s->n_groups)
		qsort(s->groups, s->n_groups, sizeof(*s->groups), by_weight);
	if (s->n_functions)
		qsort(s->functions, s->n_functions, sizeof(*s->functions), by_flat);
	free(p.function);
	free(p.group);
}

void summary_release(struct summary *s)
{
	free(s->groups);
	free(s->functions);
	arena_release(&s->arena);
	*s = (struct summary){ 0 };
}
