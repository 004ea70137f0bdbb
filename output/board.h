/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `top` shows of a moment, as rows: groups, the goroutines of one of them, the
 * functions of these, or the lines of one of the functions. Figures are those of the
 * window; the cells of a row are its weight over the minute that ends with the window.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "output/hotlines.h"
#include "output/summary.h"
#include "profiler/profile/view.h"

#define BOARD_SPAN_NS 60000000000u

enum board_level { BOARD_GROUPS, BOARD_GOROUTINES, BOARD_FUNCTIONS, BOARD_LINES };
enum board_sort { BOARD_BY_CPU, BOARD_BY_SELF, BOARD_BY_GOROUTINES, BOARD_BY_NAME };

struct board_query {
	/* Grouping, filter and what else is asked for; not selected. */
	const struct view *view;
	uint64_t from_ns, to_ns; /* the window */
	uint32_t n_cells;        /* 0: rows have none */
	const regex_t *pattern;  /* NULL; else of a group's name, or of a frame */
	enum board_level level;
	/* Keys of the rows that were opened: those of the levels above. goroutine "": all
	 * of them. */
	const char *group, *goroutine, *function;
	enum board_sort sort;
	bool tree; /* the part's tree will be asked for */
};

struct board_row {
	const char *key;  /* finds it again in the next board */
	const char *name; /* goroutines: their id and labels */
	/* What it calls included; functions and lines have some of their own. */
	uint64_t weight, self;
	uint32_t goroutines;           /* 0: no goroutine */
	uint8_t origin;                /* functions and lines: enum origin */
	const struct group_row *group; /* groups and goroutines: their path; or NULL */
	uint64_t *cells;               /* groups and goroutines: n_cells of them */
};

struct board {
	struct board_query q;
	struct board_row *rows; /* owned */
	uint32_t n, cap;
	uint64_t total;    /* weight of the window, of what is opened */
	uint32_t samples;  /* the same in samples */
	bool none_matches; /* the pattern leaves nothing, but there were samples */
	bool too_big;      /* there are no rows: they would take too much memory */
	uint64_t cell_ns;  /* the length of a cell; the last one has just begun */
	struct view part;  /* the window's events, as the rows group them */

	/* Private. */
	struct view whole;
	uint32_t *minute; /* owned: the minute's events of what is opened */
	uint32_t n_minute;
	uint64_t *cells; /* owned */
	struct summary sums;
	struct hotlines lines;
	struct strtab *names; /* owned */
};

/* What q refers to and the profile must outlive the board. */
void board_init(struct board *b, const struct board_query *q, const struct profile *p);
void board_release(struct board *b);
/* The cells that begin a minute before to_ns: where the first one starts. Cells start at
 * multiples of their length, so that they keep their content while time goes on. */
uint64_t board_cells_from(uint64_t to_ns, uint32_t n_cells);
