/* SPDX-License-Identifier: BSD-2-Clause */
/* What `diff` and `compare` print of a comparison. The caller checks ferror(out). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct comparison;
struct json;

struct diff_options {
	const char *paths[2]; /* of the recordings: old, new */
	const char *sides[2]; /* what they are called; NULL: "old", "new" */
	uint32_t rows;        /* of each table, besides the total; 0: all */
	uint32_t width;       /* columns; 0: names are whole */
	bool color;
	bool by_cum; /* as in comparison_init(): narrow tables show cum only, not flat */
};

/* Tables: the groups, then the functions. Rows that are not called different are dim, or
 * have a "~". */
void diff_write_text(const struct comparison *c, const struct diff_options *o, FILE *out);
/* Its parts: the two titles, the table of groups, and that of functions. */
void diff_write_titles(const struct comparison *c, const struct diff_options *o, FILE *out);
void diff_write_groups(const struct comparison *c, const struct diff_options *o, FILE *out);
void diff_write_functions(const struct comparison *c, const struct diff_options *o,
			  FILE *out);
/* One object. */
void diff_write_json(const struct comparison *c, const struct diff_options *o, FILE *out);
/* Its parts: an object about a side, "groups" and "functions". */
void diff_json_side(struct json *j, const struct comparison *c, int side,
		    const struct diff_options *o);
void diff_json_groups(struct json *j, const struct comparison *c,
		      const struct diff_options *o);
void diff_json_functions(struct json *j, const struct comparison *c,
			 const struct diff_options *o);
/* "root;caller;callee OLD NEW": what difffolded.pl makes of two files of folded stacks, and
 * flamegraph.pl reads. The numbers are those of folded stacks; with shares, those of the
 * old recording are scaled, so that the sums agree. */
void diff_write_folded(const struct comparison *c, FILE *out);
