/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flame graph in characters: a line per depth, the root at the top. Boxes with the same
 * parent are in the order of their names, so that they keep their places while their widths
 * change; what is narrower than a column is left out.
 */
#pragma once

#include <stdint.h>

struct spans;
struct view;

struct flame_box {
	uint32_t node; /* of the view's tree */
	uint32_t depth, column, columns;
	uint32_t parent; /* box; the first one's is itself */
};

struct flame {
	struct flame_box *boxes; /* owned; a line after the other, from left to right */
	uint32_t n, cap;
	uint32_t depth; /* how many lines */
};

/* Lays out the tree below a node, which gets the whole width; 0: the root. Callers of the
 * node, that is all above it, have the whole width too. */
void flame_init(struct flame *f, struct view *v, uint32_t node, uint32_t width);
void flame_release(struct flame *f);
/* `rows` lines, from the depth `first` on; chosen: a box. */
void flame_lines(const struct flame *f, struct view *v, uint32_t first, uint32_t rows,
		 uint32_t chosen, struct spans *to);
