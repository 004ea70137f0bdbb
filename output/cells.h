/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a table as it is built up: cells of numbers first, then texts that get the rest
 * of the width. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "profiler/base/buf.h"

struct view;

#define STYLE_NONE "\033[0m"
#define STYLE_BOLD "\033[1m"
#define STYLE_DIM  "\033[2m"
#define STYLE_OWN  "\033[36m" /* the program's own code */

enum { CELLS_MIN_WIDTH = 60 }; /* on narrower terminals lines wrap */

struct cells {
	FILE *out;
	uint32_t width; /* columns; 0: nothing is cut */
	bool color;
	bool time;       /* weights are ns, else counts */
	uint64_t total;  /* weight */
	struct buf line; /* released by the owner */
};

/* For the kind of the view's events; total: weight of which shares are. */
struct cells cells_of(const struct view *v, uint64_t total, uint32_t width, bool color,
		      FILE *out);
/* The STYLE_* of a function, by its enum origin; NULL: none. */
const char *style_of(uint8_t origin);
/* Ends the line and writes it. style: STYLE_*, or NULL. */
void line_end(struct cells *c, const char *style);
/* The columns that are left of the line, at least 1; UINT32_MAX without a width. */
uint32_t line_left(const struct cells *c);

/* Adds "4.35s", "566ms" or "1,234". */
void weight_add(struct buf *b, bool time, uint64_t weight);
/* These are right-aligned, with a gap before the next one: 11 and 9 columns. */
void cell_weight(struct cells *c, uint64_t weight);
void cell_share(struct cells *c, uint64_t weight);
/* Adds what weights are of, "CPU" or "calls", in at most max columns. Returns the columns
 * taken. */
uint32_t kind_add(struct buf *b, const struct view *v, uint32_t max);
/* The head of a column of weights, and that of their shares. */
void cell_kind(struct cells *c, const struct view *v);
/* A line for n rows that are not shown; nothing when n is 0. */
void rows_more(struct cells *c, uint32_t n, uint64_t weight);

/* In percent, rounded down: only the whole is 100 %. */
double percent_down(uint64_t part, uint64_t of);

static inline uint32_t at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}
