/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as text. They come from programs and files that may be hostile, so whatever a terminal
 * or a reader of lines would obey rather than show (control characters, line separators, marks
 * that turn the direction of writing) and whatever is not UTF-8 becomes U+FFFD. Every output
 * for people or for lines passes through here.
 */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define TEXT_REPLACEMENT 0xfffdu

/* The code point at *s, which moves past it; U+FFFD for a byte that is not UTF-8. Not to be
 * called at the end. */
uint32_t text_next(const char **s);
/* A terminal, or a reader of lines, shows this code point and does nothing else. */
bool text_shown(uint32_t code);

/* Columns that s takes in a terminal. */
uint32_t text_columns(const char *s);
/* Adds s in at most max columns, cut in the middle when it is longer; UINT32_MAX: never cut.
 * max is not 0. The columns taken. */
uint32_t text_fit(struct buf *b, const char *s, uint32_t max);
/* Adds s as a frame of a folded stack: ';' becomes ':'; "" becomes "[unknown]". */
void text_frame(struct buf *b, const char *s);
/* Adds "1,234,567". */
void text_count(struct buf *b, uint64_t n);

#endif
