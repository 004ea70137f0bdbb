/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a tree is built, in O(events + nodes):
 *
 * 1. Each event gets the node of its innermost group. That depends only on its goroutine,
 *    thread and class, so it is looked up in a set of those seen, and names are made only
 *    for new ones.
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
#include "profiler/profile/labels.h"
#include "profiler/profile/match.h"
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
	uint32_t keys;           /* bit 1 << k: the k-th group_key is used */
	struct pairs selectors;  /* (goroutine, thread or process), class */
	uint32_t *selector_node; /* per id in selectors: node of its innermost group */
	uint32_t n_selector_node, cap_selector_node;
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

/* The keys that need a goroutine. */
enum {
	GOROUTINE_KEYS = 1 << BY_GOROUTINE | 1 << BY_START | 1 << BY_CREATOR | 1 << BY_LABEL
};

/* Names. */

static uint32_t text_name(struct builder *b)
{
	uint32_t len = (uint32_t)b->text.len;

	b->text.len = 0;
	return len ? strtab_addn(b->t->names, (const char *)b->text.data, len) : 0;
}

/* name: the start function of a goroutine, or where it was created. */
static void add_go_name(struct builder *b, const struct goroutine *g, const char *name)
{
	view_go_name(b->v, g->process, name, &b->text);
}

/* The start function, or with BY_CREATOR where it was created. */
static const char *go_name_of(const struct builder *b, enum group_key key,
			      uint32_t goroutine)
{
	if (key != BY_CREATOR)
		return profile_string(b->p, b->v->runs[goroutine]);
	return b->v->match ? b->v->match->creators[goroutine]
			   : profile_string(b->p, b->p->goroutines[goroutine].creator);
}

/* Where one function starts in several places, views that match name these. */
static void add_place(struct builder *b, const struct goroutine *g, uint32_t goroutine)
{
	if (!b->v->match || !b->v->match->several[goroutine])
		return;
	buf_str(&b->text, " (");
	add_go_name(b, g, b->v->match->creators[goroutine]);
	buf_u8(&b->text, ')');
}

/* Adds the value of the label. False: there is no such label. */
static bool add_label_value(struct builder *b, const char *name, const struct goroutine *g)
{
	struct buf value = { 0 };
	enum label_state state = labels_find(profile_string(b->p, g->labels), name,
					     strcspn(name, ","), &value);

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i])
			buf_u8(&b->text, value.data[i]);
		else
			buf_str(&b->text, "\xef\xbf\xbd"); /* U+FFFD: a name has no NULs */
	}
	if (state == LABEL_PART || state == LABEL_LOST)
		buf_str(&b->text, "…");
	buf_release(&value);
	return state != LABEL_NONE;
}

/* Adds the value of the event's group for the i-th key, but for labels. */
static void add_value(struct builder *b, enum group_key key, const struct event *e)
{
	const struct profile *p = b->p;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	const struct thread *t = &p->threads[e->thread];
	const char *name = go_name_of(b, key, e->goroutine);
	struct buf *to = &b->text;

	if (key == BY_GOROUTINE) {
		buf_printf(to, "goroutine %" PRIu64 "%s", g->goid, *name ? " " : "");
		add_go_name(b, g, name);
	} else if (key == BY_START || key == BY_CREATOR) {
		buf_str(to, *name ? "" : "[unknown]");
		add_go_name(b, g, name);
		if (key == BY_START)
			add_place(b, g, e->goroutine);
	} else if (key == BY_CLASS) {
		buf_str(to, event_class_names[e->class]);
	} else if (key == BY_THREAD) {
		buf_printf(to, "%" PRIu32 "%s%s", t->tid, t->name ? " " : "",
			   profile_string(p, t->name));
	} else if (key == BY_PROCESS) {
		view_process_name(b->v, t->process, to);
	} else {
		buf_str(to, profile_string(p, p->processes[t->process].name));
	}
}

/* What a group is called, as ids in t->names. */
struct group_name {
	uint32_t name, value;
};

