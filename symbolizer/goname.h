/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of Go functions as people read them. */
#ifndef SYMBOLIZER_GONAME_H
#define SYMBOLIZER_GONAME_H

struct buf;

/* Appends a full symbol as runtime.CallersFrames of Go 1.minor shows it: "main.F[...]" for
 * "main.F[go.shape.int]". minor 0: not Go, appended as it is; -1: unknown, treated as the
 * newest. */
void goname_add(struct buf *b, const char *name, int minor);

#endif
