/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int go, int failed, char **argv)
{
	char c;
	int err;

	if (read(go, &c, 1) != 1) /* launch_abort() */
		_exit(125);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(127);
}

int launch_fork(struct launch *l, char **argv)
{
	int go[2], failed[2], err;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(failed, O_CLOEXEC)) {
		err = -errno;
		goto close_go;
	}
	*l = (struct launch){ .pid = fork(), .go = go[1], .failed = failed[0] };
	err = -errno;
	if (!l->pid) {
		close(go[1]);
		child(go[0], failed[1], argv);
	}
	close(go[0]);
	close(failed[1]);
	if (l->pid > 0)
		return 0;
	close(failed[0]);
	close(go[1]);
	return err;
close_go:
	close(go[0]);
	close(go[1]);
	return err;
}

int launch_exec(struct launch *l)
{
	int err = 0;
	ssize_t n;

	if (write(l->go, "", 1) != 1)
		err = errno;
	close(l->go);
	do
		n = read(l->failed, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(l->failed);
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
	if (l->pid <= 0 || l->ended)
		return;
	close(l->go);
	close(l->failed);
	launch_ended(l, true);
}
