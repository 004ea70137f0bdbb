/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets of the runtime's fields from a program's own DWARF, which stripping takes away. */
#ifndef PROFILER_GODWARF_H
#define PROFILER_GODWARF_H

#include <stdint.h>

struct elf;

struct godwarf_field {
	const char *structure, *member; /* "runtime.g", "goid" */
	int32_t offset;                 /* found; -1: no such member */
};

/* Fills the offsets. -ENOENT: no DWARF, or none of the runtime; then they are all -1. */
int godwarf_fields(const struct elf *elf, struct godwarf_field *fields, uint32_t n);

#endif
