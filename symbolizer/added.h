/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go code that a program generates at run time and registers with its runtime: a moduledata
 * that follows the program's own in the list, with its tables in memory, as the code is.
 * Compilers of JSON encoders and the like do this so that their functions show up in
 * stacks.
 *
 * The runtime's list says what an address is at any moment. It is read along with the maps
 * of the process, and checked for changes while samples come from such code. Memory may be
 * freed and reused for other code, so what is no longer in the list, or no longer has the
 * bytes it had when it was found, has no names. The number of modules and the bytes of
 * their tables and code are bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/gopclntab.h"

struct space;

enum {
	ADDED_LINKS = 4096,    /* modules of a process's lists that are read */
	ADDED_BYTES = 4 << 20, /* of tables and code kept for a process */
};

struct added_module {
	uint64_t start, end; /* its code in the process */
	uint64_t hash;       /* of the contents of its moduledata */
	/* CLOCK_MONOTONIC; before, other code may have been here. 0: unlikely */
	uint64_t since;
	struct gopclntab table;
	uint8_t *bytes; /* owned: the memory of table, then the code */
	const uint8_t *code;
	void *funcdata; /* owned, for table; NULL: none */
	size_t size;    /* of bytes and funcdata */
	bool seen;      /* since is set */
	bool doubtful;  /* another module claims the same address */
	bool spoilt;    /* the code has changed since it was found */
};

struct added_link {
	uint64_t addr, hash; /* address of a moduledata; hash of the words we use */
	const struct gopclntab *like;
};

/* The modules of a process. { 0 } is empty. */
struct added {
	struct added_link *links; /* all moduledata in list order */
	uint32_t n_links, cap_links;
	struct added_module **modules; /* owned; sorted by address */
	uint32_t n_modules, cap_modules;
	size_t size; /* of all modules' bytes */
};

/* Reads the lists of all runtimes and assigns memory areas without a file to the modules.
 * sp has the areas as the maps list them, before has those of the last time. */
void added_find(struct space *sp, const struct space *before);
void added_release(struct added *a);
