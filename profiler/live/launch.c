/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/launch.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int fd, char **argv, bool held)
{
	char c;
	int err;

	if (read(fd, &c, 1) != 1) /* launch_abort() */
		_exit(125);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (!held || !ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		execvp(argv[0], argv);
	err = errno;
	if (write(fd, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(127);
}

int launch_fork(struct launch *l, char **argv, const struct launch_limits *limits,
		bool hold)
{
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	*l = (struct launch){ .pid = fork(), .fd = ends[0], .held = hold };
	err = -errno;
	if (!l->pid) {
		close(ends[0]);
		if (limits) {
			setpriority(PRIO_PROCESS, 0, limits->nice);
			setrlimit(RLIMIT_NOFILE, &limits->files);
		}
		child(ends[1], argv, hold);
	}
	close(ends[1]);
	if (l->pid > 0)
		return 0;
	close(ends[0]);
	return err;
}

int launch_exec(struct launch *l)
{
	int err = 0;
	ssize_t n;

	if (write(l->fd, "", 1) != 1)
		err = errno;
	do
		n = read(l->fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(l->fd);
	l->fd = -1;
	while (!err && l->held && waitpid(l->pid, &l->status, 0) < 0 && errno == EINTR)
		;
	if (!err && l->held && !WIFSTOPPED(l->status)) { /* killed meanwhile */
		l->ended = true;
		err = ESRCH;
	}
	if (err)
		launch_ended(l, true);
	return -err;
}

void launch_continue(struct launch *l)
{
	if (l->held && !l->ended)
		ptrace(PTRACE_DETACH, l->pid, NULL, NULL);
	l->held = false;
}

bool launch_ended(struct launch *l, bool wait)
{
	pid_t pid;

	while (!l->ended) {
		pid = waitpid(l->pid, &l->status, wait ? 0 : WNOHANG);
		l->ended = pid == l->pid || (pid < 0 && errno == ECHILD);
		if (!wait || (pid < 0 && errno == EINTR))
			break;
	}
	return l->ended;
}

int launch_exit_status(const struct launch *l)
{
	return WIFSIGNALED(l->status) ? 128 + WTERMSIG(l->status) : WEXITSTATUS(l->status);
}

void launch_abort(struct launch *l)
{
	if (l->pid <= 0 || l->ended || (l->fd < 0 && !l->held))
		return;
	if (l->fd >= 0)
		close(l->fd);
	else
		kill(l->pid, SIGKILL);
	launch_ended(l, true);
}
