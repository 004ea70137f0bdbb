/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of Go functions: as people read them, and which of them are special. */
#pragma once

#include "symbolizer/frame.h"

struct buf;

/* Appends a full symbol as runtime.CallersFrames of Go 1.minor shows it: "main.F[...]" for
 * "main.F[go.shape.int]". minor 0: not Go, appended as it is; -1: unknown, treated as the
 * newest. */
void goname_add(struct buf *b, const char *name, int minor);
/* What a function with this full name is. FRAME_GO: an ordinary one. Wrappers have no
 * special names but a funcID. */
enum frame_kind goname_kind(const char *name);
