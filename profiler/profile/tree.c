/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a tree is built, in O(events + nodes):
 *
 * 1. Each group of groups.h gets a node.
 * 2. Events are sorted by group, so that the rest works on one group at a time and stays in
 *    the CPU's caches: a table says for each call which node it has in this group. An event
 *    climbs from its call to the first caller that has a node, then adds the missing nodes
 *    on the way down; no call is passed twice.
 * 3. One loop from the last node to the first adds up the subtrees.
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
#include "profiler/profile/view.h"

/* The node of a call in one group; not valid in other groups. */
struct place {
	uint32_t group; /* its node, + 1 */
	uint32_t node;
};

struct builder {
	struct tree *t;
	const struct profile *p;
	const struct view *v;
	struct groups groups;    /* a row has the node with its number */
	struct pairs goroutines; /* process, goid */
	struct pairs members;    /* group, id in goroutines */
	/* (parent, name), (type, kind, inlined): all groups, then the frames of one group,
	 * whose id 0 is the node first_child */
	struct pairs children;
	uint32_t first_child;
	uint32_t *frame_name;            /* per frame: id in t->names; 0: not made yet */
	struct place *places;            /* per call */
	uint32_t path[MAX_STACK_FRAMES]; /* of calls, leaf first */
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

static uint32_t add_node(struct builder *b, uint32_t parent, uint32_t name,
			 enum node_type type, uint8_t kind, uint8_t inlined)
{
	struct tree *t = b->t;
	uint32_t id;

	if (b->full)
		return parent;
	id = pairs_add(&b->children, (uint64_t)parent << 32 | name,
		       (uint64_t)type << 16 | kind << 8 | inlined);
	id += b->first_child;
	b->full = b->p->tree_max && t->n_nodes * sizeof(*t->nodes) +
						    t->n_groups * sizeof(*t->groups) +
						    t->n_members * sizeof(*t->members) +
						    b->children.n * PAIR_BYTES >
					    b->p->tree_max;
	if (id == t->n_nodes)
		*table_add(t->nodes, t->n_nodes, t->cap_nodes) = (struct node){
			.name = strtab_get(t->names, name),
			.file = "",
			.module = "",
			.value = "",
			.parent = parent,
			.type = (uint8_t)type,
			.kind = kind,
			.inlined = inlined,
		};
	return id;
}

static uint32_t add_frame_node(struct builder *b, uint32_t parent, uint32_t frame)
{
	const struct profile *p = b->p;
	const struct frame *f = view_frame(b->v, frame);
	uint32_t n = b->t->n_nodes, id;

	if (!b->frame_name[frame]) {
		view_frame_name(b->v, frame, &b->text);
		b->frame_name[frame] = text_name(b);
	}
	id = add_node(b, parent, b->frame_name[frame], NODE_FRAME, f->kind, f->inlined);
	if (id == n) {
		b->t->nodes[id].file = profile_string(p, f->file);
		b->t->nodes[id].module = profile_string(p, p->modules[f->module].path);
		b->t->nodes[id].start_line = f->start_line;
		b->t->nodes[id].frame = frame;
		b->t->nodes[id].origin = (uint8_t)origin_of(p, f);
	}
	return id;
}

/* parent: the node of the call's caller. */
static uint32_t add_call_node(struct builder *b, uint32_t parent, uint32_t call)
{
	uint32_t frames[2];
	int n = view_call(b->v, call, frames);

	for (int i = 0; i < n; i++)
		parent = add_frame_node(b, parent, frames[i]);
	return parent;
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
	struct tree *t = b->t;

	for (uint32_t i = 1; i < b->groups.n && !b->full; i++) {
		const struct group_level *l = &b->groups.rows[i];

		add_node(b, l->parent, l->name, NODE_GROUP, 0, 0);
		t->nodes[i].value = strtab_get(t->names, l->value);
		t->nodes[i].level = l->level;
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
	uint32_t *events; /* rows of the profile */
	uint32_t *ends;   /* those of group i end at ends[i] */
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
		ret.events[ret.ends[of[i]]++] = v->events[i];
	free(of);
	return ret;
}

static uint32_t call_node(struct builder *b, uint32_t group, uint32_t call)
{
	uint32_t n = 0, node = group;

	for (; call; call = b->p->calls[call].parent) {
		if (b->places[call].group == group + 1) {
			node = b->places[call].node;
			break;
		}
		b->path[n++] = call;
	}
	while (n--) {
		node = add_call_node(b, node, b->path[n]);
		b->places[b->path[n]] = (struct place){ group + 1, node };
	}
	return node;
}

static uint32_t sigprof_node(struct builder *b, uint32_t group, const struct event *e)
{
	uint32_t frames[SIGPROF_CAP], n = view_stack(b->v, e, frames), node = group;

	while (n--)
		node = add_frame_node(b, node, frames[n]);
	return node;
}

static void add_group_events(struct builder *b, uint32_t group, const uint32_t *ids,
			     uint32_t n)
{
	struct tree *t = b->t;

	pairs_release(&b->children);
	b->first_child = t->n_nodes;
	for (uint32_t i = 0; i < n && !b->full; i++) {
		const struct event *e = &b->p->events[ids[i]];
		uint32_t node = b->v->as_pprof ? sigprof_node(b, group, e)
					       : call_node(b, group, e->call);

		t->nodes[node].self += e->weight;
		t->nodes[node].self_samples++;
		if (t->leaves)
			t->leaves[ids[i]] = node;
		if (group)
			add_to_group(b, t->nodes[group].group - 1, e);
	}
}

static void add_events(struct builder *b)
{
	struct sorted s = sort_events(b);
	uint32_t first = 0;

	add_group_nodes(b);
	for (uint32_t i = 0; i < b->groups.n && !b->full; first = s.ends[i++]) {
		if (s.ends[i] == first)
			continue;
		add_innermost(b->t, i);
		add_group_events(b, i, s.events + first, s.ends[i] - first);
	}
	free(s.events);
	free(s.ends);
}

static void add_up(struct tree *t)
{
	for (uint32_t i = t->n_nodes; i--;) {
		struct node *n = &t->nodes[i], *parent = &t->nodes[n->parent];

		n->total += n->self;
		n->samples += n->self_samples;
		if (i) {
			parent->total += n->total;
			parent->samples += n->samples;
		}
	}
}

static void builder_release(struct builder *b)
{
	pairs_release(&b->children);
	groups_release(&b->groups);
	pairs_release(&b->goroutines);
	pairs_release(&b->members);
	free(b->frame_name);
	free(b->places);
	buf_release(&b->text);
	free(b);
}

struct tree *tree_build(const struct view *v)
{
	const struct profile *p = v->profile;
	struct builder *b = mem_zalloc(sizeof(*b));
	struct tree *t = mem_zalloc(sizeof(*t));

	*b = (struct builder){ .t = t, .p = p, .v = v };
	t->names = strtab_new();
	if (v->keep_leaves)
		t->leaves = mem_zalloc(p->n_events * sizeof(*t->leaves));
	b->frame_name = mem_zalloc((p->n_frames + SIGPROF_MAX) * sizeof(*b->frame_name));
	b->places = mem_zalloc(p->n_calls * sizeof(*b->places));
	b->groups = (struct groups){ .view = v, .names = t->names };
	add_node(b, 0, 0, NODE_ROOT, 0, 0);
	add_events(b);
	add_up(t);
	if (b->full) {
		tree_free(t);
		t = NULL;
	}
	builder_release(b);
	return t;
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
