/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's list of its functions in compact form: 16 bytes and a name for each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct kallsyms;

/* path: /proc/kallsyms. On an error *why, a static string, says what to do; -EPERM if
 * addresses are hidden. */
int kallsyms_open(struct kallsyms **ret, const char *path, const char **why);
void kallsyms_close(struct kallsyms *k); /* takes NULL */

/* The function at addr, and the module it is in: "[kernel]" or for example "[nf_tables]".
 * False: none near. Both strings are valid until kallsyms_close(). */
bool kallsyms_find(const struct kallsyms *k, uint64_t addr, const char **name,
		   const char **module);
