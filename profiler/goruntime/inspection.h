/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be found out about a Go program or a process: where g is, how that is known, and
 * what each thread has there.
 *
 * Each thread is read while it is stopped, by the code that the kernel side runs for a
 * sample. Its thread pointer is read in two independent ways. Nothing else in gostrobe ever
 * stops a thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "profiler/goruntime/golayout.h"
#include "profiler/goruntime/tracee.h"
#include "profiler/kernel/threads.h"
#include "profiler/profile/class.h"

struct inspected_thread {
	struct thread_state kernel; /* as the kernel has it */
	struct tracee user;         /* as ptrace has it */
	const char *why;            /* why ptrace could not read it; else NULL */
	uint64_t slot, g, m, curg;  /* addresses; 0: none or unknown */
	uint64_t goid, startpc;     /* 0: none, or not trusted */
	uint32_t flags;             /* enum sample_flags */
	const char *status;         /* of the goroutine; "none", "unknown" */
	enum event_class class;
	uint32_t start, at; /* strings: start function of the goroutine, current function */
};

struct inspection {
	pid_t pid; /* 0: a file */
	struct strtab *strs;
	struct symbolizer *symbolizer; /* uses strs */
	struct space *space;
	const struct object *object; /* the Go program */
	uint64_t bias;
	struct golayout layout;
	struct inspected_thread *threads;
	uint32_t n, differ;  /* threads, and threads with two different thread pointers */
	uint64_t longest_ns; /* the longest time that a thread was stopped */
};

/* Fills in the layout of object and the threads of a process. pid, symbolizer, space,
 * object and bias must be set. Returns 0 or -errno; *what is then the call that was
 * refused, or NULL. */
int inspection_run(struct inspection *in, const char **what);
void inspection_release(struct inspection *in); /* frees what inspection_run() has filled */
