/* SPDX-License-Identifier: BSD-2-Clause */
/* One source of names for one module. The list of them is in object.c, best source first. */
#ifndef SYMBOLIZER_RESOLVER_H
#define SYMBOLIZER_RESOLVER_H

#include <stdint.h>

#include "symbolizer/frame.h"

struct elf;
struct strtab;

/* What is to be named. All of it outlives what is opened for it. */
struct binary {
	const struct elf *elf;
	const char *path; /* as its process sees it */
	const char *root; /* where that path begins: "/proc/812/root"; "": here */
};

struct func {
	uint64_t addr, size; /* in the module's file */
	const char *name;    /* valid during the call */
	const char *file;
	uint32_t line; /* where it starts; 0: not known */
};

struct resolver {
	const char *name;
	/* -ENOENT: this module has no such table; -EBADMSG: it is broken; -ENOTSUP: too old or
	 * too new. *why then says more. */
	int (*open)(void **ret, const struct binary *b, const char **why);
	/* Frames at addr, innermost first, module not filled. Number of them, at most cap;
	 * 0: not mine; -EBADMSG: the table lies. */
	int (*find)(void *self, uint64_t addr, struct strtab *strs, struct frame *out,
		    int cap);
	/* Every function, by address, until fn returns non-zero, which is then returned. */
	int (*each)(void *self, int (*fn)(void *arg, const struct func *f), void *arg);
	void (*close)(void *self); /* takes NULL */
};

extern const struct resolver gopclntab_resolver; /* self is a struct gopclntab */
extern const struct resolver symtab_resolver;    /* of C and the like */

#endif
