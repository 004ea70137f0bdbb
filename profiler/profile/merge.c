/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/merge.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/tree.h"

static uint32_t node_get(struct merged *m, struct pairs *set, uint32_t parent,
			 const struct tree *t, const struct node *n)
{
	uint32_t name = strtab_add(m->names, n->name);
	uint32_t id = pairs_add(set, (uint64_t)parent << 32 | name,
				(uint64_t)n->type << 8 | n->kind);

	if (id == m->n_nodes)
		*table_add(m->nodes, m->n_nodes, m->cap_nodes) = (struct merged_node){
			.name = strtab_get(m->names, name),
			.value = node_value(t, n),
			.file = node_file(t, n),
			.parent = parent,
			.type = n->type,
			.kind = n->kind,
		};
	return id;
}

static void tree_add(struct merged *m, struct pairs *set, const struct tree *t, int side)
{
	m->of[side] = mem_zalloc(t->n_nodes * sizeof(*m->of[side]));
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct node *n = &t->nodes[i];
		uint32_t id = node_get(m, set, m->of[side][n->parent], t, n);
		struct merged_node *to = &m->nodes[id];

		m->of[side][i] = id;
		to->self[side] += n->self;
		to->self_samples[side] += n->self_samples;
		if (!n->group)
			continue;
		to->is_group = true;
		to->goroutines[side] += t->groups[n->group - 1].goroutines;
	}
}

void merge_trees(struct merged *m, const struct tree *old, const struct tree *new)
{
	struct pairs set = { 0 };

	*m = (struct merged){ .names = strtab_new() };
	tree_add(m, &set, old, 0);
	tree_add(m, &set, new, 1);
	pairs_release(&set);
}

void merged_release(struct merged *m)
{
	free(m->nodes);
	free(m->of[0]);
	free(m->of[1]);
	if (m->names)
		strtab_free(m->names);
	*m = (struct merged){ 0 };
}
