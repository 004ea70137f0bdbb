/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups and functions of a tree, as rows of tables: largest first, in an order that
 * depends only on the tree. Weights are in the profile's unit.
 */
#ifndef OUTPUT_SUMMARY_H
#define OUTPUT_SUMMARY_H

#include <stdint.h>

#include "profiler/base/arena.h"

struct tree;

struct group_row {
	const char *key;  /* as in folded stacks, levels joined by ';' */
	const char *name; /* of the innermost level */
	const char *top;  /* the function with the most weight of its own; "": none */
	uint64_t weight, samples, top_weight;
	uint32_t goroutines;
};

/* Functions with the same name are one row, except that those of the kernel have their
 * own. */
struct function_row {
	const char *name;            /* kernel functions with "_[k]" */
	const char *file;            /* "" when not known */
	uint64_t flat, flat_samples; /* of the function itself */
	uint64_t cum, cum_samples;   /* with what it called; recursion counts once */
};

/* Strings are in the tree or in the arena: the tree outlives the summary. */
struct summary {
	struct group_row *groups;       /* owned */
	struct function_row *functions; /* owned */
	uint32_t n_groups, n_functions, cap_groups, cap_functions;
	struct arena arena;
};

void summary_init(struct summary *s, const struct tree *t);
void summary_release(struct summary *s);

#endif
