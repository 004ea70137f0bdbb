/* SPDX-License-Identifier: BSD-2-Clause */
/* What `report` prints: goroutine groups, then functions, then what the recording is worth. */
#ifndef OUTPUT_TABLE_H
#define OUTPUT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tree;
struct tree_truth;

/* { 0 } cuts nothing: no terminal. */
struct table_options {
	uint32_t width; /* columns; 0: names are whole */
	uint32_t rows;  /* of the whole report, about; 0: all of both tables */
	bool color;
};

/* Without the truth line. The caller looks at ferror(out). */
void table_write(const struct tree *t, const struct table_options *o, FILE *out);
/* One object, with the truth; functions' flat and cum are samples, shares 0 to 1. */
void table_write_json(const struct tree *t, FILE *out);
/* The truth line. width > 0 breaks it between its parts to stay below; 0 never. */
void truth_line(const struct tree_truth *t, uint32_t width, FILE *out);

#endif
