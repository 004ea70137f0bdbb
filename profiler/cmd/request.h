/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user asks of record: its options. */
#ifndef CMD_REQUEST_H
#define CMD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/tree.h"

struct session_options;
struct writer;

/* Rows of the kernel side's table of processes: for -p, -- COMMAND, -a. */
enum { PROCESSES_GIVEN = 64, PROCESSES_TREE = 4096, PROCESSES_ALL = 16384 };

/* What the user asked for. */
struct request {
	const char *pids, *freq, *event, *duration, *output, *format;
	bool all, kernel_only, user_only;
	struct grouping by;
	char **command;              /* NULL: none */
	uint64_t duration_ns;        /* 0: no end */
	const struct writer *writer; /* NULL: a recording */
};

/* Exit status; *go: all is well, and it was not the help that was wanted. */
int request_parse(int argc, char **argv, struct request *rq, struct session_options *so,
		  bool *go);

#endif
