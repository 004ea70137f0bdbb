/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of a tree as indented lines, largest first. */
#pragma once

#include <stdint.h>

struct cells;
struct tree;
struct view;

/* Below node, whose own line is written too unless it is the root: calls of at least
 * min_share percent of c->total. */
void calltree_write(struct cells *c, const struct tree *t, uint32_t node, double min_share);
/*
 * Who calls a function: node 1 of the tree is the function, below it its callers, below
 * those their callers. A sample counts for the innermost call of the function. func is a
 * name as shown, or its end behind a '.' or '/'. NULL: no selected sample has such a
 * function. The caller frees it by tree_free().
 */
struct tree *callers_tree(const struct view *v, const char *func);
