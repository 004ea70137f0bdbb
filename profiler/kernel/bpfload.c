/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/bpfload.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/log.h"

#define INITIAL_PIDNS 0xeffffffcu /* PROC_PID_INIT_INO */

static int libbpf_line(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *rest, *line;

	if (level == LIBBPF_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_debug("%s", line);
	free(text);
	return 0;
}

void bpfload_log(void)
{
	libbpf_set_print(libbpf_line);
}

uint32_t bpfload_pidns(void)
{
	struct stat st;

	/* /proc may show another namespace than ours: the one of its process 1 */
	if (stat("/proc/1/ns/pid", &st) && stat("/proc/self/ns/pid", &st))
		return 0;
	return st.st_ino == INITIAL_PIDNS ? 0 : (uint32_t)st.st_ino;
}

int bpfload_files(uint32_t n)
{
	int fd = open("/", O_PATH | O_CLOEXEC);
	struct rlimit limit;

	if (fd < 0)
		return -errno;
	close(fd);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	return limit.rlim_cur < (rlim_t)fd + n ? -EMFILE : 0;
}
