/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens and passwords. They come from a file or the environment, never from the command
 * line, which everybody can read. */
#pragma once

struct buf;

/* NULL, or what is wrong with the source: it is "file:PATH" or "env:NAME". */
const char *secret_check(const char *from);
/* Reads it anew, because files of tokens are replaced; without blanks and newlines at its
 * ends. NULL, or what is wrong, a static string. */
const char *secret_read(const char *from, struct buf *to);
