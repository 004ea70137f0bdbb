/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of functions one by one, as they are made: for `trace`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct event;
struct view;

/* { 0 } is for a file; what belongs to a terminal is set before the first call. */
struct call_lines {
	uint32_t width; /* columns; 0: nothing is cut */
	bool color;
	bool stack; /* below each call its callers */

	uint32_t start; /* private: the columns of the start function */
};

/* What the columns are. */
void call_lines_head(struct call_lines *l, FILE *out);
/* A line: local time of day, goroutine, thread, the function that the goroutine runs, and
 * the function that it has called. */
void call_line(struct call_lines *l, const struct view *v, const struct event *e,
	       FILE *out);
/* The same as an object in one line, as docs/json.md says. */
void call_line_json(const struct view *v, const struct event *e, bool stack, FILE *out);
