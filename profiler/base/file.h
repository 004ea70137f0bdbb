/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads whole files, and writes output that is never incomplete, or to slow readers. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct buf;

/* Appends a file of unknown size (such as those in /proc) to b; dirfd as in openat().
 * -EFBIG if it has more than max bytes. */
int file_read(int dirfd, const char *path, size_t max, struct buf *b);
/* The rest of the first line that has `key`, in a small file in /proc or /sys; "": none.
 * Returns line. */
const char *file_line(char line[64], const char *key, const char *path);
/* That line as bytes, where it says "812 kB"; 0: there is none. */
uint64_t file_line_bytes(const char *key, const char *path);

/* Writes at most PIPE_BUF bytes to stdout, once its reader takes them, for which it waits
 * up to timeout_ms. Returns how many; 0: none yet; or -errno. */
ssize_t stdout_send(const void *bytes, size_t n, int timeout_ms);

/* An output file, written beside its path and renamed when complete, or not at all. */
struct outfile {
	FILE *out;  /* write here */
	char *path; /* owned; NULL: tmp is already the final name */
	char *tmp;  /* owned; NULL for "-", devices and pipes: written in place */
};

/* Creates a new file, written in place. -EEXIST: the name exists, even if as a link. */
int outfile_create(struct outfile *f, const char *path);
/* path "-" is stdout. -EISDIR or an error of open(). */
int outfile_open(struct outfile *f, const char *path);
/* Flushes and renames. On any error the old file stays as it was. Always closes. */
int outfile_commit(struct outfile *f);
/* Keeps what was there before. Safe on { 0 } and after a commit. */
void outfile_abort(struct outfile *f);
