/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `report` prints: groups, functions and the hottest lines, then which labels there
 * are, then the quality of the recording.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct profile;
struct view;

struct table_options {
	uint32_t width;   /* columns; 0: names are whole */
	uint32_t rows;    /* lines of the whole report, approximately; 0: no limit */
	uint32_t limit;   /* rows of each table, instead of what fits; 0: not given */
	double min_share; /* percent: smaller rows are left out */
	bool color;
	bool by_cum;         /* sort functions and lines by cum instead of flat */
	bool lines;          /* lines of source instead of functions */
	bool tree;           /* a tree of calls instead of tables */
	const char *callers; /* the callers of this function instead; NULL: none */
};

/* Without the quality line. 0; -ENOENT: no sample has the function o->callers; -E2BIG:
 * view_tree() gave no tree. The caller checks ferror(out). */
int table_write(struct view *v, const struct table_options *o, FILE *out);
/* One object, as docs/json.md says. */
int table_write_json(struct view *v, FILE *out);
/* One line on the quality of a recording: of its events of this kind, and what it lost and
 * cost as a whole. width: breaks the line between its parts to fit into so many columns;
 * 0: never. */
void quality_line(const struct profile *p, uint8_t kind, uint32_t width, FILE *out);
