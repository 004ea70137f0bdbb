/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a process as the kernel sees them. A BPF task iterator reads the task
 * structs; it stops no thread. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "bpf/threads.h"

struct threads_bpf; /* the iterator, generated from bpf/threads.bpf.c */

/* Loads it. Negative errno; *what then names the call that failed. */
int threads_open(struct threads_bpf **ret, const char **what);
void threads_close(struct threads_bpf *t); /* takes NULL */

/* The threads of pid (in our namespace) that have not ended; the caller frees *rows.
 * -ESRCH: there are none. */
int threads_read(struct threads_bpf *t, pid_t pid, struct thread_state **rows, uint32_t *n);
