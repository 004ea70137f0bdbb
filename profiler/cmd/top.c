/* SPDX-License-Identifier: BSD-2-Clause */
/* top: what goroutines do now, on a screen or as plain text; or what they did, from a
 * recording. */
#include "profiler/cmd/top.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/screen.h"
#include "profiler/profile/starts.h"

enum {
	WINDOW_S = 10,
	POLL_MS = 50,
	FIRST_MS = 50, /* the first refresh; the time until the next one doubles */
	DELAY_MIN_MS = 100,
};

/* Signals. */

static void on_stop(int sig)
{
	if (run_stops++) {
		screen_restore();
		_exit(128 + sig);
	}
}

/* As record: the first one ends it in order. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_stop }; /* no SA_RESTART */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Showing. */

static void paint(struct top *t)
{
	struct buf said = { 0 };

	screen_said(&said);
	if (said.len)
		browser_say(&t->browser, buf_text(&said));
	buf_release(&said);
	browser_look(&t->browser, &t->moment, screen_width(), screen_height());
	top_screen(&t->browser, &t->moment, &t->lines);
	screen_paint(&t->lines);
}

/* Acts on all keys that were pressed. Were there any? */
static bool take_keys(struct top *t)
{
	uint32_t key;
	bool any = false;

	while (!t->browser.quit && (key = screen_key())) {
		if (any) /* it is about what the one before has changed */
			browser_look(&t->browser, &t->moment, screen_width(),
				     screen_height());
		any = true;
		browser_key(&t->browser, &t->moment, key);
		if (t->browser.write)
			top_write(t);
	}
	return any;
}

static void print(struct top *t)
{
	browser_look(&t->browser, &t->moment, 0, 0);
	spans_clear(&t->lines);
	t->lines.width = plain_width(STDOUT_FILENO);
	top_text(&t->browser, &t->moment, &t->lines);
	spans_write(&t->lines, stdout);
	fflush(stdout);
	t->printed++;
}

/* Live. */

static void add_interval(struct top *t)
{
	struct profile *done = session_next(t->run.session);

	window_add(t->moment.live, done);
	profile_free(done);
}

static int step(void *arg, bool second)
{
	struct top *t = arg;
	uint64_t now = session_elapsed_ns(t->run.session);
	bool due = now >= t->due_ns;

	(void)second;
	if (due || now >= t->interval_ns) {
		add_interval(t);
		t->interval_ns = now + SECOND;
	}
	if (due && t->plain)
		t->due_ns += t->delay_ns;
	else if (due) /* soon in the beginning, so that there is something to see */
		t->due_ns = now + (now < t->delay_ns ? now : t->delay_ns);
	if (t->plain && due)
		print(t);
	else if (!t->plain && (take_keys(t) || due))
		paint(t);
	return 0;
}

static bool over(void *arg)
{
	const struct top *t = arg;

	return t->browser.quit || (t->n && t->printed == t->n);
}

/* The last moment stays until the user has seen it. */
static void stay(struct top *t)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	t->moment.ended = t->moment.still = true;
	browser_say(&t->browser, "the target has ended; q quits, w writes the window");
	paint(t);
	while (!t->browser.quit && !run_stops) {
		poll(&in, 1, POLL_MS);
		if (take_keys(t))
			paint(t);
	}
}

static int watch(struct top *t)
{
	struct run *r = &t->run;
	int status = run_start(r), err;

	if (status)
		return status;
	t->due_ns = t->plain ? t->delay_ns : FIRST_MS * (uint64_t)(SECOND / 1000);
	err = run_loop(r, step, t);
	session_stop(r->session);
	if (err || over(t) || run_stops)
		return err ? STATUS_FAILED : STATUS_OK;
	window_add(t->moment.live, session_profile(r->session));
	if (t->plain)
		print(t);
	else
		stay(t);
	return STATUS_OK;
}

static int live(struct top *t)
{
	struct run *r = &t->run;
	int status = run_open(r), err;

	if (status)
		return status;
	catch_signals();
	t->moment.live = window_new(session_profile(r->session), t->moment.window_ns);
	t->browser.title = run_targets(r);
	err = t->plain ? 0 : screen_open(color_wanted(stdout));
	if (err) {
		log_error("the terminal: %s", strerror(-err));
		return STATUS_FAILED;
	}
	if (!t->plain)
		paint(t);
	status = watch(t);
	screen_close();
	return status;
}

/* A recording. */

/* Without waiting, in steps of the delay. */
static int print_all(struct top *t)
{
	struct moment *m = &t->moment;

	m->to_ns = m->start_ns;
	while (!over(t) && m->to_ns < m->end_ns && !run_stops) {
		moment_move(m, (int64_t)t->delay_ns);
		print(t);
	}
	return STATUS_OK;
}

