/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream that compresses what is written to it. */
#pragma once

#include <stdio.h>

/* Returns a stream that writes gzip to out, which outlives it; NULL with errno. Equal input
 * gives equal output. level: 1, fast, to 9. */
FILE *gzfile_open(FILE *out, int level);
/* Writes the end. Returns 0 or -errno; the caller also checks ferror(out). */
int gzfile_close(FILE *gzip);
