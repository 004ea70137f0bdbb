/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own list of its functions, kept compact: 16 bytes and a name for each. */
#ifndef SYMBOLIZER_KALLSYMS_H
#define SYMBOLIZER_KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>

struct kallsyms;

/* path: /proc/kallsyms. *why (a static string) says what to do about an error: -EPERM
 * when addresses are hidden. */
int kallsyms_open(struct kallsyms **ret, const char *path, const char **why);
void kallsyms_close(struct kallsyms *k); /* takes NULL */

/* The function at addr, and "[kernel]" or the module it is from, "[nf_tables]". false:
 * none near. Both valid until kallsyms_close(). */
bool kallsyms_find(const struct kallsyms *k, uint64_t addr, const char **name,
		   const char **module);

#endif
