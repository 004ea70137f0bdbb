/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that copy their text from its file to memory of their own, to have it on huge
 * pages. The text keeps its address, and the rest of the file stays mapped around it, which
 * shows what file to compare it with. Memory is taken for moved text only if every byte is
 * the file's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/buf.h"
#include "symbolizer/maps.h"

struct area;
struct object;
struct space;

/* State for one reading of a process's maps. */
struct moved {
	struct space *space;
	const struct buf *maps; /* their text */
	const char *exe;        /* path of the program that was started */
	/* filled at the first question: */
	struct mapping *files; /* mappings of files, sorted by address */
	uint32_t n_files, cap_files;
	bool searched;
	uint64_t compared; /* bytes */
	struct {
		uint64_t start; /* of a row of files; 0: none */
		struct object *object;
	} last[2]; /* results of the last look-ups, before and after an address */
};

/* Is m, which is executable and not of a file, the moved text of a file? Then sets *a to
 * the area that names it, up to the end of that text, which may be before the end of m.
 * before: the area that was there at the last reading; NULL: none. */
bool moved_find(struct moved *v, const struct mapping *m, const struct area *before,
		struct area *a);
void moved_release(struct moved *v);
