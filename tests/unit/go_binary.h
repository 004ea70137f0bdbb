/* SPDX-License-Identifier: BSD-2-Clause */
/* A real Go program that exists wherever Go does: gofmt. It waits when it reads stdin. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static inline const char *go_binary(void)
{
	static char path[512] = "/usr/lib/go-1.19/bin/gofmt"; /* Debian 12 */
	FILE *p;

	if (!access(path, R_OK))
		return path;
	p = popen("go env GOROOT", "r");
	if (!p || !fgets(path, sizeof(path) - 16, p))
		cr_skip_test("no Go here");
	pclose(p);
	path[strcspn(path, "\n")] = 0;
	strcat(path, "/bin/gofmt");
	if (access(path, R_OK))
		cr_skip_test("no gofmt here");
	return path;
}

/* The gofmt of a toolchain that Go has downloaded before; NULL: not here. */
static inline const char *go_binary_of(const char *version)
{
	static char path[512];
	const char *home = getenv("HOME");

	snprintf(path, sizeof(path),
		 "%s/go/pkg/mod/golang.org/toolchain@v0.0.1-go%s.linux-amd64/bin/gofmt",
		 home ? home : "", version);
	return access(path, R_OK) ? NULL : path;
}

/* A Go program that waits for its stdin, which is ours to close. */
static inline pid_t start_go(const char *path, int *in)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = { (char *)"gofmt", NULL };
	int fds[2];
	pid_t pid;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
	cr_assert_eq(posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	*in = fds[1];
	return pid;
}

static inline void stop_go(pid_t pid, int in)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(in);
}
