/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/calltree.h"

#include <stdlib.h>
#include <string.h>

#include "output/cells.h"
#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum { MAX_INDENT = 60 };

/* Writing. */

struct writing {
	struct cells *c;
	const struct tree *t;
	double least; /* weight */
	uint32_t *children,
		*first; /* those of node i are children[first[i]…first[i + 1]) */
};

static const struct tree *sorted; /* for by_total() */

static int by_total(const void *a, const void *b)
{
	const struct node *x = &sorted->nodes[*(const uint32_t *)a],
			  *y = &sorted->nodes[*(const uint32_t *)b];

	return descending(x->total, y->total) ?: strcmp(x->name, y->name);
}

static void find_children(struct writing *w)
{
	const struct tree *t = w->t;
	uint32_t n = 0, *next = mem_zalloc((t->n_nodes + 1) * sizeof(*next));

	w->first = mem_zalloc((t->n_nodes + 1) * sizeof(*w->first));
	w->children = mem_zalloc(t->n_nodes * sizeof(*w->children));
	for (uint32_t i = 1; i < t->n_nodes; i++)
		w->first[t->nodes[i].parent]++;
	for (uint32_t i = 0; i <= t->n_nodes; i++) {
		uint32_t count = w->first[i];

		w->first[i] = next[i] = n;
		n += count;
	}
	for (uint32_t i = 1; i < t->n_nodes; i++)
		w->children[next[t->nodes[i].parent]++] = i;
	free(next);
	sorted = t;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		if (w->first[i + 1] > w->first[i] + 1)
			qsort(w->children + w->first[i], w->first[i + 1] - w->first[i],
			      sizeof(*w->children), by_total);
}

/* branch: others are called from the same place. */
static void write_node(struct writing *w, uint32_t id, uint32_t indent, bool branch)
{
	const struct node *n = &w->t->nodes[id];
	struct buf name = { 0 };
	const char *style = n->type == NODE_GROUP ? STYLE_BOLD : style_of(n->origin);

	cell_weight(w->c, n->total);
	cell_share(w->c, n->total);
	cell_weight(w->c, n->self);
	buf_printf(&w->c->line, "%*s", (int)at_most(indent, MAX_INDENT), "");
	buf_str(&name, branch ? "- " : "");
	buf_str(&name, n->name);
	buf_str(&name, n->kind == FRAME_KERNEL ? "_[k]" : "");
	text_fit(&w->c->line, buf_text(&name), line_left(w->c));
	line_end(w->c, style);
	buf_release(&name);
}

/* Children that are large enough: they come first. */
static uint32_t count_large(const struct writing *w, uint32_t node)
{
	uint32_t n = 0, max = w->first[node + 1] - w->first[node];

	while (n < max &&
	       (double)w->t->nodes[w->children[w->first[node] + n]].total >= w->least)
		n++;
	return n;
}

/* A line of its own depth begins with "- " where there are several; below it is what it
 * calls. No recursion: stacks are up to MAX_STACK_FRAMES deep. */
static void write_below(struct writing *w, uint32_t top)
{
	struct {
		uint32_t node, indent, next, n;
	} *stack = NULL, *s;
	uint32_t n = 0, cap = 0;

	s = table_add(stack, n, cap);
	s->node = top;
	s->n = count_large(w, top);
	while (n) {
		uint32_t child, indent;
		bool group, branch;

		s = &stack[n - 1];
		indent = s->indent;
		if (s->next == s->n) {
			n--;
			continue;
		}
		child = w->children[w->first[s->node] + s->next++];
		group = w->t->nodes[child].type == NODE_GROUP;
		branch = s->n > 1 && !group;
		write_node(w, child, indent, branch);
		s = table_add(stack, n, cap);
		s->node = child;
		s->n = count_large(w, child);
		s->indent = indent + (branch || group ? 2 : 0);
	}
	free(stack);
}

void calltree_write(struct cells *c, const struct tree *t, uint32_t node, double min_share)
{
	struct writing w = { .c = c, .t = t };

	w.least = min_share / 100 * (double)c->total;
	find_children(&w);
	buf_str(&c->line, "    total    share       self  call");
	line_end(c, STYLE_BOLD);
	if (node)
		write_node(&w, node, 0, false);
	write_below(&w, node);
	line_end(c, NULL);
	free(w.children);
	free(w.first);
}

/* Callers. */

static bool is_wanted(const char *name, const char *func)
{
	size_t n = strlen(name), len = strlen(func);
	const char *end = name + n - len;

	return n >= len && !strcmp(end, func) &&
	       (end == name || end[-1] == '.' || end[-1] == '/');
}

struct callers {
	struct tree *t;
	struct pairs children; /* parent, name */
};

static uint32_t add_caller(struct callers *b, const struct view *v, uint32_t parent,
			   uint32_t frame, const struct event *e)
{
	const struct frame *f = view_frame(v, frame);
	struct tree *t = b->t;
	struct buf name = { 0 };
	uint32_t name_id, id;

	view_frame_name(v, frame, &name);
	name_id = strtab_add(t->names, buf_text(&name));
	buf_release(&name);
	id = pairs_add(&b->children, (uint64_t)parent << 32 | name_id,
		       f->kind == FRAME_KERNEL) +
	     1;
	if (id == t->n_nodes)
		*table_add(t->nodes, t->n_nodes, t->cap_nodes) = (struct node){
			.name = strtab_get(t->names, name_id),
			.parent = parent,
			.type = NODE_FRAME,
			.kind = f->kind,
			.origin = (uint8_t)origin_of(v->profile, f),
		};
	t->nodes[id].total += e->weight;
	t->nodes[id].samples++;
	return id;
}

/* For each frame: its name is the wanted one. */
static bool *find_wanted(const struct view *v, const char *func)
{
	uint32_t n = v->profile->n_frames + SIGPROF_MAX;
	bool *wanted = mem_zalloc(n * sizeof(*wanted));
	struct buf name = { 0 };

	for (uint32_t i = 1; i < n; i++) {
		name.len = 0;
		view_frame_name(v, i, &name);
		wanted[i] = is_wanted(buf_text(&name), func);
	}
	buf_release(&name);
	return wanted;
}

struct tree *callers_tree(const struct view *v, const char *func)
{
	struct callers b = { .t = mem_zalloc(sizeof(*b.t)) };
	struct stacks stacks = { .view = v };
	bool *wanted = find_wanted(v, func);

	b.t->names = strtab_new();
	(void)table_add(b.t->nodes, b.t->n_nodes, b.t->cap_nodes);
	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *e = &v->profile->events[v->events[i]];
		uint32_t at = stacks_add(&stacks, e), node = 0;

		while (at && !wanted[stacks.rows[at].frame])
			at = stacks.rows[at].parent;
		for (; at; at = stacks.rows[at].parent)
			node = add_caller(&b, v, node, stacks.rows[at].frame, e);
	}
	pairs_release(&b.children);
	stacks_release(&stacks);
	free(wanted);
	if (b.t->n_nodes > 1)
		return b.t;
	tree_free(b.t);
	return NULL;
}
