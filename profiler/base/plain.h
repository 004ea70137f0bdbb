/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain text. Names come from programs and files that may be hostile. Whatever a terminal
 * or a line reader would act on instead of showing it (control characters, line separators,
 * direction marks), and whatever is not UTF-8, becomes U+FFFD. Every message and all output
 * for people goes through plain_next().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define PLAIN_REPLACEMENT 0xfffdu

/* Decodes the code point at *s and moves past it; U+FFFD for a byte that is not UTF-8. Do
 * not call it at the end of the string. */
uint32_t plain_decode(const char **s);
/* Is this code point only shown, by terminals and line readers, and not acted on? */
bool plain_shown(uint32_t code);
/* As plain_decode(), but also returns U+FFFD for what plain_shown() rejects. */
uint32_t plain_next(const char **s);

/* Appends a code point as UTF-8. */
void plain_put(struct buf *b, uint32_t code);
/* Appends all of s. */
void plain_add(struct buf *b, const char *s);
/* The number of columns if fd is a terminal, else 0. */
uint32_t plain_width(int fd);
/* Appends text that is already plain, wrapped between words at width columns; 0: not
 * wrapped. The first line starts in column indent; the others are indented by as many
 * spaces. Newlines in text are kept. */
void plain_wrap(struct buf *b, const char *text, uint32_t width, uint32_t indent);
/* Appends s as part of a file name: keeps letters, digits, "._-+@" and non-ASCII characters
 * and replaces others by "_", so that it is safe for paths and shells. At most max
 * bytes. */
void plain_file_name(struct buf *b, const char *s, size_t max);
