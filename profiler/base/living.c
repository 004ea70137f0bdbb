/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/living.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/base/file.h"

/* A thread that has ended has no executable, and neither has a kernel thread. One that we
 * may not inspect is alive. */
static bool lives(pid_t tid)
{
	char path[32], first;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	return readlink(path, &first, 1) >= 0 || errno != ENOENT;
}

pid_t living_thread(pid_t pid)
{
	pid_t found = pid;
	struct dirent *d;
	char path[32];
	DIR *tasks;

	if (lives(pid))
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && found == pid && (d = readdir(tasks))) {
		pid_t tid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;

		if (tid && lives(tid))
			found = tid;
	}
	if (tasks)
		closedir(tasks);
	return found;
}

pid_t thread_process(pid_t tid)
{
	char path[32], line[64];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return atoi(file_line(line, "\nTgid:", path)); /* a name may have "Tgid:" in it */
}
