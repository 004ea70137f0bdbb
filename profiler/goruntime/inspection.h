/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be found out of a Go program or a process of it: where g is, how that is known, and what
 * each thread has there.
 *
 * Each thread is read while it stands still, by the code that the kernel side runs at a sample; its
 * thread pointer is read in two ways that know nothing of each other. Nothing else ever stops a
 * thread.
 */
#ifndef PROFILER_INSPECTION_H
#define PROFILER_INSPECTION_H

#include <stdint.h>
#include <sys/types.h>

#include "profiler/goruntime/golayout.h"
#include "profiler/goruntime/tracee.h"
#include "profiler/kernel/threads.h"
#include "profiler/profile/class.h"

struct inspected_thread {
	struct thread_state kernel; /* the first reading */
	struct tracee user;         /* the second */
	const char *why;            /* there is no second; else NULL */
	uint64_t slot, g, m, curg;  /* addresses; 0: none, or not known */
	uint64_t goid, startpc;     /* 0: none, or one that cannot be trusted */
	uint32_t flags;             /* enum sample_flags */
	const char *status;         /* of the goroutine; "none", "unknown" */
	enum event_class class;
	uint32_t start,
		at; /* strings: start function of the goroutine, where the thread is */
};

struct inspection {
	pid_t pid; /* 0: a file */
	struct strtab *strs;
	struct symbolizer *symbolizer; /* with strs */
	struct space *space;
	const struct object *object; /* the Go program */
	uint64_t bias;
	struct golayout layout;
	struct inspected_thread *threads;
	uint32_t n, differ;  /* threads, and those with two thread pointers */
	uint64_t longest_ns; /* that one stood still */
};

/* Fills layout of object, and the threads of a process: pid, symbolizer, space, object and bias are
 * given. Negative errno; *what then names the call that was refused, or is NULL. */
int inspection_run(struct inspection *in, const char **what);
void inspection_release(struct inspection *in); /* what run() has filled */

#endif
