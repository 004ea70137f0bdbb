/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of the Go runtime that unwinding and display treat specially. */
#ifndef SYMBOLIZER_GOKIND_H
#define SYMBOLIZER_GOKIND_H

#include "symbolizer/frame.h"

/* By full name. FRAME_GO: an ordinary function. Wrappers have no special names but a
 * funcID. */
enum frame_kind gokind_of(const char *name);

#endif
