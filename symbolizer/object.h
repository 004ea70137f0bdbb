/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thing that can be mapped, whoever maps it: a file, an image that is only in memory, or
 * what has a name only in maps ("[anon]"). It owns the mapping of its file, the sources of
 * its names and what was asked of it.
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

/* Which file it is. inode 0: not one, and the path counts too. */
struct object_key {
	uint64_t dev, inode, size, mtime_ns;
};

/* A resolver and what it opened. */
struct source {
	const struct resolver *resolver;
	void *self;
};

enum { SOURCES_MAX = 2 };

struct object {
	struct object_key key;
	char *path;      /* as the process that showed it first saw it */
	char root[32];   /* where that path begins, of a process that has it; "": here */
	struct elf *elf; /* NULL: not an ELF file, or one we may not read */
	void *bytes;     /* of elf, when it is in no file */
	bool vdso;
	bool changed; /* its file was truncated or rewritten, or its debug file truncated, while we read it */
	bool counted; /* by the symbolizer, as changed */
	int fd;       /* of its file; -1: there is none, or too many are open */
	struct source sources[SOURCES_MAX]; /* best first */
	uint32_t n_sources;                 /* 0: its addresses have no names */
	const struct gopclntab *go;         /* one of them; NULL: none */
	bool runtime; /* it brings a Go runtime of its own: plugins do not */
	char version[GO_VERSION_MAX]; /* "": not built by Go */
	const char *why; /* a Go program has no names, or is of 32 bits; else NULL */
	uint32_t row;    /* of the symbolizer's modules; 0: no frame was here yet */
	uint64_t used;   /* when it was last asked for: objects.clock */
	bool in_use;     /* set before objects_sweep() */
	struct framecache cache;
	struct go_pc_memo
		*go_pcs; /* owned; what object_go_pc() answered last; NULL: nothing */
};

struct object_key object_key(const struct stat *st);
/* fd -1: no file to read. An fd that is no ELF file gives an object without names. The
 * fd may be closed afterwards. */
struct object *object_new(int fd, const struct object_key *key, const char *path,
			  size_t path_len, const char *root);
/* The same of an image in memory, which becomes the object's. */
struct object *object_of_bytes(void *bytes, size_t size, const struct object_key *key,
			       const char *path, size_t path_len);
void object_free(struct object *o); /* takes NULL */

/* As gopclntab_pc() of o->go, which is not NULL; remembers the answers for some thousand
 * addresses. */
struct go_pc;
bool object_go_pc(struct object *o, uint64_t addr, struct go_pc *ret);

/* Was its file truncated or rewritten while we read it? Then nothing more is taken from it. */
bool object_changed(const struct object *o);
/* Asks for that, after something was read that may be kept. false: it was, and what was read may be wrong. Its
 * size and the time of its last change tell; not ctime, which also changes when a file is renamed or deleted, as
 * any upgrade does. 0.3 us. */
bool object_check(struct object *o);

/* Asks the sources, past the cache: FRAMES_AT_PC fit into out; always at least one
 * frame. */
int object_resolve(struct object *o, uint64_t addr, struct strtab *strs, struct frame *out);

#endif
