/* SPDX-License-Identifier: BSD-2-Clause */
/* How Go functions are called where people read it. */
#ifndef SYMBOLIZER_GONAME_H
#define SYMBOLIZER_GONAME_H

struct buf;

/* Appends a full symbol as runtime.CallersFrames of Go 1.minor shows it, "main.F[...]" for
 * "main.F[go.shape.int]". minor 0: no Go, nothing is cut; -1: not known, as the newest. */
void goname_add(struct buf *b, const char *name, int minor);

#endif
