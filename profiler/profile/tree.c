/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a tree is built, in O(events + nodes):
 *
 * 1. Each group of groups.h gets a node.
 * 2. Events are sorted by group, so that the rest works on one group at a time and stays in
 *    the CPU's caches: a table says for each stack of stacks.h which node it has in this
 *    group. An event climbs from its stack to the first caller that has a node, then adds
 *    the missing nodes on the way down; no stack is passed twice. Stacks that differ in
 *    lines only have the same node.
 * 3. One loop from the group's last node to its first adds up the subtrees; nodes with less
 *    than view.least are then left out. The groups are added up at the end.
 */
#include "profiler/profile/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/groups.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

/* The node of a stack in one group; not valid in other groups. */
struct place {
	uint32_t group; /* its node, + 1 */
	uint32_t node;
};

struct builder {
	struct tree *t;
	const struct profile *p;
	const struct view *v;
	const struct tree_visitor *visitor; /* NULL: the tree keeps the frames */
	struct groups groups;               /* a row has the node with its number */
	struct pairs goroutines;            /* process, goid */
	struct pairs members;               /* group, id in goroutines */
	struct stacks stacks;
	/* The frames of one group: (parent, name), (kind, inlined). Id 0 is the node
	 * first_child. */
	struct pairs children;
	uint32_t first_child;
	uint32_t *frame_name;            /* per frame: id in t->names; 0: not made yet */
	struct place *places;            /* per stack */
	uint32_t path[MAX_STACK_FRAMES]; /* of stacks, leaf first */
	struct buf text;
	bool full; /* more memory than the profile allows: no nodes are added any more */
};

static uint32_t text_name(struct builder *b)
{
	uint32_t len = (uint32_t)b->text.len;

	b->text.len = 0;
	return len ? strtab_addn(b->t->names, (const char *)b->text.data, len) : 0;
}

/* Nodes. */

/* Returns NULL when there is no room. */
static struct node *add_node(struct builder *b, uint32_t parent, uint32_t name,
			     enum node_type type)
{
	struct tree *t = b->t;
	struct node *n;

	b->full = b->p->tree_max && t->n_nodes * sizeof(*t->nodes) +
						    t->n_groups * sizeof(*t->groups) +
						    t->n_members * sizeof(*t->members) +
						    b->children.n * PAIR_BYTES >
					    b->p->tree_max;
	if (b->full)
		return NULL;
	n = table_add(t->nodes, t->n_nodes, t->cap_nodes);
	*n = (struct node){ .name = strtab_get(t->names, name),
			    .parent = parent,
			    .type = (uint8_t)type };
	return n;
}

static uint32_t add_frame_node(struct builder *b, uint32_t parent, uint32_t frame)
{
	const struct frame *f = view_frame(b->v, frame);
	struct node *n;
	uint32_t id;

	if (!b->frame_name[frame]) {
		view_frame_name(b->v, frame, &b->text);
		b->frame_name[frame] = text_name(b);
	}
	id = b->first_child + pairs_add(&b->children,
					(uint64_t)parent << 32 | b->frame_name[frame],
					(uint64_t)f->kind << 8 | f->inlined);
	if (id < b->t->n_nodes)
		return id;
	n = add_node(b, parent, b->frame_name[frame], NODE_FRAME);
	if (!n)
		return parent;
	n->frame = frame;
	n->kind = f->kind;
	n->origin = (uint8_t)origin_of(b->p, f);
	return id;
}

/* Groups. */

static const char *go_name(struct builder *b, const struct goroutine *g, uint32_t name)
{
	view_go_name(b->v, g->process, profile_string(b->p, name), &b->text);
	return strtab_get(b->t->names, text_name(b));
}

/* Adds what a goroutine of the group is to what is known of all of them. */
static void mix_in(struct builder *b, struct group *to, uint32_t goroutine)
{
	const struct goroutine *g = &b->p->goroutines[goroutine];
	const char *start = go_name(b, g, view_runs(b->v, goroutine)),
		   *creator = go_name(b, g, g->creator);

	if (!to->goroutines++) {
		to->start = start;
		to->creator = creator;
		to->goid = g->goid;
		to->parent_goid = g->parent_goid;
		to->process = g->process;
		return;
	}
	to->goid = 0;
	/* Equal strings are one pointer; what was mixed once stays "". */
	if (to->start != start)
		to->start = "";
	if (to->creator != creator)
		to->creator = "";
	if (to->parent_goid != g->parent_goid)
		to->parent_goid = 0;
}

