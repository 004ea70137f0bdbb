/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree: the calls of a profile added up, under a node for each group. What every writer
 * gets.
 *
 * Nodes are rows whose parent has a smaller id, so one loop from the last to the first adds
 * up subtrees. Row 0 is the whole. Siblings differ in (name, kind, inlined); lines are not
 * kept apart. What profiler/profile/view.h leaves out of every output has no nodes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct frame;
struct profile;
struct strtab;
struct view;

enum node_type { NODE_ROOT, NODE_GROUP, NODE_FRAME };

struct node {
	/* For people: "goroutine 18 main.worker", a function, "libc.so.6+0x2f0", "[vdso]".
	 * Equal names are one pointer. */
	const char *name;
	uint64_t self, total;           /* weight, in the unit of the view's kind */
	uint32_t self_samples, samples; /* the same in samples */
	uint32_t parent;                /* node; the root's is 0 */
	union {
		uint32_t frame; /* NODE_FRAME: row, as view_stack() stores them */
		uint32_t value; /* NODE_GROUP: see node_value() */
	};
	uint32_t group; /* NODE_GROUP of the innermost level: row of groups, + 1; else 0 */
	uint8_t type;   /* enum node_type */
	uint8_t kind;   /* enum frame_kind */
	uint8_t origin; /* enum origin; frames only */
	/* Groups only: its key is the view's by.keys[level - 1]; 0: the process, which
	 * comes first when there are several. */
	uint8_t level;
};

/* A goroutine in an innermost group. */
struct member {
	uint32_t group, process; /* rows */
	uint64_t goid, weight;
};

/* What is known of an innermost group beyond its name. */
struct group {
	uint32_t node;
	uint32_t goroutines;         /* different ones in it */
	uint64_t first_ns, last_ns;  /* since the profile's start */
	const char *start, *creator; /* as shown; "" when mixed or not known */
	const char *labels;          /* as in labels.h; "" when mixed or none */
	uint64_t goid, parent_goid;  /* 0 when mixed or none */
	uint32_t process; /* row of the profile; that of the goroutine, if it is one */
	bool locked;      /* one of them was, to its thread */
};

struct tree {
	const struct profile *profile;
	struct node *nodes;
	struct group *groups;
	struct member *members;
	uint32_t n_nodes, n_groups, n_members, cap_nodes, cap_groups, cap_members;
	struct strtab *names; /* owns the strings that the profile does not */
	/* With view.keep_leaves, per row of profile->events: the node of its leaf, if the
	 * event is selected. Owned. */
	uint32_t *leaves;
	uint32_t n_narrow; /* nodes that view.least left out */
};

/* For view_tree(), after view_select(); the profile outlives the tree. NULL: it would take
 * more memory than the profile allows. */
struct tree *tree_build(const struct view *v);

/*
 * Who looks at a tree group by group, so that the frames of one group are enough. The nodes
 * from first to end are the group's; without groups, those of the whole, node 0. They are
 * added up, the group is not yet.
 */
struct tree_visitor {
	void (*group)(void *arg, const struct tree *t, uint32_t group, uint32_t first,
		      uint32_t end);
	void *arg;
};

/* As tree_build(), but the tree keeps no frames. visitor { 0 }: nobody looks. */
struct tree *tree_build_groups(const struct view *v, struct tree_visitor visitor);
/* Visits the groups of a tree that has its frames. */
void tree_visit(const struct tree *t, struct tree_visitor visitor);
void tree_free(struct tree *t);

/* One of the frames that a node stands for; what is no frame of the profile has one of
 * zeros. */
const struct frame *node_frame(const struct tree *t, const struct node *n);
/* The file of that frame; "" for what is none, or when it is not known. */
const char *node_file(const struct tree *t, const struct node *n);
/* What a column of such groups has: "encode" for "job=encode", "(no job)" for "job=",
 * "main.worker" for "start main.worker". */
const char *node_value(const struct tree *t, const struct node *n);
