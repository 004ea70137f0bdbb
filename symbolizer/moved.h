/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that have moved their text out of its file into memory of their own, to have it on huge
 * pages. It stays at its address, and the rest of the file stays mapped around it, which tells what
 * file to compare it with. Only text of which every byte is the file's is taken for it.
 */
#ifndef SYMBOLIZER_MOVED_H
#define SYMBOLIZER_MOVED_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/buf.h"
#include "symbolizer/maps.h"

struct area;
struct object;
struct space;

/* For one reading of a process's maps. */
struct moved {
	struct space *space;
	const struct buf *maps; /* their text */
	const char *exe;        /* the path of what it was started from */
	/* Filled at the first question: */
	struct mapping *files; /* mappings of files, by address */
	uint32_t n_files, cap_files;
	bool searched;
	uint64_t compared; /* bytes */
	struct {
		uint64_t start; /* of a row of files; 0: none */
		struct object *object;
	} last[2]; /* that were asked for, before and behind an address */
};

/* Is m, executable and of no file, the moved text of one? Then *a is what names it, up to where that text
 * ends, which may be before m does. `before`: the area that was there at the last reading; NULL: none. */
bool moved_find(struct moved *v, const struct mapping *m, const struct area *before,
		struct area *a);
void moved_release(struct moved *v);

#endif
