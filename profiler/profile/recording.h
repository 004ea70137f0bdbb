/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recording: a profile as a file, written front to back while it grows, one write() per
 * block.
 *
 * Fixed-size numbers are little-endian, counts and lengths are LEB128 varints unless a size
 * is given.
 *
 *   file    = "gostrobe", major version (16 bits, 3), minor version (16 bits, 3), block…
 *   block   = kind, raw length, packed length, check (32 bits each), then one zstd frame
 *             with checksum, of packed length, which holds the block's parts
 *   check   = kind ^ raw length ^ packed length ^ 0x6b636f6c: tells a broken head from a
 *             cut file
 *   kind    = 1 HEADER, the first block; 2 ROWS, any number of them; 3 END, the last
 *   part    = length (32 bits), content
 *
 *   HEADER  = strings; a row of start_ns, command, n_cpus
 *   ROWS    = strings, modules, frames, calls, processes, threads, goroutines, kinds,
 *             events: the rows added since the block before. A block is taken whole or not
 *             at all.
 *   END     = a row of the fields of struct stats, not_go_names
 *   strings = count, the lengths, then the bytes of all strings without NULs
 *   a table = count, then, unless that is 0, its columns, in the order of the lists in
 *             columns.c
 *   column  = width in bytes (1 byte: 1 to 8), then the lowest byte of every row's number,
 *             then the second byte of every row's number, and so on: zstd packs better
 *             when similar bytes are adjacent
 *
 * Rows are numbered as in profile.h: a block continues where the previous one ended, and
 * row 0, which is "none", is not written. The numbers of a column are one of
 *   PLAIN   the field
 *   DELTA   the field minus that of the previous row, modulo 2^64, zig-zag; the column
 *           begins with a varint, which stands for the row before the first
 *   BACK    the row's own id minus the field: parents of calls
 *
 * Versions. Other major versions are refused. Numbers in files (kinds of block and of
 * frame, classes, ends, flags, the order of parts and of columns) keep their meaning within
 * a major version. A minor version may add kinds of block, parts at the end of a block,
 * columns at the end of a table, and values of enums and flags. If a file is of a newer
 * minor version than ours, these additions are skipped: an unknown enum value becomes the
 * enum's "unknown", an unknown flag is dropped. A column that an older minor version lacks
 * is 0. Added in 3.1: n_cpus of the header, go_module of modules; in 3.2: text of
 * modules, cpu of events; in 3.3: resource of processes.
 *
 * The loader refuses an id that is not below the number of rows read so far, a string that
 * comes twice or contains a NUL, a stack deeper than MAX_STACK_FRAMES, a block of more than
 * 128 MiB raw, unread bytes in a part or a block of our own minor version, and anything
 * after END.
 */
#pragma once

#include <stdint.h>

struct profile;
struct recording;

/* Writes the header to an empty file. The recording owns fd, also on error. -errno of
 * write(). */
int recording_create(struct recording **ret, int fd, const struct profile *p);
/*
 * Writes the rows added since the last call as one block, then drops the profile's events
 * and, by and by, rows of processes that have ended. If there are none it writes nothing.
 * On error the file is cut back to its last complete block, so it stays readable, and the
 * profile keeps its events. -errno of write(); -EFBIG: too much for one block.
 */
int recording_append(struct recording *r, struct profile *p);
/* Writes the last rows, then the END block with p->stats. Closes in any case; on error
 * there is no END block. */
int recording_finish(struct recording *r, struct profile *p);
/* Closes without an END block, as kill -9 would. Takes NULL. */
void recording_close(struct recording *r);

/*
 * Reads a whole file. If its end is missing, the profile has what is complete, and
 * p->complete is false. If a block is bad, the profile has what comes before it, and
 * p->damaged says what is wrong. A file that would take more than max bytes of memory, or
 * if max is 0 more than 40 times its size plus 64 MiB, is refused; p->tree_max is what
 * remains for a tree. -errno of open(); -EBADMSG with *why if it is not a recording, of
 * another major version, corrupt, or too short to hold anything; *why is valid until the
 * next call. The profile is read-only: its rows are not indexed, so nothing may be added to
 * it.
 */
int recording_load(struct profile **ret, const char *path, uint64_t max, const char **why);
