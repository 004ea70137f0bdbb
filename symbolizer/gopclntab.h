/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of functions and lines that every Go program carries, stripped or not, because
 * its own runtime needs it. Go 1.13 to 1.27, amd64 and arm64. Nothing is copied from the
 * file (but the tables of PIEs up to Go 1.17, which hold addresses); a look-up is a binary
 * search and a few runs through packed (value, pc) deltas.
 */
#ifndef SYMBOLIZER_GOPCLNTAB_H
#define SYMBOLIZER_GOPCLNTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct elf;
struct strtab;

enum { GO_OLDEST = 13, GO_NEWEST = 27 }; /* minors of versions that we know */

/* How tables look, named by the first version that wrote them so. */
enum gopclntab_format { FORMAT_12, FORMAT_116, FORMAT_118, FORMAT_120, FORMAT_MAX };

struct gopclntab {
	struct cursor names, cutab, files, pctab; /* regions of the table */
	struct cursor funcs; /* holds functab, and is what its offsets count from */
	struct cursor
		funcdata; /* what funcdata offsets count from; empty: no inline trees */
	uint64_t text;    /* what entries count from, an address of the file */
	uint32_t functab; /* where it begins in funcs */
	uint32_t n_funcs; /* rows of functab, without the end */
	enum gopclntab_format format;
	uint32_t magic;
	uint8_t minor;   /* of the Go version */
	uint8_t quantum; /* bytes, of a step of the program counter */
	uint8_t wrapper; /* funcID of wrappers */
	/* FORMAT_12 and 116, where funcdata are addresses: */
	const struct elf *elf; /* what they are of */
	uint8_t skew;          /* of the address of funcs, modulo 8 */
	void *copy;            /* of the table, relocated; NULL: not needed */
	uint64_t module; /* address of its moduledata, in the file; 0: not looked for */
	bool added; /* while the program runs: no function of it is a special one, whatever its name */
};

/* What a table is by its header; text and what follows wrapper are left to the caller.
 * minor -1: not known. -EBADMSG. */
int gopclntab_parse(struct gopclntab *ret, struct cursor table, int minor);

/* How many bytes of funcdata the inline trees of a table reach to. */
uint64_t gopclntab_funcdata_len(const struct gopclntab *t);

/* The table of a program: gomodule.c. -ENOENT, -EBADMSG, -ENOTSUP: *why says more. */
int gopclntab_open(struct gopclntab *ret, const struct elf *elf, const char **why);
/* For that: the inline trees of a sample of its functions parse, with this funcdata, and
 * there are some. The largest funcID in the table. */
bool gopclntab_trees_hold(const struct gopclntab *t);
uint8_t gopclntab_max_id(const struct gopclntab *t);

/* The rest is resolver.h's gopclntab_resolver, whose self is a struct gopclntab, and
 * what only this source can answer. addr is of the file, as it is. */

/* Is it Go code, or padding between Go functions? */
bool gopclntab_covers(const struct gopclntab *t, uint64_t addr);
/* Bytes of all that, from text on. */
uint32_t gopclntab_text_len(const struct gopclntab *t);
/* The first address of the function that addr is in. */
bool gopclntab_entry(const struct gopclntab *t, uint64_t addr, uint64_t *entry);
/* A function by its row, of n_funcs. false: no such row, or a bad one. */
struct go_function {
	uint64_t entry;
	uint32_t len;
	const char *name; /* in the table */
	uint8_t id;       /* funcID */
	bool assembly;
};
bool gopclntab_row(const struct gopclntab *t, uint32_t row, struct go_function *ret);

/* What unwinding asks of an address in Go code. */
struct go_pc {
	uint32_t spdelta; /* bytes between SP and the return address */
	bool has_spdelta; /* the table says so */
	bool spwrite; /* its function sets SP otherwise than by pushes and the like (Go 1.17) */
	bool assembly; /* its function is assembly (Go 1.18) */
	uint8_t kind;  /* enum frame_kind of its function */
};
/* false: addr is not in a Go function. C that Go's own linker has linked in (the race detector) is
 * none: the table has nothing but its name. */
bool gopclntab_pc(const struct gopclntab *t, uint64_t addr, struct go_pc *ret);
/* The most bytes that the function at addr has between SP and its return address. */
uint32_t gopclntab_max_spdelta(const struct gopclntab *t, uint64_t addr);

/*
 * Ranges of assembly that may hold data in the frame pointer: a package's assembly, if one of its
 * functions has a frame and so could save its caller's. The runtime's own keeps the frame pointer
 * and is left out. At most cap ranges, in order; where there are more, the nearest are joined.
 */
struct go_range {
	uint64_t start, end;
};
uint32_t gopclntab_bp_data(const struct gopclntab *t, struct go_range *ret, uint32_t cap);

/* What a goroutine that starts at addr really runs: name in strs, 0 when no Go function starts
 * there. */
uint32_t gopclntab_start(const struct gopclntab *t, uint64_t addr, struct strtab *strs);
/* By name, assembly before a wrapper of the same name. Looks at every name. */
bool gopclntab_function(const struct gopclntab *t, const char *name, uint64_t *entry,
			uint32_t *len);

#endif