static int play(struct top *t)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t last = clock_now_ns();
	int err = screen_open(color_wanted(stdout));

	if (err) {
		log_error("the terminal: %s", strerror(-err));
		return STATUS_FAILED;
	}
	paint(t);
	while (!t->browser.quit && !run_stops) {
		uint64_t now;
		bool due;

		poll(&in, 1, POLL_MS);
		now = clock_now_ns();
		due = now - last >= t->delay_ns;
		if (due) {
			moment_play(&t->moment, now - last);
			last = now;
		}
		if (take_keys(t) || due)
			paint(t);
	}
	screen_close();
	return STATUS_OK;
}

static int replay(struct top *t)
{
	struct input in = { .path = t->path, .view.by = t->view.by };
	const char *slash = strrchr(t->path, '/');
	int status;

	in.view.filter.kind = t->view.filter.kind;
	in.view.as_pprof = t->view.as_pprof;
	in.view.max_memory = t->view.max_memory;
	status = input_load(&in, "top");
	if (status) {
		input_close(&in);
		return status;
	}
	t->view.filter.kind = in.view.filter.kind;
	catch_signals();
	moment_of_file(&t->moment, in.profile, &t->view.filter);
	if (t->moment.start_ns == t->moment.end_ns) {
		log_error("%s: has no samples%s", t->path,
			  in.profile->n_events ? " in that time" : "");
		return STATUS_FAILED;
	}
	t->browser.title = slash ? slash + 1 : t->path;
	if (!t->moment.file->complete)
		browser_say(&t->browser, "the recording is truncated or damaged; this is "
					 "what could be read");
	return t->plain ? print_all(t) : play(t);
}

/* Options. */

static int check_time(struct top *t)
{
	uint64_t window = WINDOW_S * (uint64_t)SECOND;

	t->delay_ns = SECOND;
	if (t->count && number_parse(t->count, 1, UINT32_MAX, &t->n))
		return usage_error("top", "-n takes a number, not '%s'", t->count);
	if (t->delay && (duration_parse(t->delay, &t->delay_ns) ||
			 t->delay_ns < DELAY_MIN_MS * (uint64_t)(SECOND / 1000)))
		return usage_error("top", "-d takes a time from 100ms on, not '%s'",
				   t->delay);
	if (t->window && (duration_parse(t->window, &window) || window < SECOND ||
			  window > WINDOW_MINUTE))
		return usage_error("top", "--window takes a time from 1s to 60s, not '%s'",
				   t->window);
	t->moment.window_ns = window;
	return STATUS_OK;
}

static int check(struct top *t, int argc, char **argv)
{
	const struct filter *f = &t->view.filter;
	const struct run *r = &t->run;
	int status = check_time(t);

	if (status)
		return status;
	if (argc > 1 || (argc == 1) + (r->pids != NULL) + r->all != 1)
		return usage_error("top", "give one of -p PID, -a and FILE");
	if (argc && (r->freq || r->event))
		return usage_error("top", "-F and -e go with -p or -a, not with FILE");
	if (!argc && (f->from_ns || f->to_ns || f->kind))
		return usage_error("top", "--time and --kind go with FILE");
	if (r->n_funcs)
		return usage_error(
			"top", "-e takes cycles or cpu-clock; trace --count is for calls");
	t->path = argc ? argv[0] : NULL;
	return argc ? STATUS_OK : run_check(&t->run);
}

static int top(struct top *t)
{
	const char *why;
	int status;

	t->plain = t->n;
	if (!t->plain && !screen_possible(&why)) {
		log_info("%s: printing plain text (-n N ends after N)", why);
		t->plain = true;
	}
	if (!t->plain)
		screen_guard();
	browser_init(&t->browser, &t->view);
	status = t->path ? replay(t) : live(t);
	browser_release(&t->browser);
	moment_release(&t->moment);
	spans_release(&t->lines);
	return status;
}

int cmd_top(int argc, char **argv)
{
	struct top t = { .run = { .verb = "top", .writes = true } };
	const struct opt opts[] = {
		TARGET_OPTIONS(&t.run),
		{ 'n', "number", "N", "print plain text N times, then end",
		  .str = &t.count },
		{ 'd', "delay", "TIME", "time between two refreshes (1s)",
		  .str = &t.delay },
		{ 0, "window", "TIME", "the time that figures are of, up to 60s (10s)",
		  .str = &t.window },
		{ 'F', "freq", "HZ", "samples per second on each CPU (99)",
		  .str = &t.run.freq },
		{ 'e', "event", "NAME",
		  "cycles or cpu-clock (cycles if the machine has a PMU)",
		  .parse = run_event, .data = &t.run },
		{ 0, "by", "KEY", "grouping, see below (start)", .parse = grouping_parse,
		  .data = &t.view.by },
		VIEW_FILTERS(&t.view),
		SANDBOX_OPTIONS(&t.run),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("top", opts);
	t.run.over = over;
	t.run.over_arg = &t;
	if (!opt_parse(opts, &argc, &argv, true))
		status = check(&t, argc, argv);
	if (!t.view.by.n)
		t.view.by = grouping_default(NULL);
	if (!status)
		status = top(&t);
	run_close(&t.run);
	filter_release(&t.view.filter);
	return status;
}
