/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recording: a profile as a file, written while it grows, front to back, one write() a block.
 *
 * Numbers outside of blocks are 32 bits, little-endian.
 *
 *   file   = "gostrobe", version (2), block…
 *   block  = kind, raw length, packed length, check, one zstd frame with checksum of packed length
 *   check  = kind ^ raw length ^ packed length ^ 0x6b636f6c: tells a broken head from a cut file
 *   kind   = 1 HEADER, the first block; 2 ROWS, any number; 3 END, the last; others are skipped
 *
 * What the frames hold; counts and lengths are LEB128 varints:
 *
 *   HEADER = strings, one row of: start_ns, period_ns, unit, event_name, freq, command
 *   ROWS   = strings, modules, frames, calls, processes, threads, goroutines, events: the rows
 *            added since the block before; a block is taken whole or not at all
 *   END    = one row of: the fields of struct truth, not_go_names
 *   strings = count, the lengths, then the bytes of all, one after the other, without NULs
 *   a table = count, then, unless that is 0, its columns, in the order of the lists in columns.c
 *   column  = width (1 byte, 1 to 8), the lowest byte of every row's number, the next byte of
 *             every row's … width times: what is alike lies together, for zstd
 *
 * Rows are numbered as in profile.h: those of a block go on where the block before ended, and
 * row 0, which is "none", is not written. The numbers of a column are one of
 *   PLAIN   the field
 *   DELTA   the field minus that of the row before, modulo 2^64, zig-zag; before the width stands
 *           what the first row's is relative to, varint
 *   BACK    own id minus the field: parents of calls
 * Refused: an id not below the number of rows read so far, a kind, class or flag that is none, a
 * string twice or with a NUL inside, a stack deeper than MAX_STACK_FRAMES, a block over 128 MiB
 * raw, bytes left over in a block or after END.
 */
#ifndef PROFILER_RECORDING_H
#define PROFILER_RECORDING_H

struct profile;
struct recording;

/* Creates or overwrites path and writes the header. -errno of open() and write(). */
int recording_create(struct recording **ret, const char *path, const struct profile *p);
/* To a file that is open already, and empty; fd is the recording's, also on error. */
int recording_create_fd(struct recording **ret, int fd, const struct profile *p);
/*
 * Writes the rows added since the last call as one block, then drops the profile's events. Nothing
 * new: writes nothing. On error the file is cut back to its last whole block, so it stays readable,
 * and the profile keeps its events. -errno of write(); -EFBIG: too much for one block.
 */
int recording_append(struct recording *r, struct profile *p);
/* Last rows, then the END block with p->truth; closes in any case. Without an END on error. */
int recording_finish(struct recording *r, struct profile *p);
/* Closes without an END block, as kill -9 would. Takes NULL. */
void recording_close(struct recording *r);

/*
 * Reads a whole file. A file whose tail was cut off gives what is whole, with p->complete false; so
 * does one with a bad block, with what is before that, and p->damaged. A file that would take more
 * memory than 40 times its size and 64 MiB is refused; stacks have a limit of their own, 16,384 times
 * the size and 64 MiB, of which p->tree_max is left for a tree.
 * -errno of open(); -EBADMSG with *why (a static string) when it is not ours, of another version,
 * corrupt, or too short to hold anything. The profile is for reading: its rows cannot be found
 * by content again, so nothing may be added to it.
 */
int recording_load(struct profile **ret, const char *path, const char **why);

#endif
