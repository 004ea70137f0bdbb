/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain text. Names come from programs and files that may be hostile: whatever a terminal or a
 * reader of lines would obey rather than show (control characters, line separators, marks that
 * turn the direction of writing), and whatever is not UTF-8, becomes U+FFFD. Every message and
 * every output for people passes through plain_next().
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define PLAIN_REPLACEMENT 0xfffdu

/* The code point at *s, which moves past it; U+FFFD for a byte that is not UTF-8. Not to be
 * called at the end. */
uint32_t plain_decode(const char **s);
/* A terminal, or a reader of lines, shows this code point and does nothing else. */
bool plain_shown(uint32_t code);
/* As plain_decode(), but U+FFFD also for what is not shown. */
uint32_t plain_next(const char **s);

/* Adds a code point as UTF-8. */
void plain_put(struct buf *b, uint32_t code);
/* Adds all of s. */
void plain_add(struct buf *b, const char *s);
/* Columns of the terminal that fd is; 0: it is none. */
uint32_t plain_width(int fd);
/* Adds text that is plain already, broken between words so that no line has more than width
 * columns; 0: not broken. The first line begins at column indent, the others get that many spaces.
 * A newline in text stays one. */
void plain_wrap(struct buf *b, const char *text, uint32_t width, uint32_t indent);
/* Adds s as a part of a file name: letters, digits, "._-+@" and what is beyond ASCII; any other
 * character becomes "_", so that neither a directory nor a shell is spoken to. At most max bytes. */
void plain_file_name(struct buf *b, const char *s, size_t max);

#endif
