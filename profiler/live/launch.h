/* SPDX-License-Identifier: BSD-2-Clause */
/* A command that starts when everything is ready to record it. */
#pragma once

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct launch {
	pid_t pid;
	/* To the child: one byte starts the command; then errno of exec comes back, or the
	 * end of file if it succeeded. -1 after launch_exec(). */
	int fd;
	bool held; /* it stops before its first instruction: launch_continue() */
	bool ended;
	int status; /* as from wait(), once ended */
};

/* What the command has, whatever we have. */
struct launch_limits {
	int nice;
	struct rlimit files; /* RLIMIT_NOFILE */
};

/* Forks a child that waits for launch_exec(). limits: NULL for ours. hold: the program
 * stops before its first instruction. Negative errno of fork() or socketpair(). */
int launch_fork(struct launch *l, char **argv, const struct launch_limits *limits,
		bool hold);
/* Lets the child exec. 0, or the negative errno of exec: the child has ended then. */
int launch_exec(struct launch *l);
/* Lets a program go that is held; by the thread that forked it. */
void launch_continue(struct launch *l);
/* Has it ended? wait: blocks until it has. */
bool launch_ended(struct launch *l, bool wait);
/* The status as a shell reports it: 128 + N for a signal. */
int launch_exit_status(const struct launch *l);
/* Ends a child that never got its launch_exec(), or launch_continue(). Safe on { 0 }. */
void launch_abort(struct launch *l);
