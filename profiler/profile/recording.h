/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recording: a profile as a file, written front to back while it grows, one write() per
 * block.
 *
 * Fixed-size numbers are little-endian, counts and lengths are LEB128 varints unless a size
 * is given.
 *
 *   file    = "gostrobe", major version (16 bits, 3), minor version (16 bits, 1), block…
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
 *             then the second byte of every row's number, and so on: like bytes lie
 *             together, for zstd
 *
 * Rows are numbered as in profile.h: those of a block continue where the block before
 * ended, and row 0, which is "none", is not written. The numbers of a column are one of
 *   PLAIN   the field
 *   DELTA   the field minus that of the row before, modulo 2^64, zig-zag; the column begins
 *           with a varint, from which the first row's difference is taken
 *   BACK    own id minus the field: parents of calls
 *
 * Versions. A major version that is not ours is refused. Numbers that files hold (kinds of
 * block and of frame, classes, ends, flags, the order of parts and of columns) keep their
 * meaning within a major version. A minor version may add kinds of block, parts behind the
 * last of a block, columns behind the last of a table, and values of enums and flags. Of a
 * newer minor version than ours these additions are skipped; an enum's value becomes its
 * "unknown", a flag is dropped. A column that an older minor version lacks is 0. Added in
 * 3.1: n_cpus of the header, go_module of modules.
 *
 * Refused: an id not below the number of rows read so far, a string twice or with a NUL
 * inside, a stack deeper than MAX_STACK_FRAMES, a block over 128 MiB raw, bytes left over
 * in a part or a block of our own minor version, anything after END.
 */
#ifndef PROFILER_RECORDING_H
#define PROFILER_RECORDING_H

struct profile;
struct recording;

/* Writes the header to an empty file. The recording owns fd, also on error. -errno of
 * write(). */
int recording_create(struct recording **ret, int fd, const struct profile *p);
/*
 * Writes the rows added since the last call as one block, then drops the profile's events.
 * Nothing new: writes nothing. On error the file is cut back to its last whole block, so it
 * stays readable, and the profile keeps its events. -errno of write(); -EFBIG: too much for
 * one block.
 */
int recording_append(struct recording *r, struct profile *p);
/* Last rows, then the END block with p->stats; closes in any case. Without an END on
 * error. */
int recording_finish(struct recording *r, struct profile *p);
/* Closes without an END block, as kill -9 would. Takes NULL. */
void recording_close(struct recording *r);

/*
 * Reads a whole file. A file whose tail was cut off gives what is whole, with p->complete
 * false; so does one with a bad block, with what is before that, and p->damaged. A file
 * that would take more memory than 40 times its size and 64 MiB is refused; stacks have a
 * limit of their own, 16,384 times the size and 64 MiB, of which p->tree_max is left for a
 * tree. -errno of open(); -EBADMSG with *why when it is not a recording, of another major
 * version, corrupt, or too short to hold anything; *why is valid until the next call. The
 * profile is for reading: its rows cannot be found by content again, so nothing may be
 * added to it.
 */
int recording_load(struct profile **ret, const char *path, const char **why);

#endif
