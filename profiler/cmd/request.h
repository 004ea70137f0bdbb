/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user asks of record: its options. */
#ifndef CMD_REQUEST_H
#define CMD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/profile/view.h"

struct session_options;
struct writer;

/* Rows of the kernel side's table of processes: for -p, -- COMMAND, -a. */
enum { PROCESSES_GIVEN = 64, PROCESSES_TREE = 4096, PROCESSES_ALL = 16384 };

/* What the user asked for. */
struct request {
	const char *pids, *freq, *event, *duration, *output, *format;
	bool all, kernel_only, user_only;
	bool reported; /* the recording is shown at once: no word on how to do that */
	struct grouping by;
	char **command;              /* NULL: none */
	uint64_t duration_ns;        /* 0: no end */
	const struct writer *writer; /* NULL: a recording */
};

/* Rows of an option table: how to sample, and where to write. */
/* clang-format off */
#define SAMPLING_OPTIONS(rq) \
	{ 'F', "freq", "HZ", "samples per second on each CPU (99)", .str = &(rq)->freq }, \
	{ 'e', "event", "NAME", "cycles or cpu-clock (cycles if the machine has a PMU)", \
	  .str = &(rq)->event }, \
	{ 'd', "duration", "TIME", "30, 30s or 2m (until Ctrl-C or the end of the target)", \
	  .str = &(rq)->duration }, \
	{ 'o', "output", "FILE", "output file; - for stdout (gostrobe-NAME-PID.gsr)", \
	  .str = &(rq)->output }, \
	{ 'K', "kernel-stacks-only", NULL, "kernel stacks only", .flag = &(rq)->kernel_only }, \
	{ 'U', "user-stacks-only", NULL, "user stacks only", .flag = &(rq)->user_only }
/* clang-format on */

/* Checks what the options said, and fills so. Exit status, after a log_error() line. */
int request_check(struct request *rq, struct session_options *so);
/* Records. *path: the file that was written, to be freed; NULL: none, or stdout. Exit status. */
int record_run(struct request *rq, struct session_options *so, char **path);
/* Exit status; *go: all is well, and it was not the help that was wanted. */
int request_parse(int argc, char **argv, struct request *rq, struct session_options *so,
		  bool *go);

#endif
