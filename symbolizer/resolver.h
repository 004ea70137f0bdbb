/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface for sources of names. object.c lists them, best source first. */
#pragma once

#include <stdint.h>

#include "symbolizer/frame.h"

struct elf;
struct strtab;

/* The file to resolve. It must outlive what is opened for it. */
struct binary {
	const struct elf *elf;
	const char *path; /* as its process sees it */
	const char *root; /* root of that path: "/proc/812/root"; "": ours */
};

struct func {
	uint64_t addr, size; /* of the module's file */
	const char *name;    /* valid during the call */
	const char *file;
	uint32_t line; /* its first line; 0: unknown */
};

struct resolver {
	const char *name;
	/* -ENOENT: this module has no such table; -EBADMSG: it is broken; -ENOTSUP: too old
	 * or too new. *why then says more. */
	int (*open)(void **ret, const struct binary *b, const char **why);
	/* Finds the frames at addr, innermost first, without module. Returns their number,
	 * at most cap; 0: addr is not in this table; -EBADMSG: the table is wrong. */
	int (*find)(void *self, uint64_t addr, struct strtab *strs, struct frame *out,
		    int cap);
	/* Calls fn for every function, sorted by address, until it returns non-zero.
	 * Returns that value. */
	int (*each)(void *self, int (*fn)(void *arg, const struct func *f), void *arg);
	void (*close)(void *self); /* takes NULL */
};

extern const struct resolver gopclntab_resolver; /* self is a struct gopclntab */
extern const struct resolver symtab_resolver;    /* for C and the like */
