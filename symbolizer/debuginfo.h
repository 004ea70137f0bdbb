/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the DWARF of a file says of its code: lines, where functions start, and the calls that were inlined.
 * Little is read before it is asked for: first the addresses of all units, then the functions of a unit,
 * then the inlined calls of a function. Work and memory have limits, behind which it says nothing more.
 * libdw reads the file, so the caller stands between guard_enter() and guard_leave().
 */
#ifndef SYMBOLIZER_DEBUGINFO_H
#define SYMBOLIZER_DEBUGINFO_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

struct debuginfo;

/* A function whose code was put into another, and the place there that called it. */
struct inlined_call {
	const char *name; /* as the linker would write it, of C++ and Rust */
	const char *file; /* of the call; "": not known */
	uint32_t line;    /* of the call; 0: not known */
	uint32_t start_line;
};

/* dw outlives it. Strings that it gives are in dw. */
struct debuginfo *debuginfo_new(Dwarf *dw);
void debuginfo_free(struct debuginfo *d); /* takes NULL */

/* false: no unit of which it knows has code at addr. Else *file is "" and *line 0 when they are not known. */
bool debuginfo_line(struct debuginfo *d, uint64_t addr, const char **file, uint32_t *line);
/* The line where the function that begins at addr was declared; 0: not known. */
uint32_t debuginfo_start(struct debuginfo *d, uint64_t addr);
/* The inlined calls that addr is in, innermost first: how many, at most cap. 0: none, or one of them is not
 * known. */
int debuginfo_inlined(struct debuginfo *d, uint64_t addr, struct inlined_call *ret,
		      int cap);

#endif
