/* SPDX-License-Identifier: BSD-2-Clause */
/* agent: profiles of all Go processes, for ever, to where they are kept. */
#include "profiler/cmd/agent.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/agent/logger.h"
#include "profiler/agent/metrics.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"

enum {
	CLOSE_MS = 4400, /* of the 5 s that SIGTERM takes at most */
	STALLED_S = 15,
};

static volatile sig_atomic_t to_reread;

static void print(enum logger_level level, const char *line)
{
	if (log_level >= LOG_NORMAL || level < LOGGER_INFO)
		fprintf(stderr, "%s\n", line);
}

static bool choose(void *arg, uint32_t tgid, const char *path, struct buf *resource)
{
	const struct agent *a = arg;

	return identity_read(&a->now->choice, tgid, path, resource);
}

static void note(void *arg, const char *line)
{
	struct agent *a = arg;

	logger_event(a->logger, LOGGER_WARN, "note", "text", line, NULL);
}

/* What others may ask. */

static unsigned write_metrics(void *arg, struct buf *to)
{
	struct agent *a = arg;

	metrics_add(a->exporter, to);
	metrics_one(
		to, "config_last_reload_successful", "gauge",
		"0: the file was bad when it was last read, and what was before counts.",
		!a->stale);
	return 200;
}

/* Of the agent itself: receivers that fail are no reason to start it anew. */
static unsigned write_health(void *arg, struct buf *to)
{
	const struct agent *a = arg;
	uint64_t beat = a->beat_ns, now = clock_now_ns(),
		 s = now > beat ? (now - beat) / SECOND : 0;

	if (s < STALLED_S)
		buf_str(to, "ok\n");
	else
		buf_printf(to, "samples were not read for %u s\n", (unsigned)s);
	return s < STALLED_S ? 200 : 503;
}

static int open_listener(struct agent *a)
{
	const char *why;
	char name[80];

	if (!a->now->listen)
		return STATUS_OK;
	a->pages[0] = (struct listener_page){ "/metrics", METRICS_TYPE, write_metrics, a };
	a->pages[1] = (struct listener_page){ "/healthz", "text/plain; charset=utf-8",
					      write_health, a };
	a->listener = listener_new(&a->now->address, a->pages, name, &why);
	if (a->listener)
		logger_event(a->logger, LOGGER_INFO, "listening", "at", name, NULL);
	else
		log_error("--listen %s: %s", a->now->listen, why);
	return a->listener ? STATUS_OK : STATUS_FAILED;
}

/* The configuration again. */

static void on_hangup(int sig)
{
	(void)sig;
	to_reread = 1;
}

/* Without a file there is nothing to read: it stays a reason to end. */
static void catch_hangup(const struct agent *a)
{
	const struct sigaction sa = { .sa_handler = on_hangup };

	if (a->first.config)
		sigaction(SIGHUP, &sa, NULL);
}

static void release_now(struct agent *a)
{
	if (a->now == &a->first)
		return;
	settings_release(a->now);
	free(a->now);
}

static void say_reread(struct agent *a, struct settings *next)
{
	const char *fixed = settings_fixed(&a->first, next);
	bool others = !choice_equal(&a->now->choice, &next->choice);

	logger_event(a->logger, LOGGER_INFO, "configuration read", "file", next->config,
		     "needs_restart", *fixed ? fixed : NULL, "choice",
		     others ? "of programs that start from now on" : NULL, NULL);
}

static void reread(struct agent *a)
{
	struct settings *next = mem_zalloc(sizeof(*next));
	struct buf why = { 0 };
	int status;

	settings_init(next);
	log_diverted = &why;
	status = settings_parse(next, a->argc, a->argv);
	log_diverted = NULL;
	a->stale = status;
	if (status) {
		logger_event(a->logger, LOGGER_ERROR, "configuration kept", "file",
			     a->first.config, "error", buf_text(&why), NULL);
		settings_release(next);
		free(next);
	} else {
		const struct exporter_options o = settings_exporter(next);

		say_reread(a, next);
		exporter_change(a->exporter, &o);
		release_now(a);
		a->now = next;
	}
	buf_release(&why);
}

/* Sampling. */

/* At the end of each interval its profile goes on, and reading the rings with it. */
static int step(void *arg, bool second)
{
	struct agent *a = arg;
	struct session *s = a->first.run.session;

	(void)second;
	a->beat_ns = clock_now_ns();
	if (to_reread) {
		to_reread = 0;
		reread(a);
	}
	if (session_elapsed_ns(s) < a->next_ns)
		return 0;
	/* intervals that were missed, because the machine slept, are not made up for */
	while (a->next_ns <= session_elapsed_ns(s))
		a->next_ns += a->now->interval_ns;
	exporter_put(a->exporter, session_next(s));
	return 0;
}

static int run(struct agent *a)
{
	struct run *r = &a->first.run;
	int err;

	for (uint32_t i = 0; i < a->now->n_receivers; i++)
		logger_event(a->logger, LOGGER_INFO, "sending", "receiver",
			     a->now->receivers[i].to, NULL);
	a->next_ns = a->now->interval_ns;
	err = run_loop(r, step, a);
	session_stop(r->session);
	exporter_put(a->exporter, session_take(r->session));
	return err ? STATUS_FAILED : STATUS_OK;
}

/* Starts the threads before sampling begins, with an ordinary priority. */
static int open_exporter(struct agent *a)
{
	struct exporter_options o = settings_exporter(a->now);
	const char *why, *which;

	mallopt(M_ARENA_MAX, 2); /* threads that wait most of the time need none each */
	o.logger = a->logger;
	a->exporter = exporter_new(&o, &why, &which);
	if (!a->exporter)
		log_error("--to %s: %s", which, why);
	return a->exporter ? STATUS_OK : STATUS_FAILED;
}

static void close_exporter(struct agent *a, int status)
{
	if (exporter_flush(a->exporter, CLOSE_MS * 1000000ull))
		exporter_free(a->exporter);
	else
		_exit(status); /* a thread is stuck: the kernel takes it along */
}

static int agent_run(struct agent *a)
{
	struct run *r = &a->first.run;
	int status;

	r->so.choose = choose;
	r->so.note = note;
	r->so.arg = a;
	a->beat_ns = clock_now_ns();
	status = open_exporter(a) ?: open_listener(a) ?: run_open(r);
	catch_hangup(a);
	if (!status)
		status = run_start(r) ?: run(a);
	listener_free(a->listener);
	if (a->exporter)
		close_exporter(a, status);
	return status;
}

int cmd_agent(int argc, char **argv)
{
	struct agent a = { .argc = argc, .argv = argv, .now = &a.first };
	int status;

	settings_init(&a.first);
	if (help_wanted(argc, argv))
		return help_verb("agent", a.first.opts);
	status = settings_parse(&a.first, argc, argv);
	if (!status && a.first.check) {
		status = settings_check_secrets(&a.first);
		if (!status)
			puts("the configuration is good");
	} else if (!status) {
		a.logger = logger_new(print);
		status = agent_run(&a);
	}
	run_close(&a.first.run);
	release_now(&a);
	settings_release(&a.first);
	logger_free(a.logger);
	return status;
}
