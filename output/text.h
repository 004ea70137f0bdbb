/* SPDX-License-Identifier: BSD-2-Clause */
/* Names as plain text (profiler/base/plain.h) for tables and lines, measured in columns. */
#pragma once

#include <stdint.h>

struct buf;

/* The columns that s takes on a terminal. */
uint32_t text_columns(const char *s);
/* Adds s in at most max columns (not 0), cut in the middle if it is longer; UINT32_MAX:
 * never cut. Returns the columns taken. */
uint32_t text_fit(struct buf *b, const char *s, uint32_t max);
/* Adds s as a frame of a folded stack: ';' becomes ':'; "" becomes "[unknown]". */
void text_frame(struct buf *b, const char *s);
/* Adds the key of a group: the names of its levels, innermost first here, as frames of a
 * folded stack. */
void text_key(struct buf *b, const char *const *names, uint32_t n);
/* Adds "1,234,567". */
void text_count(struct buf *b, uint64_t n);
/* Adds "1 sample", "1,234 samples". */
void text_count_of(struct buf *b, uint64_t n, const char *noun);