static struct group_name label_names(struct builder *b, int i, const struct event *e)
{
	const char *key = b->v->by.labels[i];
	int len = (int)strcspn(key, ",");
	bool has = add_label_value(b, key, &b->p->goroutines[e->goroutine]);
	struct group_name ret = { .value = text_name(b) };

	buf_printf(&b->text, "%.*s=%s", len, key, strtab_get(b->t->names, ret.value));
	ret.name = text_name(b);
	if (!has || !ret.value) { /* both have the name "job=" */
		buf_printf(&b->text, "(no %.*s)", len, key);
		ret.value = text_name(b);
	}
	return ret;
}

/* The names of the event's group for the i-th key. */
static struct group_name group_names(struct builder *b, int i, const struct event *e)
{
	static const char *const prefixes[BY_MAX] = {
		[BY_GOROUTINE] = "",       [BY_START] = "start ",
		[BY_CREATOR] = "go ",      [BY_CLASS] = "class ",
		[BY_THREAD] = "thread ",   [BY_PROCESS] = "process ",
		[BY_PROGRAM] = "program ",
	};
	enum group_key key = b->v->by.keys[i];
	struct group_name ret;

	if (!e->goroutine && 1 << key & GOROUTINE_KEYS) {
		buf_printf(&b->text, "[%s]", event_class_names[e->class]);
		ret.name = ret.value = text_name(b);
		return ret;
	}
	if (key == BY_LABEL)
		return label_names(b, i, e);
	add_value(b, key, e);
	ret.value = text_name(b);
	buf_printf(&b->text, "%s%s", prefixes[key], strtab_get(b->t->names, ret.value));
	ret.name = text_name(b);
	return ret;
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

static uint32_t add_group_node(struct builder *b, uint32_t parent, struct group_name names,
			       int level)
{
	uint32_t id = add_node(b, parent, names.name, NODE_GROUP, 0, 0);

	b->t->nodes[id].value = strtab_get(b->t->names, names.value);
	b->t->nodes[id].level = (uint8_t)level;
	return id;
}

/* Before other groups; views that match leave out its pid. */
static uint32_t process_group(struct builder *b, uint32_t process)
{
	struct group_name names;

	if (b->v->match)
		buf_str(&b->text, profile_string(b->p, b->p->processes[process].name));
	else
		view_process_name(b->v, process, &b->text);
	names.name = names.value = text_name(b);
	return add_group_node(b, 0, names, 0);
}

static uint32_t add_group(struct builder *b, const struct event *e)
{
	const struct grouping *by = &b->v->by;
	struct tree *t = b->t;
	uint32_t node = 0, process = b->p->threads[e->thread].process;
	bool prefix = b->v->match ? b->v->match->programs : b->v->n_processes > 1;

	for (int i = 0; i < by->n; i++) {
		if (by->keys[i] == BY_NONE)
			continue;
		if (prefix && by->keys[i] != BY_PROCESS && by->keys[i] != BY_PROGRAM)
			node = process_group(b, process);
		prefix = false;
		node = add_group_node(b, node, group_names(b, i, e), i + 1);
	}
	if (node && !t->nodes[node].group) {
		*table_add(t->groups, t->n_groups,
			   t->cap_groups) = (struct group){ .node = node,
							    .first_ns = UINT64_MAX,
							    .start = "",
							    .creator = "",
							    .labels = "" };
		t->nodes[node].group = t->n_groups;
	}
	return node;
}

static const char *go_name(struct builder *b, const struct goroutine *g, uint32_t name)
{
	add_go_name(b, g, profile_string(b->p, name));
	return strtab_get(b->t->names, text_name(b));
}

/* Adds what a goroutine of the group is to what is known of all of them. */
static void mix_in(struct builder *b, struct group *to, uint32_t goroutine)
{
	const struct goroutine *g = &b->p->goroutines[goroutine];
	const char *start = go_name(b, g, b->v->runs[goroutine]),
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

static void add_member(struct builder *b, uint32_t group, uint32_t goroutine)
{
	const struct goroutine *g = &b->p->goroutines[goroutine];
	struct group *to = &b->t->groups[group];
	const char *labels = profile_string(b->p, g->labels);
	/* Rows that differ in labels are one goroutine. */
	uint32_t id = pairs_add(&b->goroutines, g->process, g->goid);

	if (!to->goroutines)
		to->labels = labels;
	else if (to->labels != labels)
		to->labels = "";
	if (pairs_add(&b->members, group, id) < b->t->n_members)
		return;
	*table_add(b->t->members, b->t->n_members, b->t->cap_members) =
		(struct member){ .group = group, .process = g->process, .goid = g->goid };
	mix_in(b, to, goroutine);
}

/* The innermost group's node; the root when there are no groups. */
static uint32_t event_node(struct builder *b, const struct event *e)
{
	uint32_t thread = b->keys & 1 << BY_THREAD ? e->thread
						   : b->p->threads[e->thread].process;
	bool class = b->keys & 1 << BY_CLASS || (b->keys & GOROUTINE_KEYS && !e->goroutine);
	uint32_t id = pairs_add(&b->selectors, (uint64_t)e->goroutine << 32 | thread,
				class ? e->class : CLASS_MAX);
	uint32_t node;

	if (id < b->n_selector_node)
		return b->selector_node[id];
	node = add_group(b, e);
	*table_add(b->selector_node, b->n_selector_node, b->cap_selector_node) = node;
	if (node && e->goroutine)
		add_member(b, b->t->nodes[node].group - 1, e->goroutine);
	return node;
}

static void add_to_group(struct builder *b, uint32_t group, const struct event *e)
{
	struct group *g = &b->t->groups[group];
	const struct goroutine *of = &b->p->goroutines[e->goroutine];
	uint32_t id;

	if (e->goroutine) {
		id = pairs_add(&b->goroutines, of->process, of->goid);
		id = pairs_add(&b->members, group, id);
		b->t->members[id].weight += e->weight;
	}
	g->first_ns = e->time_ns < g->first_ns ? e->time_ns : g->first_ns;
	g->last_ns = e->time_ns > g->last_ns ? e->time_ns : g->last_ns;
	g->locked |= (e->flags & EVENT_LOCKED) != 0;
}

/* The rows of the view's events, by the node of their group: those of node i end at
 * ends[i]. */
static void sort_events(struct builder *b, uint32_t **ret, uint32_t **ends)
{
	const struct view *v = b->v;
	uint32_t *nodes = mem_zalloc(v->n_events * sizeof(*nodes)), n = 0, i;

	for (i = 0; i < v->n_events; i++)
		nodes[i] = event_node(b, &b->p->events[v->events[i]]);
	*ret = mem_zalloc(v->n_events * sizeof(**ret));
	*ends = mem_zalloc((b->t->n_nodes + 1) * sizeof(**ends));
	for (i = 0; i < v->n_events; i++)
		(*ends)[nodes[i]]++;
	for (i = 0; i < b->t->n_nodes; i++) {
		uint32_t count = (*ends)[i];

		(*ends)[i] = n;
		n += count;
	}
	for (i = 0; i < v->n_events; i++)
		(*ret)[(*ends)[nodes[i]]++] = v->events[i];
	free(nodes);
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
	uint32_t *ids, *ends, first = 0, n_groups;

	sort_events(b, &ids, &ends);
	n_groups = b->t->n_nodes;
	for (uint32_t i = 0; i < n_groups; first = ends[i++])
		if (ends[i] > first)
			add_group_events(b, i, ids + first, ends[i] - first);
	free(ids);
	free(ends);
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
	pairs_release(&b->selectors);
	pairs_release(&b->goroutines);
	pairs_release(&b->members);
	free(b->selector_node);
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
	for (int i = 0; i < v->by.n; i++)
		b->keys |= 1u << v->by.keys[i];
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