static void add_member(struct builder *b, uint32_t group, const struct event *e)
{
	const struct goroutine *g = &b->p->goroutines[e->goroutine];
	struct group *to = &b->t->groups[group];
	const char *labels = profile_string(b->p, g->labels);
	/* Rows that differ in labels are one goroutine. */
	uint32_t goroutine = pairs_add(&b->goroutines, g->process, g->goid);
	uint32_t id = pairs_add(&b->members, group, goroutine);

	if (!to->goroutines)
		to->labels = labels;
	else if (to->labels != labels)
		to->labels = "";
	if (id == b->t->n_members) {
		*table_add(b->t->members, b->t->n_members,
			   b->t->cap_members) = (struct member){ .group = group,
								 .process = g->process,
								 .goid = g->goid };
		mix_in(b, to, e->goroutine);
	}
	b->t->members[id].weight += e->weight;
}

static void add_to_group(struct builder *b, uint32_t group, const struct event *e)
{
	struct group *g = &b->t->groups[group];

	if (e->goroutine)
		add_member(b, group, e);
	g->first_ns = e->time_ns < g->first_ns ? e->time_ns : g->first_ns;
	g->last_ns = e->time_ns > g->last_ns ? e->time_ns : g->last_ns;
	g->locked |= (e->flags & EVENT_LOCKED) != 0;
}

static void add_group_nodes(struct builder *b)
{
	for (uint32_t i = 1; i < b->groups.n; i++) {
		const struct group_level *l = &b->groups.rows[i];
		struct node *n = add_node(b, l->parent, l->name, NODE_GROUP);

		if (!n)
			return;
		n->value = l->value;
		n->level = l->level;
	}
}

/* For a node that has events of its own. */
static void add_innermost(struct tree *t, uint32_t node)
{
	if (!node || t->nodes[node].group)
		return;
	*table_add(t->groups, t->n_groups, t->cap_groups) = (struct group){
		.node = node,
		.first_ns = UINT64_MAX,
		.start = "",
		.creator = "",
		.labels = "",
	};
	t->nodes[node].group = t->n_groups;
}

/* The view's events, sorted by their group. The caller frees the arrays. */
struct sorted {
	struct sorted_event {
		uint32_t event; /* row of the profile */
		uint32_t stack; /* row of the builder's stacks */
	} * events;
	uint32_t *ends; /* those of group i end at ends[i] */
};

static struct sorted sort_events(struct builder *b)
{
	const struct view *v = b->v;
	uint32_t *of = mem_zalloc(v->n_events * sizeof(*of)), n = 0, i;
	struct sorted ret;

	for (i = 0; i < v->n_events; i++)
		of[i] = groups_add(&b->groups, &b->p->events[v->events[i]]);
	ret.events = mem_zalloc(v->n_events * sizeof(*ret.events));
	ret.ends = mem_zalloc((b->groups.n + 1) * sizeof(*ret.ends));
	for (i = 0; i < v->n_events; i++)
		ret.ends[of[i]]++;
	for (i = 0; i < b->groups.n; i++) {
		uint32_t count = ret.ends[i];

		ret.ends[i] = n;
		n += count;
	}
	for (i = 0; i < v->n_events; i++)
		ret.events[ret.ends[of[i]]++] = (struct sorted_event){
			v->events[i],
			stacks_add(&b->stacks, &b->p->events[v->events[i]]),
		};
	free(of);
	return ret;
}

static uint32_t stack_node(struct builder *b, uint32_t group, uint32_t stack)
{
	uint32_t n = 0, node = group;

	for (; stack; stack = b->stacks.rows[stack].parent) {
		if (b->places[stack].group == group + 1) {
			node = b->places[stack].node;
			break;
		}
		b->path[n++] = stack;
	}
	while (n--) {
		node = add_frame_node(b, node, b->stacks.rows[b->path[n]].frame);
		b->places[b->path[n]] = (struct place){ group + 1, node };
	}
	return node;
}

/* Adds up the subtrees of nodes from first to end. */
static void add_up(struct tree *t, uint32_t first, uint32_t end)
{
	while (end-- > first) {
		struct node *n = &t->nodes[end], *parent = &t->nodes[n->parent];

		n->total += n->self;
		n->samples += n->self_samples;
		if (end) {
			parent->total += n->total;
			parent->samples += n->samples;
		}
	}
}

