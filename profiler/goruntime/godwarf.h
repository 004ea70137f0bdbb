/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the offsets of the runtime's fields in a program's own DWARF, if it is not
 * stripped. */
#ifndef PROFILER_GODWARF_H
#define PROFILER_GODWARF_H

#include <stdint.h>

struct elf;

struct godwarf_field {
	const char *structure, *member; /* "runtime.g", "goid" */
	int32_t offset;                 /* result; -1: no such member */
};

/* Fills in the offsets. -ENOENT: no DWARF, or none for the runtime; then all are -1. */
int godwarf_fields(const struct elf *elf, struct godwarf_field *fields, uint32_t n);

#endif
