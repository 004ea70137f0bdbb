/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups and functions of a view, as rows of tables: largest first, in an order that
 * depends only on the view. Weights are in the profile's unit.
 */
#pragma once

#include <stdint.h>

#include "profiler/base/arena.h"
#include "profiler/base/pairs.h"

struct member;
struct tree;
struct view;

/* A function on a hottest path. */
struct path_step {
	const char *name;
	uint8_t kind; /* enum frame_kind */
};

struct group_row {
	const char *key;   /* as in folded stacks, levels joined by ';' */
	const char *name;  /* of the innermost level */
	const char *value; /* for a column of such groups: values joined by ';' */
	const char *top;   /* the function with the most weight of its own; "": none */
	uint64_t weight, samples, top_weight;
	uint32_t goroutines;
	uint32_t node; /* of the summary's tree */
	/* Its goroutines, largest first, n_members of them; owned by the summary. */
	const struct member *members;
	uint32_t n_members;
	/* The hottest path: from the group on always the child with the largest weight, to
	 * where no child has as much as the function itself. Only own code, and the last
	 * frame. Owned by the summary. */
	struct path_step *path;
	uint32_t n_path;
};

/* Functions with the same name are one row, except that those of the kernel have their
 * own. */
struct function_row {
	const char *name;            /* kernel functions with "_[k]" */
	const char *file;            /* "" when not known */
	uint64_t flat, flat_samples; /* of the function itself */
	uint64_t cum, cum_samples;   /* with what it called; recursion counts once */
	uint32_t start_line;         /* 0: not known */
	uint8_t origin;              /* enum origin */
};

struct summary {
	const struct tree *tree;        /* of the groups; it may have no frames */
	struct group_row *groups;       /* owned */
	struct function_row *functions; /* owned, by flat */
	struct member *members;         /* owned */
	uint32_t n_groups, n_functions, cap_groups, cap_functions;
	/* private */
	struct tree *own;   /* NULL: the tree is the view's */
	struct pairs known; /* the name of a function, is it of the kernel */
	struct arena arena;
};

/* The view outlives the summary. -E2BIG: it would take more memory than the profile
 * allows. */
int summary_init(struct summary *s, const struct view *v);
/* Sorts the functions by cum instead. */
void summary_sort_by_cum(struct summary *s);
void summary_release(struct summary *s);
