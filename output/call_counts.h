/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of functions, added up: for `trace --count`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct view;

struct call_counts_options {
	uint32_t width; /* columns; 0: nothing is cut */
	uint32_t rows;  /* of each table; 0: all */
	bool color;
};

/* A table of the groups of the view, and one of the functions. -E2BIG: view_tree() gave no
 * tree. */
int call_counts_write(struct view *v, const struct call_counts_options *o, FILE *out);
/* The same as an object in one line, as docs/json.md says. */
int call_counts_json(struct view *v, FILE *out);

/* Of several views. { 0 } is none. */
struct call_totals {
	uint64_t calls, with_goroutine, lost;
	uint64_t cpu_ns, peak_rss; /* as of struct stats */
};

void call_totals_add(struct call_totals *t, const struct view *v);
/* The closing line: how many calls there were, and what was lost. */
void call_totals_write(const struct call_totals *t, FILE *out);
