/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file's DWARF says about its code: lines, starts of functions, inlined calls. It is
 * read lazily: first the addresses of all units, then the functions of a unit, then the
 * inlined calls of a function. Work and memory are limited; beyond the limits nothing more
 * is known. libdw reads the file, so the caller must be between guard_enter() and
 * guard_leave().
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

struct debuginfo;

/* A function that was inlined, and the place it was called from. */
struct inlined_call {
	const char *name; /* for C++ and Rust as the linker would write it */
	const char *file; /* of the call; "": unknown */
	uint32_t line;    /* of the call; 0: unknown */
	uint32_t start_line;
};

/* dw and the strings it holds must outlive it. */
struct debuginfo *debuginfo_new(Dwarf *dw);
void debuginfo_free(struct debuginfo *d); /* takes NULL */

/* False: no known unit has code at addr. Else an unknown *file is "" and an unknown *line
 * 0. */
bool debuginfo_line(struct debuginfo *d, uint64_t addr, const char **file, uint32_t *line);
/* The line where the function that starts at addr is declared; 0: unknown. */
uint32_t debuginfo_start(struct debuginfo *d, uint64_t addr);
/* The inlined calls at addr, innermost first. Returns their number, at most cap; 0: there
 * are none, or one of them is unknown. */
int debuginfo_inlined(struct debuginfo *d, uint64_t addr, struct inlined_call *ret,
		      int cap);
