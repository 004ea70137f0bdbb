/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread of another process, stopped while it is read. If we end, in whatever way, the
 * kernel releases it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct tracee {
	pid_t tid;
	int signal;        /* stopped it before we did; still to be delivered */
	uint64_t since_ns; /* when we noticed that it is stopped; CLOCK_MONOTONIC */
	uint64_t tp, ip;   /* thread pointer and program counter */
	uint64_t x28;      /* arm64: g, if in Go code */
};

/* Stops a thread and reads its registers. On an error, -errno, it runs, and *why (static)
 * tells why it could not be read. */
int tracee_stop(struct tracee *ret, pid_t tid, const char **why);
/* Releases it. Returns how long it was stopped, as far as we know, in ns. */
uint64_t tracee_release(struct tracee *t);
