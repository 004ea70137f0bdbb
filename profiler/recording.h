/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recording: a profile as a file, written while it grows.
 */
#ifndef PROFILER_RECORDING_H
#define PROFILER_RECORDING_H

struct profile;
struct recording;

/* Creates or overwrites path and writes the header. -errno of open() and write(). */
int recording_create(struct recording **ret, const char *path, const struct profile *p);
/* Writes the rows added since the last call as one block, then drops the profile's events. Nothing new: writes nothing. On error
 * the file is cut back to its last whole block, so it stays readable. */
int recording_append(struct recording *r, struct profile *p);
/* Last rows, then the END block with p->truth; closes in any case. */
int recording_finish(struct recording *r, struct profile *p);
/* Closes without an END block, as kill -9 would. Takes NULL. */
void recording_close(struct recording *r);

/*
 * Reads a whole file. A file whose tail was cut off gives what is whole, with p->complete false. -errno of open();
 * -EBADMSG with *why (a static string) when it is not ours, of another version, corrupt, or too
 * short to hold anything.
 */
int recording_load(struct profile **ret, const char *path, const char **why);

#endif
