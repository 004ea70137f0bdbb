/* SPDX-License-Identifier: BSD-2-Clause */
/* Names as text of tables and lines: plain (profiler/base/plain.h), and of a width. */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Columns that s takes in a terminal. */
uint32_t text_columns(const char *s);
/* Adds s in at most max columns, cut in the middle when it is longer; UINT32_MAX: never cut.
 * max is not 0. The columns taken. */
uint32_t text_fit(struct buf *b, const char *s, uint32_t max);
/* Adds s as a frame of a folded stack: ';' becomes ':'; "" becomes "[unknown]". */
void text_frame(struct buf *b, const char *s);
/* Adds "1,234,567". */
void text_count(struct buf *b, uint64_t n);
/* Adds "1 sample", "1,234 samples". */
void text_count_of(struct buf *b, uint64_t n, const char *noun);

#endif
