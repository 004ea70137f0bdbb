/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thing that can be mapped, whoever maps it: a file, or what has a name only in maps
 * ("[vdso]", "[anon]"). It owns the mapping of its file, the source of its names and what
 * was asked of it.
 */
#ifndef SYMBOLIZER_OBJECT_H
#define SYMBOLIZER_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "symbolizer/framecache.h"
#include "symbolizer/gobuildinfo.h"

struct elf;
struct gopclntab;
struct resolver;
struct stat;
struct strtab;

/* Which file it is. All 0: not one. */
struct object_key {
	uint64_t dev, inode, size, mtime_ns;
};

struct object {
	struct object_key key;
	char *path;                      /* as the process that showed it first saw it */
	struct elf *elf;                 /* NULL: not an ELF file, or one we may not read */
	const struct resolver *resolver; /* NULL: its addresses have no names */
	void *names;                     /* self of the resolver */
	const struct gopclntab *go;      /* the same, when that is what it is; else NULL */
	char version[GO_VERSION_MAX];    /* "": not built by Go */
	const char *why;                 /* a Go program has no names; else NULL */
	uint32_t row; /* of the symbolizer's modules; 0: no frame was here yet */
	struct framecache cache;
};

struct object_key object_key(const struct stat *st);
/* fd -1: no file to read. An fd that is no ELF file gives an object without names. The
 * fd may be closed afterwards. */
struct object *object_new(int fd, const struct object_key *key, const char *path,
			  size_t path_len);
void object_free(struct object *o); /* takes NULL */

/* Asks the resolver, past the cache: FRAMES_AT_PC fit into out; always at least one
 * frame. */
int object_resolve(struct object *o, uint64_t addr, struct strtab *strs, struct frame *out);

#endif
