/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of functions and lines that every Go program carries, stripped or not, because
 * its own runtime needs it. For Go 1.13 to 1.27, amd64 and arm64. Nothing is copied from
 * the file (except tables of PIEs up to Go 1.17, which hold addresses). A look-up is a
 * binary search and a few passes over packed (value, pc) deltas.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct elf;
struct strtab;

enum { GO_OLDEST = 13, GO_NEWEST = 27 }; /* minor versions that are known */

/* Formats of the table, named after the first version that wrote them. */
enum gopclntab_format { FORMAT_12, FORMAT_116, FORMAT_118, FORMAT_120, FORMAT_MAX };

struct gopclntab {
	struct cursor names, cutab, files, pctab; /* regions of the table */
	struct cursor funcs;                      /* holds functab; base of its offsets */
	struct cursor funcdata; /* base of funcdata offsets; empty: no inline trees */
	uint64_t text;          /* base of entries, an address of the file */
	uint32_t functab;       /* offset of functab in funcs */
	uint32_t n_funcs;       /* rows of functab, without the one for the end */
	enum gopclntab_format format;
	uint32_t magic;
	uint8_t minor;   /* of the Go version */
	uint8_t quantum; /* bytes per step of the program counter */
	uint8_t wrapper; /* funcID of wrappers */
	/* FORMAT_12 and 116, where funcdata are addresses: */
	const struct elf *elf; /* the file they refer to */
	uint8_t skew;          /* address of funcs modulo 8 */
	void *copy;            /* the relocated table; NULL: not needed */
	uint64_t module;       /* address of its moduledata in the file; 0: not looked up */
	/* generated at run time: its functions are ordinary ones, whatever their names */
	bool added;
};

/* Parses the header. text, and the fields after wrapper, are left to the caller. minor -1:
 * unknown. 0 or -EBADMSG. */
int gopclntab_parse(struct gopclntab *ret, struct cursor table, int minor);

/* The number of bytes of funcdata that the table's inline trees reach. */
uint64_t gopclntab_funcdata_len(const struct gopclntab *t);

/* Opens the table of a program (in gomodule.c). -ENOENT, -EBADMSG or -ENOTSUP: *why says
 * more. */
int gopclntab_open(struct gopclntab *ret, const struct elf *elf, const char **why);
/* Helpers for it. With this funcdata, do the inline trees of some functions parse, and are
 * there any? The largest funcID in the table. */
bool gopclntab_trees_hold(const struct gopclntab *t);
uint8_t gopclntab_max_id(const struct gopclntab *t);

/* Functions and lines come from resolver.h's gopclntab_resolver, whose self is a struct
 * gopclntab. The functions below answer what only this source can. addr is in the file. */

/* Is addr Go code, or padding between Go functions? */
bool gopclntab_covers(const struct gopclntab *t, uint64_t addr);
/* The length of all that in bytes, from text on. */
uint32_t gopclntab_text_len(const struct gopclntab *t);
/* The function of a row below n_funcs. False: no such row, or a broken one. */
struct go_function {
	uint64_t entry;
	uint32_t len;
	const char *name; /* points into the table */
	uint8_t id;       /* funcID */
	bool assembly;
};
bool gopclntab_row(const struct gopclntab *t, uint32_t row, struct go_function *ret);

/* What unwinding needs to know about an address in Go code. */
struct go_pc {
	/* Of the address space, by space_go_pc(): */
	uint64_t since; /* before this CLOCK_MONOTONIC it may have been other code; 0: no */
	uint8_t code;   /* enum space_code */
	bool mapped;    /* it is executable */
	/* Of the function, by its table: */
	uint64_t entry; /* where it begins; 0: no table has it */
	/* It is Go's, or assembly. C that Go's own linker has linked in (the race detector)
	 * is not, and nothing that follows is known of it. */
	bool go;
	uint32_t spdelta; /* bytes between SP and the return address */
	bool has_spdelta; /* the table has it for this address */
	bool spwrite;     /* its function sets SP in an unusual way (Go 1.17) */
	bool assembly;    /* its function is assembly (Go 1.18) */
	uint8_t kind;     /* enum frame_kind of its function */
};
/* Returns ret->go; fills *ret also when that is false. */
bool gopclntab_pc(const struct gopclntab *t, uint64_t addr, struct go_pc *ret);
/* The maximum number of bytes between SP and the return address in the function at addr. */
uint32_t gopclntab_max_spdelta(const struct gopclntab *t, uint64_t addr);

/*
 * Ranges of assembly that may hold data in the frame pointer: a package's assembly, if one
 * of its functions has a frame and so could save its caller's. The runtime's own assembly
 * keeps the frame pointer and is excluded. Stores at most cap ranges, sorted; if there are
 * more, the nearest are joined.
 */
struct go_range {
	uint64_t start, end;
};
uint32_t gopclntab_bp_data(const struct gopclntab *t, struct go_range *ret, uint32_t cap);

/* The function that a goroutine starting at addr really runs: its name in strs; 0: no Go
 * function starts there. */
uint32_t gopclntab_start(const struct gopclntab *t, uint64_t addr, struct strtab *strs);
/* Finds a function by name; assembly is preferred to a wrapper of the same name. Compares
 * every name. */
bool gopclntab_function(const struct gopclntab *t, const char *name, uint64_t *entry,
			uint32_t *len);
