/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph as one SVG file, which shows without a script what fits, and with svg.js,
 * when a browser opens the file itself, zooms and searches. The root is at the top; the
 * width of a box is its share, and its callees are below it, largest first. Boxes that are
 * too narrow to be seen are left out, and counted below the graph.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/cells.h"
#include "output/palette.h"
#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"
#include "svg_assets.h"

enum {
	WIDTH = 1200,
	SIDE = 10,   /* left and right of the graph */
	ROW = 18,    /* the height of a box, and 1 between boxes */
	TOP = 64,    /* for the title and the colours */
	BOTTOM = 34, /* for the box that is pointed at */
	PAD = 3,     /* left and right of a name */
	MIN_CHARS = 5,
};

/* svg.js has the same widths of boxes and characters. */
static const double MIN_WIDTH = 0.1, CHAR_WIDTH = 7.25;

/* A node that is drawn. */
struct box {
	uint32_t node, depth;
	double x, width;
};

struct graph {
	const struct view *view;
	const struct tree *tree;
	struct box *boxes; /* parents first, callees of one caller by size */
	uint32_t n_boxes, n_narrow, depth;
	double scale;          /* px per unit of weight */
	bool has[PALETTE_MAX]; /* colours */
	struct buf text;
	FILE *out;
};

static double width_of(const struct graph *g, uint32_t node)
{
	return (double)g->tree->nodes[node].total * g->scale;
}

static int by_parent_and_size(const void *a, const void *b, void *arg)
{
	const struct node *nodes = arg;
	uint32_t i = ((const struct box *)a)->node, k = ((const struct box *)b)->node;

	return ascending(nodes[i].parent, nodes[k].parent) ?: descending(nodes[i].total, nodes[k].total) ?: ascending(i, k);
}

static void choose_boxes(struct graph *g)
{
	const struct tree *t = g->tree;
	uint32_t cap = 0;

	g->scale = (WIDTH - 2 * SIDE) / (double)(t->nodes[0].total + !t->nodes[0].total);
	g->n_narrow = t->n_narrow;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		if (i && width_of(g, i) < MIN_WIDTH)
			g->n_narrow++;
		else
			*table_add(g->boxes, g->n_boxes, cap) =
				(struct box){ .node = i, .width = width_of(g, i) };
	}
	qsort_r(g->boxes, g->n_boxes, sizeof(*g->boxes), by_parent_and_size, t->nodes);
}

/* Where each box is. A caller is as wide as its callees, so its own place is known. */
static void place_boxes(struct graph *g)
{
	struct place {
		double next; /* x of the next callee */
		uint32_t depth;
	} *places = mem_zalloc(g->tree->n_nodes * sizeof(*places));

	for (uint32_t i = 0; i < g->n_boxes; i++) {
		struct box *b = &g->boxes[i];
		struct place *parent = &places[g->tree->nodes[b->node].parent];

		b->x = b->node ? parent->next : SIDE;
		b->depth = b->node ? parent->depth + 1 : 0;
		parent->next += b->width;
		places[b->node] = (struct place){ b->x, b->depth };
		if (b->depth > g->depth)
			g->depth = b->depth;
		if (g->tree->nodes[b->node].type == NODE_FRAME)
			g->has[palette_of(g->view, g->tree->nodes[b->node].frame)] = true;
	}
	free(places);
}

static void xml_add(struct buf *b, const char *s)
{
	while (*s) {
		uint32_t code = plain_next(&s);

		if (code == '<' || code == '>' || code == '&' || code == '"')
			buf_printf(b, "&#%u;", code);
		else
			plain_put(b, code);
	}
}

static const char *name_of(const struct graph *g, uint32_t node)
{
	const char *name = g->tree->nodes[node].name;

	return !node ? "all" : *name ? name : "[unknown]";
}

/* Is this the end of a closure's name, "func2.1", which says nothing by itself? */
static bool is_closure(const char *name)
{
	return isdigit((unsigned char)*name) ||
	       (!strncmp(name, "func", 4) && isdigit((unsigned char)name[4]));
}

/* "github.com/a/b.(*T).F[…]" is "F[…]"; "a.F.func1.1" is "F.func1.1". */
static const char *method_of(const char *name)
{
	const char *ret = strchr(name, '['), *dot;

	ret = ret ? ret : name + strlen(name);
	do {
		dot = memrchr(name, '.', (size_t)(ret - name));
		ret = dot;
	} while (dot && is_closure(dot + 1));
	return dot && dot[1] ? dot + 1 : name;
}

/* What of the name fits: all, or all but the package's path, or the method. */
static void label_add(struct graph *g, const struct box *b, struct buf *to)
{
	const struct node *n = &g->tree->nodes[b->node];
	const char *name = name_of(g, b->node), *slash = strrchr(name, '/');
	double room = (b->width - 2 * PAD) / CHAR_WIDTH;
	uint32_t max = room > 0 ? (uint32_t)room : 0;
	struct buf fit = { 0 };

	if (max < MIN_CHARS)
		return;
	if (n->type == NODE_FRAME && text_columns(name) > max && slash &&
	    !strchr(name, '['))
		name = slash + 1;
	if (n->type == NODE_FRAME && text_columns(name) > max)
		name = method_of(name);
	text_fit(&fit, name, max);
	xml_add(to, buf_text(&fit));
	buf_release(&fit);
}

