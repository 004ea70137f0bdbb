/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of /proc/PID/maps. */
#ifndef SYMBOLIZER_MAPS_H
#define SYMBOLIZER_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct mapping {
	uint64_t start, end; /* end > start */
	uint64_t offset;     /* in the file */
	uint64_t inode;      /* 0: no file */
	const char *path;    /* in the text, no NUL, newlines as "\012"; "[vdso]", … */
	uint32_t path_len;   /* 0: anonymous; without " (deleted)" */
	bool deleted, writable, executable;
};

/* Reads on to the next mapping, past lines that are none. false: no more. */
bool maps_next_any(struct cursor *text, struct mapping *ret);
/* To the next executable one. */
bool maps_next(struct cursor *text, struct mapping *ret);
bool mapping_is(const struct mapping *m, const char *path);

#endif
