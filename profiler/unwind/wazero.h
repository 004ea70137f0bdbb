/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WebAssembly that wazero has compiled runs on a stack of its own, on Go's heap. The
 * goroutine's own stack ends in the frame of the assembly that jumped into the compiled
 * code: a return address, and arguments above it.
 */
#ifndef PROFILER_WAZERO_H
#define PROFILER_WAZERO_H

#include <stdbool.h>

struct sample;
struct space;
struct pieces;

/*
 * For a sample taken in code of which nothing is known, on another stack than the
 * goroutine's: appends the goroutine's own stack, from the assembly's caller on, as
 * ret->n_resume. Does nothing if not all of that stack was copied, or if there is not
 * exactly one place where it can have been left for this code. Frames of the compiled code
 * may be missing in between.
 */
void wazero_unwind(struct pieces *ret, struct space *space, const struct sample *s);

#endif
