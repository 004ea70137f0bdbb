/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups and functions of a tree, as rows of tables: largest first, in an order that
 * depends only on the tree. Weights are in the profile's unit.
 */
#pragma once

#include <stdint.h>

#include "profiler/base/arena.h"

struct tree;

struct member;
struct node;

struct group_row {
	const char *key;   /* as in folded stacks, levels joined by ';' */
	const char *name;  /* of the innermost level */
	const char *value; /* for a column of such groups: values joined by ';' */
	const char *top;   /* the function with the most weight of its own; "": none */
	uint64_t weight, samples, top_weight;
	uint32_t goroutines;
	uint32_t node; /* of the tree */
	/* Its goroutines, largest first, n_members of them; owned by the summary. */
	const struct member *members;
	uint32_t n_members;
	/* The hottest path: from the group on always the child with the largest weight, to
	 * where no child has as much as the function itself. Only own code, and the last
	 * frame. Owned by the summary. */
	const struct node **path;
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

/* Strings are in the tree or in the arena: the tree outlives the summary. */
struct summary {
	struct group_row *groups;       /* owned */
	struct function_row *functions; /* owned, by flat */
	struct member *members;         /* owned */
	uint32_t n_groups, n_functions, cap_groups, cap_functions;
	struct arena arena;
};

void summary_init(struct summary *s, const struct tree *t);
/* Sorts the functions by cum instead. */
void summary_sort_by_cum(struct summary *s);
void summary_release(struct summary *s);
