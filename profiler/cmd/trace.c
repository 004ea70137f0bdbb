/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: prints each call of a function as it is made. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/losses.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/trace.h"
#include "profiler/profile/profile.h"

static bool enough(const struct trace *t)
{
	return !t->count && t->max && t->shown == t->max;
}

/* A reader that closes the pipe ends us, even if there are no more calls to show. */
static bool over(void *arg)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) > 0 && out.revents & POLLERR)
		raise(SIGPIPE);
	return enough(arg);
}

/* Writes to stdout. If its reader stalls, Ctrl-C gives up: -EINTR. */
static int put(const char *text, size_t len)
{
	while (len) {
		ssize_t n = stdout_send(text, len, 100);

		if (n < 0)
			return (int)n;
		if (!n && run_stops)
			return -EINTR;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int trace_show(struct trace *t, const struct profile *p, uint64_t until_ns,
	       int (*write)(struct trace *t, struct view *v, FILE *out))
{
	struct view v = { .by = t->by };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return -errno;
	filter_share(&v.filter, &t->filter);
	v.filter.to_ns = until_ns;
	view_select(&v, p);
	err = write(t, &v, out);
	view_release(&v);
	if (fclose(out) && !err)
		err = -errno;
	if (!err)
		err = put(text, len);
	free(text);
	if (err == -EINTR)
		log_error("stdout: stopped before everything was written");
	else if (err)
		log_error("stdout: %s", strerror(-err));
	return err;
}

static int write_calls(struct trace *t, struct view *v, FILE *out)
{
	uint32_t *rows = view_by_time(v);

	for (uint32_t i = 0; i < v->n_events && !enough(t); i++, t->shown++) {
		const struct event *e = &v->profile->events[rows[i]];

		if (t->json)
			call_line_json(v, e, t->lines.stack, out);
		else
			call_line(&t->lines, v, e, out);
	}
	free(rows);
	return 0;
}

/* Shows the calls that have arrived. Those of the last moment wait for the next time:
 * earlier ones of other CPUs may still be on their way. */
static int step(void *arg, bool second)
{
	struct trace *t = arg;
	struct profile *p = session_profile(t->run.session);
	uint64_t until = session_settled_ns(t->run.session);
	int err;

	(void)second;
	if (!p->n_events || !until)
		return 0;
	err = trace_show(t, p, until, write_calls);
	profile_drop_before(p, until);
	return err;
}

void trace_say_none(const struct trace *t, uint64_t taken, uint64_t lost)
{
	if (taken)
		log_warn("no call matches the filters");
	else if (lost)
		log_warn("no calls: all of them were lost");
	else if (!t->run.command && !session_running(t->run.session))
		log_warn("no calls: the process ended");
	else
		log_warn("no call of what was asked for");
}

/* The closing lines. Returns the exit status. */
static int finish(struct trace *t, int err)
{
	struct profile *p = session_profile(t->run.session);
	struct buf b = { 0 };
	uint64_t taken, lost;

	if (!err)
		err = step(t, false);
	taken = p->kinds[1].quality.samples;
	lost = stats_lost(&p->stats);
	if (!err && !t->shown)
		trace_say_none(t, taken, lost);
	if (log_level >= LOG_NORMAL && (taken || lost)) {
		if (t->shown != taken) {
			text_count(&b, t->shown);
			buf_str(&b, " of them shown\n");
		}
		quality_line(p, 1, plain_width(STDERR_FILENO), stderr);
		losses_add(p, &b);
		buf_write(&b, stderr);
	}
	buf_release(&b);
	return err || (!t->shown && !t->run.command) ? STATUS_FAILED : STATUS_OK;
}

/* Prints calls until the end. Returns the exit status. */
static int print_calls(struct trace *t)
{
	int err;

	t->lines.color = color_wanted(stdout);
	t->lines.width = plain_width(STDOUT_FILENO);
	if (isatty(STDOUT_FILENO) && !t->json)
		call_lines_head(&t->lines, stdout);
	fflush(stdout);
	err = run_loop(&t->run, step, t);
	session_stop(t->run.session);
	return finish(t, err);
}

static int count_calls(struct trace *t)
{
	int err = run_loop(&t->run, trace_count_step, t);

	session_stop(t->run.session);
	return err ? STATUS_FAILED : trace_count_finish(t);
}

static int trace(struct trace *t)
{
	struct run *r = &t->run;
	int status = run_open(r);

	if (!status)
		status = run_start(r);
	if (status)
		return run_failure(r, status);
	log_info("tracing %s: the calls of %s", run_targets(r), run_calls(r));
	return run_status(r, t->count ? count_calls(t) : print_calls(t));
}

/* Splits off the command, then the functions are what is left. Returns an exit status. */
static int parse(struct trace *t, const struct opt *opts, int argc, char **argv)
{
	struct run *r = &t->run;
	const char *why;
	int n = 0;

	while (n < argc && strcmp(argv[n], "--"))
		n++;
	r->command = n + 1 < argc ? argv + n + 1 : NULL;
	if (opt_parse(opts, &n, &argv, true))
		return STATUS_USAGE;
	if (!n)
		return usage_error("trace", "missing FUNC, such as main.work");
	if (!r->pids + !r->command != 1)
		return usage_error("trace", "give one target: -p PID or -- COMMAND");
	for (int i = 0; i < n; i++) {
		why = run_event_call(argv[i], r);
		if (why)
			return usage_error("trace", "%s: %s", argv[i], why);
	}
	if (t->limit && number_parse(t->limit, !t->count, UINT32_MAX, &t->max))
		return usage_error("trace", "-n takes a number, not '%s'", t->limit);
	if (trace_count_check(t))
		return STATUS_USAGE;
	r->so.collector.goids = t->filter.goids.rows;
	r->so.collector.n_goids = t->filter.goids.n;
	return run_check(r);
}

int cmd_trace(int argc, char **argv)
{
	struct trace t = { .run.verb = "trace" };
	const struct opt opts[] = {
		{ 'p', "pid", "PID", "trace this process", .str = &t.run.pids },
		{ 's', "stack", NULL, "print the callers below each call",
		  .flag = &t.lines.stack },
		{ 'n', "lines", "N",
		  "end after N calls; with --count: rows of each table, 0 for all",
		  .str = &t.limit },
		{ 0, "json", NULL, "one JSON object per line", .flag = &t.json },
		{ 0, "count", NULL,
		  "count calls, per group of goroutines and per function, and print that at the end",
		  .flag = &t.count },
		{ 'i', "interval", "TIME", "with --count: print it each time, such as 1s",
		  .str = &t.interval },
		{ 0, "by", "KEY", "with --count: grouping, see below (start)",
		  .parse = grouping_parse, .data = &t.by },
		{ 0, "goid", "N[,N]", "only these goroutines", .parse = filter_goids,
		  .data = &t.filter },
		{ 0, "label", "KEY=VALUE",
		  "only goroutines with this label; repeat to require several",
		  .parse = filter_label, .data = &t.filter },
		DURATION_OPTION(&t.run),
		CALL_OPTIONS(&t.run, ""),
		SANDBOX_OPTIONS(&t.run),
		COMMON_OPTIONS,
		{ 0 },
	};
	int status;

	if (help_wanted(argc, argv))
		return help_verb("trace", opts);
	t.run.over = over;
	t.run.over_arg = &t;
	status = parse(&t, opts, argc, argv);
	if (!status)
		status = trace(&t);
	else if (t.run.command && status == STATUS_FAILED)
		status = run_failure(&t.run, status);
	run_close(&t.run);
	filter_release(&t.filter);
	return status;
}
