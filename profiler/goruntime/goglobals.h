/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of a program's global variables, from its symbol table; a stripped program has
 * none. */
#pragma once

#include <stdint.h>

struct buf;
struct elf;
struct goglobals;

struct goglobals *goglobals_open(const struct elf *elf); /* keeps strings of elf */
void goglobals_close(struct goglobals *g);               /* takes NULL */
/* Adds "main.mu", or "main.server+0x18" for a part of it, for an address in the file. Adds
 * nothing if it is in no variable. */
void goglobals_name(const struct goglobals *g, uint64_t addr, struct buf *to);
