/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a CPU profile in pprof's format, as runtime/pprof and `export -f pprof` write it,
 * into a profile, so that all that views recordings can view it too. pprof adds equal
 * samples up, and keeps no times: here each is an event again, and events are spread evenly
 * over the duration. A leaf runtime.asyncPreempt is left out. The labels goid, go_parent,
 * go_start and go_created_by make goroutines; other labels are labels.
 */
#pragma once

struct profile;

/* Packed or not. -errno of reading; -EBADMSG with *why, a static string, if it is no CPU
 * profile, corrupt, or larger than any profile needs to be: 64 MiB unpacked, 10 million
 * samples. */
int pprof_read(struct profile **ret, const char *path, const char **why);
