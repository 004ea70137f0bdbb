/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two trees as one, whose nodes have weights of both. Nodes with equal names, types and
 * kinds under one parent are one node, whether they were inlined or not: that may differ
 * between two builds. As in a tree, row 0 is the whole, and a parent has a smaller id.
 */
#pragma once

#include <stdint.h>

struct strtab;
struct tree;

struct merged_node {
	const char *name, *value, *file; /* see struct node */
	uint64_t self[2];                /* weights: old, new */
	uint64_t self_samples[2];
	uint32_t goroutines[2]; /* of a group */
	uint32_t parent;
	uint8_t type, kind; /* enum node_type, enum frame_kind */
	uint8_t is_group;   /* an innermost one */
};

struct merged {
	struct merged_node *nodes; /* owned */
	uint32_t n_nodes, cap_nodes;
	uint32_t *of[2];      /* owned; for each node of the old and the new tree its row */
	struct strtab *names; /* owned */
};

/* The trees and their profiles outlive it: values and files are their strings. */
void merge_trees(struct merged *m, const struct tree *old, const struct tree *new);
void merged_release(struct merged *m); /* takes { 0 } */
