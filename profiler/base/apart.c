/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/arena.h"

enum { STACK = 256 << 10 };

struct work {
	int (*fn)(void *arg);
	void *arg;
	int ret;
};

static int run(void *arg)
{
	struct work *w = arg;

	setsid(); /* away from Ctrl-C, and from kill -9 of our process group */
	w->ret = w->fn(w->arg);
	_exit(0);
}

int apart_run(int (*fn)(void *arg), void *arg)
{
	struct work w = { fn, arg, -EINTR };
	/* not freed if we are killed: it is the other process's stack */
	char *stack = mem_zalloc(STACK);
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone(run, stack + STACK, APART_FLAGS, &w);
	if (pid > 0)
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	else
		w.ret = fn(arg);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(stack);
	return w.ret;
}
