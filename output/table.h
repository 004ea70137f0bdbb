/* SPDX-License-Identifier: BSD-2-Clause */
/* What `report` prints: goroutine groups, then functions, then the quality of the
 * recording. */
#ifndef OUTPUT_TABLE_H
#define OUTPUT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct profile;
struct view;

/* { 0 } is for output that is no terminal: nothing is cut. */
struct table_options {
	uint32_t width; /* columns; 0: names are whole */
	uint32_t rows;  /* of the whole report, approximately; 0: all of both tables */
	bool color;
};

/* Without the quality line. 0, or -E2BIG: view_tree() gave no tree. The caller checks
 * ferror(out). */
int table_write(struct view *v, const struct table_options *o, FILE *out);
/* One object, with the figures of the quality line. flat and cum of functions are samples,
 * shares are 0 to 1. With other kinds of event than cpu also the kind shown, its unit, and
 * each group's weight. */
int table_write_json(struct view *v, FILE *out);
/* One line on the quality of a recording: of its events of this kind, and what it lost and
 * cost as a whole. width: breaks the line between its parts to fit into so many columns;
 * 0: never. */
void quality_line(const struct profile *p, uint8_t kind, uint32_t width, FILE *out);

#endif
