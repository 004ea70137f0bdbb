/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of functions and lines that every Go program carries, stripped or not, because
 * its own runtime needs it. Go 1.18 to 1.27, amd64 and arm64. Nothing is copied from the
 * file; a look-up is a binary search and a few runs through packed (value, pc) deltas.
 */
#ifndef SYMBOLIZER_GOPCLNTAB_H
#define SYMBOLIZER_GOPCLNTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct elf;
struct strtab;

struct gopclntab {
	struct cursor names, cutab, files, pctab; /* regions of the table */
	struct cursor
		funcs; /* functab, n_funcs entries and an end; then what it points to */
	struct cursor
		funcdata; /* what funcdata offsets count from; empty: no inline trees */
	uint64_t text;    /* what entries count from, an address of the file */
	uint32_t n_funcs;
	uint8_t minor;   /* of the Go version */
	uint8_t quantum; /* bytes, of a step of the program counter */
};

/* The regions of a table by its header; text and funcdata are left to the caller.
 * -EBADMSG. */
int gopclntab_parse(struct gopclntab *ret, struct cursor table, int minor);

/* The rest is resolver.h's gopclntab_resolver, whose self is a struct gopclntab, and
 * what only this source can answer. addr is of the file, as it is. */

/* Is it Go code, or padding between Go functions? */
bool gopclntab_covers(const struct gopclntab *t, uint64_t addr);
/* Bytes between SP and the return address at addr. */
bool gopclntab_spdelta(const struct gopclntab *t, uint64_t addr, uint32_t *delta);
/* What a goroutine that starts at addr really runs: name in strs, 0 when addr is not Go. */
uint32_t gopclntab_start(const struct gopclntab *t, uint64_t addr, struct strtab *strs);
/* By name, assembly before a wrapper of the same name. Looks at every name. */
bool gopclntab_function(const struct gopclntab *t, const char *name, uint64_t *entry,
			uint32_t *len);

#endif
