/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/flame_lines.h"

#include <stdlib.h>
#include <string.h>

#include "output/palette.h"
#include "output/spans.h"
#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum { NAME_MIN = 3 /* columns: less of a name says nothing */ };

/* The children of all nodes: those of node i are rows[first[i]…first[i + 1]), by name. */
struct children {
	uint32_t *rows, *first;
};

static int by_name(const void *a, const void *b, void *nodes)
{
	const struct node *x = (const struct node *)nodes + *(const uint32_t *)a,
			  *y = (const struct node *)nodes + *(const uint32_t *)b;

	return strcmp(x->name, y->name) ?: ascending(x->kind, y->kind) ?: ascending(x, y);
}

static struct children children_of(const struct tree *t)
{
	struct children c = {
		.rows = mem_zalloc(t->n_nodes * sizeof(*c.rows)),
		.first = mem_zalloc((t->n_nodes + 2) * sizeof(*c.first)),
	};

	/* first[i + 1] is where the next child of i goes, in the end where they end */
	for (uint32_t i = 1; i < t->n_nodes; i++)
		c.first[t->nodes[i].parent + 2]++;
	for (uint32_t i = 2; i < t->n_nodes + 2; i++)
		c.first[i] += c.first[i - 1];
	for (uint32_t i = 1; i < t->n_nodes; i++)
		c.rows[c.first[t->nodes[i].parent + 1]++] = i;
	return c;
}

static void add_box(struct flame *f, uint32_t node, uint32_t parent, uint32_t column,
		    uint32_t columns)
{
	struct flame_box *b = table_add(f->boxes, f->n, f->cap);

	b->node = node;
	b->parent = parent;
	b->column = column;
	b->columns = columns;
	b->depth = f->n == 1 ? 0 : f->boxes[parent].depth + 1;
	f->depth = b->depth + 1;
}

/* The node's ancestors and itself, each as wide as the graph. */
static void add_trunk(struct flame *f, const struct tree *t, uint32_t node, uint32_t width)
{
	uint32_t path[MAX_STACK_FRAMES + MAX_GROUP_KEYS + 2], n = 0;

	for (; node; node = t->nodes[node].parent)
		path[n++] = node;
	add_box(f, 0, 0, 0, width);
	while (n--)
		add_box(f, path[n], f->n - 1, 0, width);
}

/* Edges are where the shares are, rounded: boxes meet, and none is beyond its parent. */
static void add_children(struct flame *f, const struct tree *t, const struct children *c,
			 uint32_t box)
{
	const struct flame_box b = f->boxes[box];
	uint32_t first = c->first[b.node], end = c->first[b.node + 1];
	uint64_t total = t->nodes[b.node].total, sum = 0;

	if (end - first > 1)
		qsort_r(c->rows + first, end - first, sizeof(*c->rows), by_name, t->nodes);
	for (uint32_t i = first; i < end && total; i++) {
		uint64_t weight = t->nodes[c->rows[i]].total;
		uint32_t from = (uint32_t)((double)sum / (double)total * b.columns + 0.5),
			 to = (uint32_t)((double)(sum + weight) / (double)total *
						 b.columns +
					 0.5);

		sum += weight;
		if (to > from)
			add_box(f, c->rows[i], box, b.column + from, to - from);
	}
}

void flame_init(struct flame *f, struct view *v, uint32_t node, uint32_t width)
{
	const struct tree *t = view_tree(v);
	struct children c;
	uint32_t box;

	*f = (struct flame){ 0 };
	if (!t || !width)
		return;
	c = children_of(t);
	add_trunk(f, t, node, width);
	for (box = f->n - 1; box < f->n; box++)
		add_children(f, t, &c, box);
	free(c.rows);
	free(c.first);
}

void flame_release(struct flame *f)
{
	free(f->boxes);
	*f = (struct flame){ 0 };
}

static enum ink ink_of(struct view *v, const struct node *n)
{
	return n->type == NODE_FRAME ? INK_BOX + palette_of(v, n->frame) : INK_GROUP;
}

/* The name as much of it as fits: without its package rather than cut. */
static uint32_t put_name(struct buf *to, const struct tree *t, const struct node *n,
			 uint32_t max)
{
	bool group = n->type == NODE_GROUP;
	const char *name = group ? node_value(t, n) : n->name;
	size_t len = group ? 0 : origin_package_len(name);

	if (max < NAME_MIN)
		return 0;
	if (len && name[len] && text_columns(name) > max)
		name += len + 1;
	return text_fit(to, name, max);
}

/* A box begins with a line, so that it has an edge without colours too. */
static void put_box(struct view *v, const struct flame_box *b, bool chosen,
		    struct spans *to)
{
	const struct tree *t = view_tree(v);
	const struct node *n = &t->nodes[b->node];
	enum ink ink = chosen ? INK_CHOSEN : ink_of(v, n);
	struct buf text = { 0 };
	uint32_t taken = 1;

	buf_str(&text, "▏");
	if (b->node)
		taken += put_name(&text, t, n, b->columns - 1);
	else if (b->columns > NAME_MIN)
		taken += text_fit(&text, "all", b->columns - 1);
	for (; taken < b->columns; taken++)
		buf_u8(&text, ' ');
	spans_to(to, b->column);
	spans_fit(to, ink, buf_text(&text), b->columns);
	buf_release(&text);
}

void flame_lines(const struct flame *f, struct view *v, uint32_t first, uint32_t rows,
		 uint32_t chosen, struct spans *to)
{
	uint32_t depth = first, i = 0;

	for (; i < f->n && f->boxes[i].depth < first; i++)
		;
	for (; depth < first + rows && depth < f->depth; depth++) {
		for (; i < f->n && f->boxes[i].depth == depth; i++)
			put_box(v, &f->boxes[i], i == chosen, to);
		spans_end(to);
	}
}
