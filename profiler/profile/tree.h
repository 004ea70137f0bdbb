/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree: the calls of a profile added up, under a node for each group. What every writer gets.
 *
 * Nodes are rows whose parent has a smaller id, so one loop from the last to the first adds up
 * subtrees. Row 0 is the whole. Siblings differ in (name, kind, inlined); lines are not kept apart.
 * What profiler/profile/shown.h leaves out of every output has no nodes.
 */
#ifndef PROFILER_TREE_H
#define PROFILER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "symbolizer/frame.h"

struct profile;
struct filter;
struct strtab;

enum group_key {
	BY_NONE,
	BY_GOROUTINE, /* process, goid and start function */
	BY_START,     /* start function */
	BY_CREATOR,   /* the go statement */
	BY_CLASS,
	BY_THREAD,
	BY_PROCESS,
	BY_LABEL, /* a pprof label */
};

enum { MAX_GROUP_KEYS = 4, TREE_CLASSES = 10 }; /* as many as enum event_class has */

struct grouping {
	uint8_t keys[MAX_GROUP_KEYS]; /* enum group_key, outermost first */
	uint8_t n;                    /* 0: as BY_NONE */
	/* Of BY_LABEL its name, in what was parsed: there it ends at a comma or the end. */
	const char *labels[MAX_GROUP_KEYS];
};

/* "goroutine", "creator,label:job" …: NULL, or what is wrong with arg, which outlives the grouping. */
const char *grouping_parse(const char *arg, void *grouping);

struct tree_options {
	struct grouping by;
	const struct filter *filter; /* NULL: all; prepared for this profile */
	bool only_user, only_kernel;
	/* What the runtime's own profiler would have recorded (profiler/profile/sigprof.h), names in full. */
	bool as_pprof;
};

enum node_type { NODE_ROOT, NODE_GROUP, NODE_FRAME };

struct node {
	/* For people: "goroutine 18 main.worker", a function, "libc.so.6+0x2f0", "[vdso]". */
	const char *name;
	const char *file;               /* "" when not known; frames only */
	const char *module;             /* path, "" when not known */
	uint64_t self, total;           /* weight, in the profile's unit */
	uint64_t self_samples, samples; /* the same in samples */
	uint32_t parent;                /* node; the root's is 0 */
	uint32_t group; /* NODE_GROUP of the innermost level: row of groups, + 1; else 0 */
	uint32_t start_line; /* 0: not known */
	uint8_t type;        /* enum node_type */
	uint8_t kind;        /* enum frame_kind */
	uint8_t inlined;
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
	uint64_t samples_by_class[TREE_CLASSES];
};

/* What the truth line says, ready to print. Shares are 0 to 1. */
struct tree_truth {
	uint64_t samples, lost;
	double with_goroutine, rooted, named;
	uint64_t with_class; /* samples with a goroutine or a class that says why not */
	double cpu_s;
	uint64_t peak_rss_bytes;
};

struct tree {
	struct node *nodes;
	struct group *groups;
	uint32_t n_nodes, n_groups, cap_nodes, cap_groups;
	struct tree_truth truth; /* of the whole profile, not of the selection */
	uint64_t period_ns, start_ns, duration_ns;
	uint64_t left_out; /* samples that the runtime's own profiler does not take */
	const char *title; /* "prometheus-812, 10.0s at 99 Hz, cpu-clock" */
	const char *key; /* what groups are, for a column's head: "goroutine", "process" */
	bool processes;  /* more than one: groups carry NAME-PID */
	struct strtab *names; /* owns the strings that the profile does not */
};

/* p outlives the tree. -EFBIG: it would take more memory than p allows. */
int tree_build(struct tree **ret, const struct profile *p, const struct tree_options *o);
void tree_free(struct tree *t);

#endif
