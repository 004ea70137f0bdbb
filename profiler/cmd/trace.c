/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: prints each call of a function as it is made. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/call_lines.h"
#include "output/losses.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/run.h"
#include "profiler/profile/profile.h"

struct trace {
	struct run run;
	struct filter filter; /* owned */
	struct call_lines lines;
	bool json;
	uint64_t max, shown; /* lines; max 0: any number */
};

static const char *max_parse(const char *arg, void *trace)
{
	return number_parse(arg, 1, UINT64_MAX, &((struct trace *)trace)->max)
		       ? "not a number of lines"
		       : NULL;
}

static bool enough(const struct trace *t)
{
	return t->max && t->shown == t->max;
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
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n;

	while (len) {
		if (poll(&out, 1, 100) < 1) {
			if (run_stops)
				return -EINTR;
			continue;
		}
		n = write(STDOUT_FILENO, text, len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void write_calls(struct trace *t, const struct view *v, FILE *out)
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
}

/* Shows the calls that have arrived. Those of the last moment wait for the next time:
 * earlier ones of other CPUs may still be on their way. */
static int step(void *arg, bool second)
{
	struct trace *t = arg;
	struct profile *p = session_profile(t->run.session);
	uint64_t until = session_settled_ns(t->run.session);
	struct view v = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	(void)second;
	if (!p->n_events || !until)
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		return -errno;
	filter_share(&v.filter, &t->filter);
	v.filter.to_ns = until;
	view_select(&v, p);
	write_calls(t, &v, out);
	view_release(&v);
	profile_drop_before(p, until);
	err = fclose(out) ? -errno : put(text, len);
	free(text);
	if (err == -EINTR)
		log_error("stdout: stopped before everything was written");
	else if (err)
		log_error("stdout: %s", strerror(-err));
	return err;
}

static void say_none(const struct trace *t, uint64_t taken, uint64_t lost)
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

	session_stop(t->run.session);
	if (!err)
		err = step(t, false);
	taken = p->kinds[1].quality.samples;
	lost = p->stats.lost_ring_full + p->stats.lost_table_full;
	if (!err && !t->shown)
		say_none(t, taken, lost);
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

static int trace(struct trace *t)
{
	struct run *r = &t->run;
	int status = run_open(r);
	bool terminal = isatty(STDOUT_FILENO);

	if (!status)
		status = run_start(r);
	if (status)
		return run_failure(r, status);
	log_info("tracing %s: the calls of %u function%s", run_targets(r), r->calls.n - 1,
		 r->calls.n == 2 ? "" : "s");
	t->lines.color = color_wanted(stdout);
	t->lines.width = plain_width(STDOUT_FILENO);
	if (terminal && !t->json)
		call_lines_head(&t->lines, stdout);
	fflush(stdout);
	return run_status(r, finish(t, run_loop(r, step, t)));
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
		{ 'n', "lines", "N", "end after N calls", .parse = max_parse, .data = &t },
		{ 0, "json", NULL, "one JSON object per line", .flag = &t.json },
		{ 0, "goid", "N[,N]", "only these goroutines", .parse = filter_goids,
		  .data = &t.filter },
		{ 0, "label", "KEY=VALUE",
		  "only goroutines with this label; repeat to require several",
		  .parse = filter_label, .data = &t.filter },
		DURATION_OPTION(&t.run),
		CALL_OPTIONS(&t.run, ""),
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
