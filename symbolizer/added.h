/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go code that a program has made while it runs, and has told its runtime of: a moduledata behind that
 * of the program, whose tables are in memory, as the code is. Compilers of JSON encoders and the like
 * do so, to have their functions in stacks.
 *
 * The runtime's list says at any moment what an address is; it is followed when the maps of the process are
 * read, and looked at again, whether it is still the same, while samples come from such code. Memory may be
 * given back and get other code: what is no longer in the list, or no longer has the bytes with which it was
 * found, has no names. Everything is bounded: modules, and the bytes of their tables and code.
 */
#ifndef SYMBOLIZER_ADDED_H
#define SYMBOLIZER_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/gopclntab.h"

struct space;

enum {
	ADDED_LINKS = 4096,    /* of a process's lists of modules that are followed */
	ADDED_BYTES = 4 << 20, /* of tables and code that are kept, of a process */
};

struct added_module {
	uint64_t start, end; /* its code, in the process */
	uint64_t hash;       /* of what its moduledata says */
	uint64_t
		since; /* CLOCK_MONOTONIC: until then other code may have been there; 0: hardly */
	struct gopclntab table;
	uint8_t *bytes; /* owned: what table is of, then the code */
	const uint8_t *code;
	void *funcdata; /* owned, of table; NULL: none */
	size_t size;    /* of bytes and funcdata */
	bool seen;      /* since means something */
	bool doubtful;  /* another one claims the same address */
	bool spoilt;    /* the code has changed since it was found */
};

struct added_link {
	uint64_t addr, hash; /* of a moduledata, and of its words that matter */
	const struct gopclntab *like;
};

/* Of a process. { 0 } is an empty one. */
struct added {
	struct added_link *links; /* all in the lists, in that order */
	uint32_t n_links, cap_links;
	struct added_module **modules; /* owned; by address */
	uint32_t n_modules, cap_modules;
	size_t size; /* of all modules' bytes */
};

/* Reads the lists of all runtimes and divides areas of memory without a file among the modules. Areas
 * are as the maps say; before: those of the last time. */
void added_find(struct space *sp, const struct space *before);
void added_release(struct added *a);

#endif
