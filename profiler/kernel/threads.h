/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a process as the kernel has them: a BPF task iterator reads the task structs and
 * stops nobody. */
#ifndef PROFILER_THREADS_H
#define PROFILER_THREADS_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/threads.h"

struct threads;

/* Loads the iterator. Negative errno, *what names the call. */
int threads_open(struct threads **ret, const char **what);
void threads_close(struct threads *t); /* takes NULL */

/* The threads of pid (as we see it) that have not ended, to be freed by the caller. -ESRCH: there
 * are none. */
int threads_read(struct threads *t, pid_t pid, struct thread_state **rows, uint32_t *n);

#endif
