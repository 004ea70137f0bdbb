/* SPDX-License-Identifier: BSD-2-Clause */
/* What the file descriptors and threads of a process are at, by /proc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct files;

struct files *files_open(pid_t pid);
void files_close(struct files *f); /* takes NULL */

/* Adds what a descriptor is: "tcp 10.0.0.1:80 <- 10.0.0.2:9000", "tcp listen 0.0.0.0:80",
 * "unix /run/x", "/var/log/x", "pipe:[812]"; nothing if it is not open. The arrow points to
 * the side that was connected to, if the process's network listens on that port. Sockets
 * are listed once, at the first call that needs it. */
void files_name(struct files *f, uint32_t fd, struct buf *to);

/* The id of a thread by the id that it has for itself, in the pid namespace of the process;
 * 0: there is none. */
uint32_t files_thread(struct files *f, uint32_t own_tid);

/* The system call that a thread is blocked in. */
struct thread_call {
	const char *name; /* "fsync"; NULL: none, it is on a CPU or runs C code */
	char number[16];  /* what name points to if the number has no name */
	bool has_fd;      /* it is about a file descriptor */
	uint32_t fd;
	uint64_t path; /* address of the path that it is about; 0: none */
};
/* False: it cannot be told. */
bool thread_call_read(struct thread_call *ret, pid_t pid, uint32_t tid);
