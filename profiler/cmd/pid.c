/* SPDX-License-Identifier: BSD-2-Clause */
/* gostrobe PID: records a process for a while, keeps the recording and prints its
 * report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/cmd/cmd.h"
#include "profiler/cmd/record.h"

static int record_and_report(struct record *r, struct input *in,
			     const struct report_options *o)
{
	const char *output = r->result.path;
	char *path = NULL;
	int status = record_check(r);

	if (!status && (r->result.writer || (output && !strcmp(output, "-"))))
		status = usage_error(NULL, "gostrobe PID keeps a recording: -o FILE.gsr");
	if (!status)
		status = record_run(r, &path);
	if (!status)
		status = input_open(in, "report", 1, &path);
	if (!status)
		status = report_print(in, o);
	free(path);
	return status;
}

int cmd_pid(const char *pid, int argc, char **argv)
{
	struct record r = {
		.run = { .verb = "record", .pids = pid, .duration = "10s" },
		.reported = true,
	};
	struct input in = { 0 };
	struct report_options o = { 0 };
	const struct opt opts[] = {
		RUN_OPTIONS(&r.run),
		OUTPUT_OPTION(&r),
		VIEW_OPTIONS(&in.view, "start"),
		REPORT_OPTIONS(&o, &in.view),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv)) {
		puts("Usage: gostrobe PID [OPTION…]\n\n"
		     "record a process for 10 s, keep the recording and print the report\n\n"
		     "Options (default):");
		opt_help(opts);
		return STATUS_OK;
	}
	if (!opt_parse(opts, &argc, &argv, false))
		status = argc ? usage_error(NULL, "unexpected argument '%s' after the pid",
					    *argv)
			      : record_and_report(&r, &in, &o);
	input_close(&in);
	return status;
}
