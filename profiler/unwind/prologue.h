/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where C functions save the registers that their callers keep values in, by their first instructions: for code
 * without unwind tables. x86-64.
 */
#ifndef PROFILER_PROLOGUE_H
#define PROFILER_PROLOGUE_H

#include <stdint.h>

struct space;

/* The function that begins at addr in the process has pushed the register (its DWARF number) so many words below
 * its return address, before it does anything else with it. 0: it has not, as far as that is understood. A function
 * that begins with a jump to another saves what that does. */
uint32_t prologue_saved(struct space *space, uint64_t addr, uint32_t reg);

#endif
