/* SPDX-License-Identifier: BSD-2-Clause */
/* goroutines: every goroutine of a process, running or not, from one look at its memory. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output/dump_groups.h"
#include "output/dump_lines.h"
#include "output/writer.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/live/dumper.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/profile.h"

struct request {
	pid_t pid;
	struct dump dump;
	struct input in; /* its view */
	struct dump_text text;
	const char *format, *output;
	bool by_state, all, json, system;
};

/* As grouping_parse(), with "state" in front of the rest. */
static const char *by_parse(const char *arg, void *request)
{
	struct request *rq = request;
	size_t n = strcspn(arg, ",");

	rq->by_state = n == 5 && !strncmp(arg, "state", n);
	if (!rq->by_state)
		return grouping_parse(arg, &rq->in.view.by);
	return arg[n] ? grouping_parse(arg + n + 1, &rq->in.view.by) : NULL;
}

static const char *rows_parse(const char *arg, void *request)
{
	struct request *rq = request;
	uint64_t n;

	if (number_parse(arg, 0, UINT32_MAX, &n))
		return "not a number of rows";
	rq->text.rows = (uint32_t)n;
	return NULL;
}

static int say_why(pid_t pid, int err, const char *why)
{
	if (err == -ESRCH && (!kill(pid, 0) || errno == EPERM))
		log_error("process %d: not a Go program", pid);
	else if (err == -ESRCH)
		log_error("there is no process %d", pid);
	else if (err == -ENOEXEC)
		log_error("process %d: %s", pid, why ? why : "not a Go program");
	else if (err == -EACCES || err == -EPERM)
		log_error(
			"process %d: its memory cannot be read: %s (need root, "
			"CAP_SYS_PTRACE, or the same user and kernel.yama.ptrace_scope 0)",
			pid, strerror(-err));
	else
		log_error("process %d: its goroutines cannot be read: %s", pid,
			  why ? why : strerror(-err));
	return STATUS_FAILED;
}

/* Looks twice if what is shown says what did not run meanwhile. */
static int look(struct request *rq)
{
	const struct timespec pause = { .tv_sec = 1 };
	struct dumper *d;
	const char *why;
	int err = dumper_open(&d, rq->pid, &rq->dump, &why);

	if (err)
		return say_why(rq->pid, err, why);
	err = dumper_look(d);
	if (!err && !rq->all && !rq->format) {
		nanosleep(&pause, NULL);
		dumper_look_again(d); /* if it has ended, the first look stands */
	}
	dumper_close(d);
	return err ? say_why(rq->pid, err, NULL) : STATUS_OK;
}

/* Leaves the runtime's own goroutines out of the view. */
static void hide_system(struct request *rq)
{
	struct view *v = &rq->in.view;
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n_events; i++)
		if (rq->system || !(rq->dump.states[v->events[i]].flags & STATE_SYSTEM))
			v->events[n++] = v->events[i];
	rq->text.hidden = v->n_events - n;
	v->n_events = n;
}

