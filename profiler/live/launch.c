/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/launch.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int fd, char **argv)
{
	char c;
	int err;

	if (read(fd, &c, 1) != 1) /* launch_abort() */
		_exit(125);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	if (write(fd, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(127);
}

int launch_fork(struct launch *l, char **argv)
{
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	*l = (struct launch){ .pid = fork(), .fd = ends[0] };
	err = -errno;
	if (!l->pid) {
		close(ends[0]);
		child(ends[1], argv);
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
	if (err)
		launch_ended(l, true);
	return -err;
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
	if (l->pid <= 0 || l->fd < 0)
		return;
	close(l->fd);
	launch_ended(l, true);
}
