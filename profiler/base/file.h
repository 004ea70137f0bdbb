/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files: reading, and output that is never half-written. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>

struct buf;

/* Appends the whole of a file of unknown size (as those in /proc) to b; dirfd as in openat().
 * -EFBIG past max bytes. */
int file_read(int dirfd, const char *path, size_t max, struct buf *b);

/* An output file beside its place: written in full, then renamed over it, or not at all. */
struct outfile {
	FILE *out;  /* write here */
	char *path; /* owned; NULL: tmp has the name already */
	char *tmp;  /* owned; NULL for "-", devices and pipes: written in place */
};

/* A new file, written in place: -EEXIST when there is something of that name, be it a link. */
int outfile_create(struct outfile *f, const char *path);
/* path "-" is stdout. -EISDIR and whatever open() says. */
int outfile_open(struct outfile *f, const char *path);
/* Flushes, syncs the rename; on any error the old file stays as it was. Always closes. */
int outfile_commit(struct outfile *f);
/* Leaves what was there before. Safe on { 0 } and after a commit. */
void outfile_abort(struct outfile *f);

#endif
