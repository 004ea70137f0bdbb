/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of record. */
#ifndef CMD_REQUEST_H
#define CMD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/profile/view.h"

struct session_options;
struct writer;

/* Size of the kernel side's table of processes: for -p, for -- COMMAND, for -a. */
enum { PROCESSES_GIVEN = 64, PROCESSES_TREE = 4096, PROCESSES_ALL = 16384 };

struct request {
	const char *pids, *freq, *event, *duration, *output, *format;
	bool all, kernel_only, user_only;
	bool reported; /* the report follows at once, so do not say how to print it */
	struct grouping by;
	char **command;              /* NULL: none */
	uint64_t duration_ns;        /* 0: no limit */
	const struct writer *writer; /* NULL: a recording */
};

/* The option rows for how to sample and where to write. */
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

/* Checks the options and fills so. Returns an exit status, after a log_error() line. */
int request_check(struct request *rq, struct session_options *so);
/* Records. *path: the file that was written, to be freed; NULL: none, or stdout. Returns
 * the exit status. */
int record_run(struct request *rq, struct session_options *so, char **path);
/* Returns an exit status; *go: the options are right and help was not requested. */
int request_parse(int argc, char **argv, struct request *rq, struct session_options *so,
		  bool *go);

#endif
