/* SPDX-License-Identifier: BSD-2-Clause */
/* A board as lines: a head, then its rows. */
#pragma once

#include <stdint.h>

struct board;
struct buf;
struct spans;

struct board_layout {
	uint32_t first;  /* row in the first line below the head */
	uint32_t rows;   /* lines for rows; 0: all */
	uint32_t chosen; /* row; UINT32_MAX: none */
};

/* How many cells the rows of a screen have that is so wide; 0: there is no room. */
uint32_t board_cells(uint32_t width);
/* Fits the rows to the width of the spans. */
void board_lines(const struct board *b, const struct board_layout *l, struct spans *to);
/* Adds a weight of the window as people read it: "74.3%" of one CPU, or "1,234/s". */
void board_figure(const struct board *b, uint64_t weight, struct buf *to);
