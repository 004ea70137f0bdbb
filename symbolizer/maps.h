/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of /proc/PID/maps. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct mapping {
	uint64_t start, end; /* end > start */
	uint64_t offset;     /* in the file */
	uint64_t inode;      /* 0: not a file */
	/* points into the text, no NUL, newlines as "\012"; "[vdso]", … */
	const char *path;
	uint32_t path_len; /* without " (deleted)"; 0: anonymous */
	bool deleted, writable, executable;
};

/* Advances to the next mapping, skipping malformed lines. False: no more. */
bool maps_next(struct cursor *text, struct mapping *ret);
bool mapping_is(const struct mapping *m, const char *path);
