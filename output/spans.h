/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of styled text, before they are painted or printed: a line is a row of spans, each
 * at its column. All text is plain (profiler/base/plain.h), whatever was put in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "output/palette.h"
#include "profiler/base/buf.h"

enum ink {
	INK_NONE,
	INK_BOLD,
	INK_DIM,
	INK_OWN, /* the program's own code */
	INK_WARN,
	INK_SPARK,
	INK_INVERSE,
	INK_GROUP, /* boxes of a flame graph: a group, a frame of each palette, */
	INK_BOX,
	INK_CHOSEN = INK_BOX + PALETTE_MAX, /* the one that is selected */
	INK_MAX
};

struct span {
	uint32_t line, column, columns;
	uint32_t at, len; /* bytes of text */
	uint8_t ink;      /* enum ink */
};

struct spans {
	uint32_t width; /* columns; nothing goes beyond. 0: no limit */
	struct buf text;
	struct span *rows; /* owned; in the order of lines and columns */
	uint32_t n, cap;
	uint32_t line, column; /* where the next one begins */
	uint32_t chosen;       /* line that is selected, + 1; 0: none */
};

/* Each goes on where the one before ended. Adds text, of which no more than max columns: it
 * is cut in the middle. */
void spans_fit(struct spans *s, enum ink ink, const char *text, uint32_t max);
/* The same in as many columns as are left. */
void spans_add(struct spans *s, enum ink ink, const char *text);
void spans_printf(struct spans *s, enum ink ink, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Goes on at this column, if it is not beyond it. */
void spans_to(struct spans *s, uint32_t column);
/* Adds text so that it ends at the right edge, if it fits beside what is there. */
void spans_right(struct spans *s, enum ink ink, const char *text);
uint32_t spans_left(const struct spans *s); /* columns; UINT32_MAX: no limit */
void spans_end(struct spans *s);            /* of the line */
/* Writes the lines as text, without styles. */
void spans_write(const struct spans *s, FILE *out);
void spans_clear(struct spans *s); /* keeps the width */
void spans_release(struct spans *s);