static void numbers_add(struct graph *g, const struct node *n, struct buf *b)
{
	buf_printf(b, "%.1f%% · ", 100 * share_of(n->total, g->tree->nodes[0].total));
	weight_add(b, profile_is_time(g->view->profile, g->view->kind), n->total);
	buf_str(b, " · ");
	text_count_of(b, n->samples, "sample");
}

/* Of svg.css. */
static const char *const classes[PALETTE_MAX] = {
	"own",    "library", "standard", "runtime", "gc",
	"kernel", "native",  "vdso",     "unnamed",
};

static const char *class_of(const struct graph *g, uint32_t node)
{
	const struct node *n = &g->tree->nodes[node];

	return n->type == NODE_FRAME ? classes[palette_of(g->view, n->frame)] : "group";
}

static void flush(struct graph *g)
{
	buf_write(&g->text, g->out);
}

static void write_box(struct graph *g, const struct box *b)
{
	const struct node *n = &g->tree->nodes[b->node];
	const char *file = node_file(g->tree, n);
	uint32_t start_line = node_frame(g->tree, n)->start_line;
	uint32_t y = TOP + b->depth * ROW;
	struct buf *to = &g->text;

	buf_printf(to, "<g class=\"%s\"><title>", class_of(g, b->node));
	xml_add(to, name_of(g, b->node));
	buf_u8(to, '\n');
	numbers_add(g, n, to);
	if (*file) {
		buf_u8(to, '\n');
		xml_add(to, file);
		if (start_line)
			buf_printf(to, ":%u", start_line);
	}
	buf_printf(to, "</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\"/>",
		   b->x, y, b->width, ROW - 1);
	buf_printf(to, "<text x=\"%.2f\" y=\"%u\">", b->x + PAD, y + ROW - 6);
	label_add(g, b, to);
	buf_str(to, "</text></g>\n");
	flush(g);
}

/* A square and a word for each colour that is there. */
static void write_colours(struct graph *g)
{
	int x = SIDE;

	for (int i = 0; i < PALETTE_MAX; i++) {
		if (!g->has[i])
			continue;
		buf_printf(&g->text,
			   "<g class=\"%s\"><rect x=\"%d\" y=\"44\" width=\"10\" "
			   "height=\"10\"/></g><text x=\"%d\" y=\"53\">%s</text>\n",
			   classes[i], x, x + 14, palette_names[i]);
		x += 14 + 20 + (int)(text_columns(palette_names[i]) * CHAR_WIDTH);
	}
}

static void write_head(struct graph *g)
{
	uint32_t bottom = TOP + (g->depth + 1) * ROW;
	struct buf *to = &g->text;

	buf_printf(to,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		   "viewBox=\"0 0 %d %u\" role=\"img\">\n<style>",
		   WIDTH, bottom + BOTTOM, WIDTH, bottom + BOTTOM);
	buf_add(to, svg_css, svg_css_len);
	buf_str(to, "</style>\n<rect id=\"paper\" width=\"100%\" height=\"100%\"/>\n"
		    "<text id=\"title\" x=\"10\" y=\"26\">");
	xml_add(to, g->view->title);
	buf_printf(to,
		   "</text>\n<text id=\"search\" class=\"button\" x=\"%d\" y=\"26\">"
		   "search</text><text id=\"reset\" class=\"button\" x=\"%d\" y=\"26\">"
		   "reset</text>\n",
		   WIDTH - SIDE - 60, WIDTH - SIDE);
	write_colours(g);
	buf_printf(to, "<text id=\"details\" x=\"%d\" y=\"%u\">", SIDE, bottom + 21);
	numbers_add(g, &g->tree->nodes[0], to);
	if (g->n_narrow) {
		buf_str(to, " · ");
		text_count(to, g->n_narrow);
		buf_str(to, " boxes are too narrow to draw");
	}
	buf_printf(
		to,
		"</text>\n<text id=\"matched\" x=\"%d\" y=\"%u\"></text>\n<g id=\"boxes\">\n",
		WIDTH - SIDE, bottom + 21);
	flush(g);
}

/* What is certainly too narrow to draw, so that the tree need not keep it. */
static uint64_t least_weight(const struct view *v)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < v->n_events; i++)
		total += v->profile->events[v->events[i]].weight;
	return (uint64_t)(MIN_WIDTH / (WIDTH - 2 * SIDE) * (double)total);
}

static int svg_write(struct view *v, const struct writer_options *o, FILE *out)
{
	struct graph g = { .view = v, .out = out };

	(void)o;
	v->least = least_weight(v);
	g.tree = view_tree(v);
	if (!g.tree)
		return -E2BIG;
	choose_boxes(&g);
	place_boxes(&g);
	write_head(&g);
	for (uint32_t i = 0; i < g.n_boxes && !ferror(out); i++)
		write_box(&g, &g.boxes[i]);
	buf_str(&g.text, "</g>\n<script><![CDATA[");
	buf_add(&g.text, svg_js, svg_js_len);
	buf_str(&g.text, "]]></script>\n</svg>\n");
	flush(&g);
	buf_release(&g.text);
	free(g.boxes);
	return 0;
}

const struct writer svg_writer = {
	.name = "svg",
	.ending = ".svg",
	.help = "a flame graph as a picture, which browsers zoom and search",
	.by = BY_START,
	.write = svg_write,
};
