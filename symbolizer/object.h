/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anything that can be mapped: a file, an image that is only in memory, or something with a
 * name only in maps ("[anon]"). It is shared by all processes that map it. It owns the
 * mapping of its file, the sources of its names and a cache of results.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/base/index.h"
#include "symbolizer/framecache.h"
#include "symbolizer/gobuildinfo.h"

struct elf;
struct gopclntab;
struct mapping;
struct resolver;
struct strtab;

/* Identifies a file. inode 0: not a file; then the path counts too. */
struct object_key {
	uint64_t dev, inode, size, mtime_ns;
};

/* A resolver and its state. */
struct source {
	const struct resolver *resolver;
	void *self;
};

enum { SOURCES_MAX = 2 };

struct object {
	struct object_key key;
	char *path;      /* as first seen by the process that showed it */
	char root[32];   /* root of that path, of a process that has it; "": ours */
	struct elf *elf; /* NULL: not an ELF file, or not readable for us */
	void *bytes;     /* owned: elf's bytes if they are in no file */
	bool vdso;
	/* its file changed, or its debug file was truncated, while we read it */
	bool changed;
	bool counted; /* the symbolizer has counted it as changed */
	int fd;       /* of its file; -1: none, or too many are open */
	struct source sources[SOURCES_MAX]; /* best first */
	uint32_t n_sources;                 /* 0: its addresses have no names */
	const struct gopclntab *go;         /* the Go one of them; NULL: none */
	bool runtime;                       /* it contains a Go runtime; plugins do not */
	char version[GO_VERSION_MAX];       /* "": not built by Go */
	const char *why; /* why a Go program has no names or is not supported; else NULL */
	uint32_t row;    /* in the symbolizer's modules; 0: no frame yet */
	uint64_t used;   /* objects.clock at its last use */
	bool in_use;     /* set before objects_sweep() */
	struct framecache cache;
	struct go_pc_memo *go_pcs; /* owned; recent answers of object_go_pc(); NULL: none */
};

/* fd -1: no file to read. If fd is not an ELF file, the object has no names. The fd may be
 * closed afterwards. */
struct object *object_new(int fd, const struct object_key *key, const char *path,
			  size_t path_len, const char *root);
/* The same for an image in memory, which the object takes over. bytes NULL: not known. */
struct object *object_of_bytes(void *bytes, size_t size, const struct object_key *key,
			       const char *path, size_t path_len);
void object_free(struct object *o); /* takes NULL */

/* As gopclntab_pc() for o->go, which must not be NULL. Caches the answers for some thousand
 * addresses. */
struct go_pc;
bool object_go_pc(struct object *o, uint64_t addr, struct go_pc *ret);

/* Was its file truncated or rewritten while we read it? Then nothing more is read from
 * it. */
bool object_changed(const struct object *o);
/* Checks for that, after reading something that may be cached. False: it changed, and what
 * was read may be wrong. Decided by size and mtime; not by ctime, which also changes when a
 * file is renamed or deleted, as in any upgrade. Takes 0.3 us. */
bool object_check(struct object *o);

/* Asks the sources, not the cache. out has room for FRAMES_AT_PC frames; there is always at
 * least one. */
int object_resolve(struct object *o, uint64_t addr, struct strtab *strs, struct frame *out);

/*
 * What processes have mapped. Each object is opened once, when it is first seen, and kept
 * while a process has it mapped. Of the others the most recently used are kept, so that a
 * program that is started again and again is not read each time. { 0 } is empty.
 */
struct objects {
	struct object **rows; /* owned */
	uint32_t n, cap;
	struct index index;
	uint64_t clock; /* counts look-ups */
	uint32_t swept; /* number of objects left by the last objects_sweep() */
};

void objects_release(struct objects *os);

/* Have enough been opened since the last objects_sweep() to need another? */
bool objects_crowded(const struct objects *os);
/* Closes those that are not in_use, except for the most recently used. fn is called for
 * each before it is closed. Clears in_use. */
void objects_sweep(struct objects *os, void (*fn)(void *arg, const struct object *o),
		   void *arg);

/* Gives back memory of their files' pages: most of what was read is needed once, and the
 * rest comes back at little cost. */
void objects_rest(const struct objects *os);

/* NULL: there is none. The path only counts for objects that are not files. */
struct object *objects_find(struct objects *os, const struct object_key *key,
			    const char *path, size_t path_len);
/* Adds an object, which os owns from now on. Returns it. */
struct object *objects_keep(struct objects *os, struct object *o);

/* The object of the file that a process sees as path below root. NULL: not a file, or not
 * readable. inode 0: any; else checked, because the path may lead to another file by
 * now. */
struct object *objects_of_file(struct objects *os, const char *file, uint64_t inode,
			       const char *path, size_t path_len, const char *root);
/* The object of something that has no file but a name: "[anon]". */
struct object *objects_of_name(struct objects *os, const char *path, size_t path_len);
/* The vDSO of this process. It is identified by its bytes, because time namespaces have
 * different ones, and so have 32-bit processes. */
struct object *objects_of_vdso(struct objects *os, pid_t pid, const struct mapping *m);
