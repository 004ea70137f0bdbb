/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel leaves on the stack for a signal handler, as x86-64 has it. */
#ifndef PROFILER_UCONTEXT_H
#define PROFILER_UCONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The registers that a signal has interrupted, by their DWARF numbers as in struct cstack: from the ucontext
 * that begins `at` bytes into a copied piece of stack. That is where SP is when the handler has returned. false: not
 * all of them are in the copy.
 */
bool ucontext_read(const uint8_t *bytes, uint32_t size, uint64_t at, uint64_t regs[17]);
/* Does it look like one, whose address in the process is addr? */
bool ucontext_is(const uint8_t *bytes, uint32_t size, uint64_t at, uint64_t addr);

#endif
