/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/cmd/opt.h"
#include "profiler/cmd/cmd.h"
#include "profiler/live/session.h"

/* Exceeding the kernel's limit is a failure, not wrong usage. */
static int check_freq(const char *arg, uint32_t *freq)
{
	struct buf b = { 0 };
	uint64_t v, max = 100000;
	int err = number_parse(arg, 1, UINT32_MAX, &v);

	if (err == -EINVAL || !strcmp(arg, "0"))
		return usage_error("record",
				   "-F takes samples per second, 1 or more, not '%s'", arg);
	if (!file_read(AT_FDCWD, "/proc/sys/kernel/perf_event_max_sample_rate", 64, &b)) {
		buf_u8(&b, 0);
		max = strtoull((char *)b.data, NULL, 10);
	}
	buf_release(&b);
	if (err || v > max) {
		log_error(
			"-F %s is above this kernel's limit of %lu Hz (kernel.perf_event_max_sample_rate)",
			arg, (unsigned long)max);
		return STATUS_FAILED;
	}
	*freq = (uint32_t)v;
	return 0;
}

static int check_event(const char *arg, enum sample_event *event)
{
	*event = EVENT_AUTO;
	if (!arg)
		return 0;
	if (!strcmp(arg, "cycles"))
		*event = EVENT_CYCLES;
	else if (!strcmp(arg, "cpu-clock"))
		*event = EVENT_CPU_CLOCK;
	else
		return usage_error("record", "unknown event '%s'; use cycles or cpu-clock",
				   arg);
	return 0;
}

static int check_format(struct request *rq)
{
	bool to_stdout = rq->output && !strcmp(rq->output, "-");
	int status = format_find("record", rq->format, rq->output, &rq->writer);

	if (!status && to_stdout && isatty(STDOUT_FILENO) &&
	    (!rq->writer || rq->writer->binary)) {
		log_error(
			"a recording is binary and stdout is a terminal; use -o FILE or -f folded");
		status = STATUS_FAILED;
	}
	return status;
}

int request_check(struct request *rq, struct session_options *so)
{
	int err;

	if (!rq->pids + !rq->all + !rq->command != 2)
		return usage_error("record", "give one target: -p PID, -a or -- COMMAND");
	if (rq->kernel_only && rq->user_only)
		return usage_error("record", "-K and -U exclude each other");
	if (rq->duration &&
	    (duration_parse(rq->duration, &rq->duration_ns) || !rq->duration_ns))
		return usage_error("record", "-d takes a time such as 30s or 2m, not '%s'",
				   rq->duration);
	if (!rq->by.n)
		grouping_parse("goroutine", &rq->by);
	so->collector.follow_all = rq->all;
	so->collector.max_processes = rq->all       ? PROCESSES_ALL
				      : rq->command ? PROCESSES_TREE
						    : PROCESSES_GIVEN;
	so->collector.user_stacks = !rq->kernel_only;
	so->collector.kernel_stacks = !rq->user_only;
	err = check_freq(rq->freq ? rq->freq : "99", &so->collector.freq);
	if (!err)
		err = check_event(rq->event, &so->collector.event);
	if (!err)
		err = check_format(rq);
	return err;
}

static int unexpected_argument(const char *word, const struct request *rq)
{
	uint64_t pid;

	if (!rq->pids && !rq->all && !number_parse(word, 1, INT32_MAX, &pid))
		return usage_error("record",
				   "unexpected argument '%s'; you may have meant -p %s",
				   word, word);
	return usage_error(
		"record",
		"unexpected argument '%s' (put a command after --, a pid after -p)", word);
}

int request_parse(int argc, char **argv, struct request *rq, struct session_options *so,
		  bool *go)
{
	const struct opt opts[] = {
		{ 'p', "pid", "LIST", "record these pids, separated by commas",
		  .str = &rq->pids },
		{ 'a', "all", NULL,
		  "record every Go process, including those that start later",
		  .flag = &rq->all },
		SAMPLING_OPTIONS(rq),
		{ 'f', "format", "NAME",
		  "recording, folded or html (by the ending of FILE)", .str = &rq->format },
		{ 0, "by", "KEY", "grouping for folded and html output (a .gsr keeps all)",
		  .parse = grouping_parse, .data = &rq->by },
		COMMON_OPTIONS,
		{ 0 },
	};
	int err;

	if (help_wanted(argc, argv))
		return help_verb("record", opts);
	if (opt_parse(opts, &argc, &argv, false))
		return STATUS_USAGE;
	if (argc && !strcmp(argv[-1], "--"))
		rq->command = argv;
	else if (argc)
		return unexpected_argument(argv[0], rq);
	err = request_check(rq, so);
	*go = !err;
	return err;
}
