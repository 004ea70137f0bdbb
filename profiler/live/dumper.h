/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes dumps (profiler/profile/dump.h) of a process: the reader of its goroutines
 * (profiler/goruntime/goroutines.h) gives what the kernel side gives of a thread, so the
 * same unwinder and the same names serve both. Needs no BPF and stops nothing.
 */
#pragma once

#include <sys/types.h>

struct dump;
struct dumper;

/*
 * Opens a process for one dump, which is empty (dump_init()) and outlives the dumper.
 * -ESRCH, -EACCES or -EPERM: it cannot be read; -ENOEXEC: not a Go program; -ENOTSUP: it
 * is, but its goroutines cannot be found; -EAGAIN: it has only just started. *why (static)
 * says more, or is NULL.
 */
int dumper_open(struct dumper **ret, pid_t pid, struct dump *dump, const char **why);
void dumper_close(struct dumper *d); /* takes NULL */

/* Reads all goroutines into the dump. -ESRCH: the process has ended meanwhile. */
int dumper_look(struct dumper *d);
/* Marks those that have not run since. */
int dumper_look_again(struct dumper *d);
