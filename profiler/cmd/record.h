/* SPDX-License-Identifier: BSD-2-Clause */
/* record, for the verbs that begin with it. */
#pragma once

#include "profiler/cmd/result.h"
#include "profiler/cmd/run.h"

struct record {
	struct run run;
	struct result result;
	const char *format;
	bool reported; /* the report follows at once, so do not say how to print it */
};

/* clang-format off */
#define OUTPUT_OPTION(r) \
	{ 'o', "output", "FILE", "output file; - for stdout (gostrobe-NAME-PID.gsr)", \
	  .str = &(r)->result.path }
/* clang-format on */

/* Checks the options. Returns an exit status, after a log_error() line. */
int record_check(struct record *r);
/* Records, after record_check(), and releases r. *path: the file that was written, to be
 * freed; NULL: none, or stdout. Returns the exit status. */
int record_run(struct record *r, char **path);
