/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatches on the first word of the command line. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"

static int run(int argc, char **argv)
{
	const char *word = argv[1];
	const struct verb *v = verb_find(word);

	if (v)
		return v->run(argc - 1, argv + 1);
	if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		return cmd_help(1, argv);
	if (!strcmp(word, "-V") || !strcmp(word, "--version"))
		return help_version();
	if (argc > 2 && (!strcmp(word, "-p") || !strcmp(word, "--pid")))
		return cmd_pid(argv[2], argc - 2, argv + 2);
	if (*word && strspn(word, "0123456789") == strlen(word))
		return cmd_pid(word, argc - 1, argv + 1);
	if (*word == '-')
		return usage_error(NULL, "the command comes first, before '%s'", word);
	return unknown_command(word);
}

/* A file that we open must not take the place of a closed stdout. Writing to what does is
 * an error, as it would be otherwise. */
static void fill_standard_files(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	int status;

	fill_standard_files();
	/* if a reader closes the pipe we end, even if our parent ignores the signal */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ,
	       SIG_IGN); /* a file size limit is an error of write(), like a full disk */
	if (argc < 2) {
		help_all(stderr);
		return STATUS_USAGE;
	}
	status = run(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && !status) {
		log_error("stdout: %s", strerror(errno));
		status = STATUS_FAILED;
	}
	return status;
}