/* Of the nodes from first on, which are added up. */
static void leave_out_narrow(struct tree *t, uint32_t first, uint64_t least)
{
	uint32_t *to = mem_zalloc((t->n_nodes - first) * sizeof(*to)), n = first;

	for (uint32_t i = first; i < t->n_nodes; i++) {
		struct node *kept = &t->nodes[n];

		if (t->nodes[i].total < least) {
			t->n_narrow++;
			continue;
		}
		*kept = t->nodes[i];
		if (kept->parent >= first)
			kept->parent = to[kept->parent - first];
		to[i - first] = n++;
	}
	t->n_nodes = n;
	free(to);
}

static void add_group_events(struct builder *b, uint32_t group,
			     const struct sorted_event *events, uint32_t n)
{
	struct tree *t = b->t;

	pairs_release(&b->children);
	b->first_child = t->n_nodes;
	for (uint32_t i = 0; i < n && !b->full; i++) {
		const struct event *e = &b->p->events[events[i].event];
		uint32_t node = stack_node(b, group, events[i].stack);

		t->nodes[node].self += e->weight;
		t->nodes[node].self_samples++;
		if (t->leaves)
			t->leaves[events[i].event] = node;
		if (group)
			add_to_group(b, t->nodes[group].group - 1, e);
	}
	add_up(t, b->first_child, t->n_nodes);
	if (b->v->least)
		leave_out_narrow(t, b->first_child, b->v->least);
	if (!b->visitor || b->full)
		return;
	if (b->visitor->group)
		b->visitor->group(b->visitor->arg, t, group, b->first_child, t->n_nodes);
	t->n_nodes = b->first_child;
}

static void add_events(struct builder *b)
{
	struct sorted s = sort_events(b);
	uint32_t first = 0;

	b->places = mem_zalloc(b->stacks.n * sizeof(*b->places));
	add_group_nodes(b);
	for (uint32_t i = 0; i < b->groups.n && !b->full; first = s.ends[i++]) {
		if (s.ends[i] == first)
			continue;
		add_innermost(b->t, i);
		add_group_events(b, i, s.events + first, s.ends[i] - first);
	}
	add_up(b->t, 0, b->full ? 0 : b->groups.n);
	free(s.events);
	free(s.ends);
}

static void builder_release(struct builder *b)
{
	pairs_release(&b->children);
	groups_release(&b->groups);
	stacks_release(&b->stacks);
	pairs_release(&b->goroutines);
	pairs_release(&b->members);
	free(b->frame_name);
	free(b->places);
	buf_release(&b->text);
	free(b);
}

static struct tree *build(const struct view *v, const struct tree_visitor *visitor)
{
	const struct profile *p = v->profile;
	struct builder *b = mem_zalloc(sizeof(*b));
	struct tree *t = mem_zalloc(sizeof(*t));

	*b = (struct builder){ .t = t, .p = p, .v = v, .visitor = visitor };
	t->profile = p;
	t->names = strtab_new();
	if (v->keep_leaves)
		t->leaves = mem_zalloc(p->n_events * sizeof(*t->leaves));
	b->frame_name = mem_zalloc((p->n_frames + SIGPROF_MAX) * sizeof(*b->frame_name));
	b->stacks.view = v;
	b->groups = (struct groups){ .view = v, .names = t->names };
	add_node(b, 0, 0, NODE_ROOT);
	add_events(b);
	if (b->full) {
		tree_free(t);
		t = NULL;
	}
	builder_release(b);
	return t;
}

struct tree *tree_build(const struct view *v)
{
	return build(v, NULL);
}

struct tree *tree_build_groups(const struct view *v, struct tree_visitor visitor)
{
	return build(v, &visitor);
}

void tree_visit(const struct tree *t, struct tree_visitor visitor)
{
	uint32_t first, end, group;

	for (first = 1; first < t->n_nodes; first = end) {
		end = first + 1;
		if (t->nodes[first].type != NODE_FRAME)
			continue;
		while (end < t->n_nodes && t->nodes[end].type == NODE_FRAME)
			end++;
		for (group = first; t->nodes[group].type == NODE_FRAME;)
			group = t->nodes[group].parent;
		visitor.group(visitor.arg, t, group, first, end);
	}
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	strtab_free(t->names);
	free(t->nodes);
	free(t->groups);
	free(t->leaves);
	free(t->members);
	free(t);
}

const struct frame *node_frame(const struct tree *t, const struct node *n)
{
	static const struct frame none;

	return n->type == NODE_FRAME && n->frame < t->profile->n_frames
		       ? &t->profile->frames[n->frame]
		       : &none;
}

const char *node_file(const struct tree *t, const struct node *n)
{
	return profile_string(t->profile, node_frame(t, n)->file);
}

const char *node_value(const struct tree *t, const struct node *n)
{
	return strtab_get(t->names, n->type == NODE_GROUP ? n->value : 0);
}
