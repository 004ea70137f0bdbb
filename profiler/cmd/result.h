/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where record writes: to a recording, which grows once a second, or in a writer's format
 * at the end. Output for stdout goes through a memory file and from there as fast as the
 * reader accepts it, so a reader that stalls holds up neither sampling nor -d nor Ctrl-C.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "profiler/base/arena.h"
#include "profiler/base/file.h"
#include "profiler/profile/view.h"

struct recording;
struct writer;

/* Bytes on their way to stdout; { .memory = -1 } if unused. */
struct stream {
	int memory; /* file descriptor, owned */
	off_t sent;
};

struct result {
	const char *path; /* "-": stdout; NULL before result_open(): a default name */
	const struct writer *writer; /* NULL: a recording */
	struct grouping by;          /* for the writer */

	/* private */
	bool by_default, created; /* created: there was no such file before */
	int old; /* a file that still holds what it held before; -1: none. Owned */
	const char *stem, *ending;
	struct recording *recording;
	struct outfile out;
	struct stream stream;
	struct arena arena;
};

/*
 * Creates the file, or makes sure that it can be created at the end. Without a path the
 * name is gostrobe-NAME-PID.gsr (pid 0: gostrobe-NAME.gsr), with -2, -3 … if that is taken:
 * then nothing is overwritten and no link is followed. Sets r->path in any case. Returns 0
 * or -errno.
 */
int result_open(struct result *r, const char *name, pid_t pid, const struct profile *p);
/* Sampling has begun: overwrites what an existing file held. Returns 0 or -errno. */
int result_begin(struct result *r, const struct profile *p);
/* Writes what is new, once a second. Returns -errno of a file. stdout gets what its reader
 * accepts, now and at each result_step(). */
int result_append(struct result *r, struct profile *p);
int result_step(struct result *r);
/*
 * Ends the result: writes the last rows, or everything in the writer's format. -errno;
 * -ETIMEDOUT: the reader of stdout stalled; -EINTR: a signal arrived while waiting for the
 * reader. On a terminal we wait without limit, because somebody may be reading in a pager
 * and can press Ctrl-C.
 */
int result_finish(struct result *r, struct profile *p);
/* Nothing was recorded: removes the file if result_open() created it. */
void result_leave_nothing(struct result *r);
/* Accepts a result that was never opened. */
void result_close(struct result *r);
