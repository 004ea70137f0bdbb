/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WebAssembly that wazero has compiled: it runs on a stack of its own, on Go's heap. The goroutine's own
 * stack was left where assembly jumps into the code: with a return address, and arguments above it.
 */
#ifndef PROFILER_WAZERO_H
#define PROFILER_WAZERO_H

#include <stdbool.h>

struct sample;
struct space;
struct pieces;

/*
 * The sample is of code that nothing is known of, on another stack than the goroutine's: appends the latter as
 * ret->n_resume, from the assembly's caller on. Nothing if there is not exactly one place where it can have been
 * left for this code, or not all of the stack was copied. There may be frames between the two.
 */
void wazero_unwind(struct pieces *ret, struct space *space, const struct sample *s);

#endif