static void say_quality(const struct request *rq)
{
	const struct dump *d = &rq->dump;
	const struct quality *q = &d->profile->kinds[rq->in.view.kind].quality;
	uint64_t running = 0;

	for (uint32_t i = 0; i < d->n; i++)
		running += !d->profile->events[i].call ||
			   !strcmp(profile_string(d->profile, d->states[i].state),
				   "running");
	log_info(
		"%u goroutines read in %.1f ms, %llu could not be · %.1f%% complete stacks "
		"of those that do not run · %.2fs CPU, %.1f MB peak",
		d->n, (double)d->took_ns / 1e6, (unsigned long long)d->lost,
		100 * share_of(q->rooted, d->n - running),
		(double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9,
		(double)file_line_bytes("VmHWM:", "/proc/self/status") / 1e6);
	if (d->damaged)
		log_warn("the list of goroutines ends early: it has what is no address, or "
			 "is longer than the process is large");
	if (d->not_go_part)
		log_warn(
			"the goroutines of another Go runtime in the process were left out: %s",
			d->not_go_part);
	if (d->between_ns && !d->counted)
		log_info("before Go 1.17 \"not run\" means: seen at the same place twice");
}

static int print(struct request *rq)
{
	struct view *v = &rq->in.view;
	struct dump_groups groups;

	if (rq->format)
		return input_write(&rq->in, rq->in.writer, &(struct writer_options){ 0 },
				   rq->output ? rq->output : "-");
	if (rq->all) {
		dump_trace(&rq->dump, v, &rq->text, stdout);
		return STATUS_OK;
	}
	groups = dump_groups_new(&rq->dump, v, rq->by_state);
	if (rq->json)
		dump_write_json(&groups, &rq->text, stdout);
	else
		dump_write(&groups, &rq->text, stdout);
	dump_groups_free(&groups);
	return STATUS_OK;
}

static int run(struct request *rq)
{
	int status = STATUS_OK;

	if (rq->format)
		status = format_find("goroutines", rq->format, rq->output, &rq->in.writer);
	if (!status && rq->format && !rq->in.writer)
		status = usage_error("goroutines", "a recording of one moment is not kept");
	if (!status && rq->format && rq->in.writer->binary && !rq->output &&
	    isatty(STDOUT_FILENO))
		status = usage_error("goroutines",
				     "%s is binary and stdout is a terminal; "
				     "use -o FILE or a pipe",
				     rq->format);
	if (status)
		return status;
	if (rq->format && !rq->in.view.by.n)
		rq->in.view.by = grouping_default(rq->in.writer);
	dump_init(&rq->dump);
	status = look(rq);
	if (status)
		return status;
	rq->text.color = color_wanted(stdout);
	rq->text.each = log_level == LOG_VERBOSE && !rq->all;
	rq->text.runtime = log_level == LOG_VERBOSE;
	view_select(&rq->in.view, rq->dump.profile);
	hide_system(rq);
	status = print(rq);
	if (!status && !rq->format)
		say_quality(rq);
	return status;
}

int cmd_goroutines(int argc, char **argv)
{
	struct request rq = { .in = { .path = "goroutines" } };
	struct view *v = &rq.in.view;
	const char *pid = NULL;
	const struct opt opts[] = {
		{ 'p', "pid", "PID", "of this process", .str = &pid },
		{ 0, "by", "KEY", "grouping, see below (equal state and stack)",
		  .parse = by_parse, .data = &rq },
		{ 0, "goid", "N[,N]", "only these goroutines", .parse = filter_goids,
		  .data = &v->filter },
		{ 0, "label", "KEY=VALUE",
		  "only goroutines with this label; repeat to require several",
		  .parse = filter_label, .data = &v->filter },
		{ 0, "focus", "REGEX", "only stacks in which a function matches",
		  .parse = filter_focus, .data = &v->filter },
		{ 0, "ignore", "REGEX", "leave out stacks in which a function matches",
		  .parse = filter_ignore, .data = &v->filter },
		{ 0, "system", NULL, "also the runtime's own goroutines",
		  .flag = &rq.system },
		{ 'n', "rows", "N", "groups; 0 for all (0)", .parse = rows_parse,
		  .data = &rq },
		{ 0, "all", NULL, "each goroutine, in the form of the runtime's tracebacks",
		  .flag = &rq.all },
		{ 0, "json", NULL, "one JSON object", .flag = &rq.json },
		{ 'f', "format", "NAME", "a format of export, such as pprof",
		  .str = &rq.format },
		{ 'o', "output", "FILE", "with -f: output file; - for stdout (-)",
		  .str = &rq.output },
		COMMON_OPTIONS,
	};
	uint64_t number;
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("goroutines", opts);
	if (!opt_parse(opts, &argc, &argv, true)) {
		const char *one = pid ? pid : argc ? *argv : NULL;

		if (argc + (pid != NULL) != 1)
			usage_error("goroutines", one ? "takes one PID" : "missing PID");
		else if (number_parse(one, 1, INT_MAX, &number))
			usage_error("goroutines", "'%s' is not a pid", one);
		else if (rq.all + rq.json + (rq.format != NULL) > 1)
			usage_error("goroutines",
				    "--all, --json and -f exclude each other");
		else if (rq.output && !rq.format)
			usage_error("goroutines", "-o needs -f");
		else {
			rq.pid = (pid_t)number;
			status = run(&rq);
		}
	}
	rq.in.profile = NULL; /* it is the dump's */
	input_close(&rq.in);
	dump_release(&rq.dump);
	return status;
}
