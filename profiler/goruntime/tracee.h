/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread of another process, stopped for as long as it takes to read it. Should we end, in
 * whatever way, the kernel lets it go.
 */
#ifndef PROFILER_TRACEE_H
#define PROFILER_TRACEE_H

#include <stdint.h>
#include <sys/types.h>

struct tracee {
	pid_t tid;
	int signal;        /* that stopped it before we did, and is still to be delivered */
	uint64_t since_ns; /* we know that it stands still; CLOCK_MONOTONIC */
	uint64_t tp, ip;   /* thread pointer and program counter */
	uint64_t x28;      /* arm64: g, in Go code */
};

/* Stops it and reads its registers. Negative errno; then it runs, and *why (a static string) says
 * why it could not be read. */
int tracee_stop(struct tracee *ret, pid_t tid, const char **why);
/* How long it stood still since we knew, in ns. */
uint64_t tracee_release(struct tracee *t);

#endif
