/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes have mapped: each object is opened once, at the first sight of it, and stays while
 * one of them has it. Of the others those stay that were asked for last: a program that is started
 * again and again is not read each time.
 */
#ifndef SYMBOLIZER_OBJECTS_H
#define SYMBOLIZER_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/base/index.h"

struct mapping;
struct object;
struct object_key;

/* { 0 } is an empty one. */
struct objects {
	struct object **rows; /* owned */
	uint32_t n, cap;
	struct index index;
	uint64_t clock;     /* counts what was asked for */
	uint32_t swept;     /* how many the last objects_sweep() has left */
	uint32_t n_changed; /* of those that were closed: truncated while they were read */
};

void objects_release(struct objects *os);

/* Have so many been opened since the last objects_sweep() that it is time for one? */
bool objects_crowded(const struct objects *os);
/* Closes those that are not in_use, but for some that were asked for last; fn is told of each before. None is
 * in_use afterwards. */
void objects_sweep(struct objects *os, void (*fn)(void *arg, const struct object *o),
		   void *arg);

/* NULL: there is none. The path counts for what is in no file. */
struct object *objects_find(struct objects *os, const struct object_key *key,
			    const char *path, size_t path_len);
void objects_keep(struct objects *os, struct object *o); /* becomes the owner */

/* That of the file which a process sees as path below root. NULL: not a file, or it cannot be
 * read. inode 0: any; else the path may lead to another file by now. */
struct object *objects_of_file(struct objects *os, const char *file, uint64_t inode,
			       const char *path, size_t path_len, const char *root);
/* That of what has no file, but a name: "[anon]". */
struct object *objects_of_name(struct objects *os, const char *path, size_t path_len);
/* The vDSO, as it is in this process. Its bytes tell it apart: there are some of time
 * namespaces, and others of 32 bits. */
struct object *objects_of_vdso(struct objects *os, pid_t pid, const struct mapping *m);

#endif
