/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folded stacks: "root;caller;callee COUNT", the format of flamegraph.pl. Each node that is
 * the leaf of samples is a line, in the order of the nodes, which is that of their first
 * samples; COUNT is the number of samples, or their weight for a kind of event without a
 * period, whose events differ. Names keep their spaces, since readers take the last number
 * of a line.
 */
#include <errno.h>
#include <stdlib.h>

#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* Nodes from a leaf up to the root's child. */
struct path {
	uint32_t *nodes; /* owned */
	uint32_t n, cap;
};

static void line_add(struct buf *b, const struct tree *t, uint32_t leaf, struct path *path,
		     bool annotate, bool weights)
{
	path->n = 0;
	for (uint32_t i = leaf; i; i = t->nodes[i].parent)
		*table_add(path->nodes, path->n, path->cap) = i;
	if (!path->n)
		text_frame(b, "");
	for (uint32_t i = path->n; i--;) {
		const struct node *n = &t->nodes[path->nodes[i]];

		text_frame(b, n->name);
		if (n->kind == FRAME_KERNEL)
			buf_str(b, "_[k]");
		else if (n->inlined && annotate)
			buf_str(b, "_[i]");
		if (i)
			buf_u8(b, ';');
	}
	buf_printf(b, " %llu\n",
		   (unsigned long long)(weights ? t->nodes[leaf].self
						: t->nodes[leaf].self_samples));
}

static int folded_write(struct view *v, const struct writer_options *o, FILE *out)
{
	struct path path = { 0 };
	struct buf line = { 0 };
	const struct tree *t = view_tree(v);

	for (uint32_t i = 0; t && i < t->n_nodes; i++) {
		if (!t->nodes[i].self_samples)
			continue;
		line.len = 0;
		line_add(&line, t, i, &path, o->annotate,
			 !v->profile->kinds[v->kind].period);
		if (fwrite(line.data, 1, line.len, out) != line.len)
			break;
	}
	buf_release(&line);
	free(path.nodes);
	return t ? 0 : -E2BIG;
}

const struct writer folded_writer = {
	.name = "folded",
	.ending = ".folded",
	.help = "one line per stack, for flamegraph.pl and similar tools",
	.write = folded_write,
};
