/* SPDX-License-Identifier: BSD-2-Clause */
/* A command that is started when everything is ready to record it. */
#ifndef PROFILER_LAUNCH_H
#define PROFILER_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch {
	pid_t pid;
	int go;     /* written to: the command starts */
	int failed; /* read from: errno of exec, or end of file when it succeeded */
	bool ended;
	int status; /* as wait() gives it, once ended */
};

/* Forks a child that waits. Negative errno of fork() or pipe(). */
int launch_fork(struct launch *l, char **argv);
/* Lets the child exec. 0, or the negative errno of its exec, and then it has ended. */
int launch_exec(struct launch *l);
/* Looks whether it has ended; wait: until it has. */
bool launch_ended(struct launch *l, bool wait);
/* The status as a shell says it: 128 + N for a signal. */
int launch_exit_status(const struct launch *l);
/* Ends a child that was never let go. Safe on { 0 }. */
void launch_abort(struct launch *l);

#endif
