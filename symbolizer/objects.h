/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes have mapped. Each object is opened once, when it is first seen, and kept
 * while a process has it mapped. Of the others the most recently used are kept, so that a
 * program that is started again and again is not read each time.
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

/* { 0 } is empty. */
struct objects {
	struct object **rows; /* owned */
	uint32_t n, cap;
	struct index index;
	uint64_t clock;     /* counts look-ups */
	uint32_t swept;     /* number of objects left by the last objects_sweep() */
	uint32_t n_changed; /* closed ones that were truncated while they were read */
	char *changed;      /* owned: the path of the last of them */
};

void objects_release(struct objects *os);

/* Have enough been opened since the last objects_sweep() to need another? */
bool objects_crowded(const struct objects *os);
/* Closes those that are not in_use, except for the most recently used. fn is called for
 * each before it is closed. Clears in_use. */
void objects_sweep(struct objects *os, void (*fn)(void *arg, const struct object *o),
		   void *arg);

/* NULL: there is none. The path only counts for objects that are not files. */
struct object *objects_find(struct objects *os, const struct object_key *key,
			    const char *path, size_t path_len);
void objects_keep(struct objects *os, struct object *o); /* takes ownership */

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

#endif
