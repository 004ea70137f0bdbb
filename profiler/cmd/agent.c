/* SPDX-License-Identifier: BSD-2-Clause */
/* agent: profiles of all Go processes, for ever, to where they are kept. */
#include "profiler/cmd/agent.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "profiler/agent/logger.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"

enum { CLOSE_MS = 4400 /* of the 5 s that SIGTERM takes at most */ };

static void print(enum logger_level level, const char *line)
{
	if (log_level >= LOG_NORMAL || level < LOGGER_INFO)
		fprintf(stderr, "%s\n", line);
}

static bool choose(void *arg, uint32_t tgid, const char *path, struct buf *resource)
{
	return identity_read(&((struct agent *)arg)->choice, tgid, path, resource);
}

static void note(void *arg, const char *line)
{
	struct agent *a = arg;

	logger_event(a->logger, LOGGER_WARN, "note", "text", line, NULL);
}

/* At the end of each interval its profile goes on, and reading the rings with it. */
static int step(void *arg, bool second)
{
	struct agent *a = arg;
	struct session *s = a->run.session;

	(void)second;
	if (session_elapsed_ns(s) < a->next_ns)
		return 0;
	/* intervals that were missed, because the machine slept, are not made up for */
	while (a->next_ns <= session_elapsed_ns(s))
		a->next_ns += a->interval_ns;
	exporter_put(a->exporter, session_next(s));
	return 0;
}

static void say_start(struct agent *a)
{
	for (uint32_t i = 0; i < a->n_receivers; i++)
		logger_event(a->logger, LOGGER_INFO, "sending", "receiver",
			     a->receivers[i].to, NULL);
}

/* How much of the data came through. */
static void say_end(struct agent *a, const struct receiver *r)
{
	const struct receiver_counts *c = &r->counts;
	uint64_t dropped = c->queued; /* if its thread is stuck; else there is nothing */
	char sent[24], lost[24];

	for (int i = 0; i < CAUSES; i++)
		dropped += c->dropped[i];
	snprintf(sent, sizeof(sent), "%" PRIu64, (uint64_t)c->sent);
	snprintf(lost, sizeof(lost), "%" PRIu64, dropped);
	logger_event(a->logger, LOGGER_INFO, "stopped", "receiver", r->name, "sent", sent,
		     "dropped", lost, NULL);
}

static int run(struct agent *a)
{
	int err;

	say_start(a);
	a->next_ns = a->interval_ns;
	err = run_loop(&a->run, step, a);
	session_stop(a->run.session);
	exporter_put(a->exporter, session_take(a->run.session));
	return err ? STATUS_FAILED : STATUS_OK;
}

/* Starts the threads before sampling begins, with an ordinary priority. */
static int open_exporter(struct agent *a)
{
	const struct exporter_options o = {
		.receivers = a->receivers,
		.n_receivers = a->n_receivers,
		.queue_bytes = a->queue_bytes,
		.labels = a->labels,
		.n_labels = a->n_labels,
		.max_values = (uint32_t)a->values,
		.logger = a->logger,
	};
	const char *why, *which;

	mallopt(M_ARENA_MAX, 2); /* threads that wait most of the time need none each */
	a->exporter = exporter_new(&o, &why, &which);
	if (!a->exporter)
		log_error("--to %s: %s", which, why);
	return a->exporter ? STATUS_OK : STATUS_FAILED;
}

static void close_exporter(struct agent *a, int status)
{
	bool ended = exporter_flush(a->exporter, CLOSE_MS * 1000000ull);
	const struct receiver *r;

	for (uint32_t i = 0; (r = exporter_receiver(a->exporter, i)); i++)
		say_end(a, r);
	if (ended)
		exporter_free(a->exporter);
	else
		_exit(status); /* a thread is stuck: the kernel takes it along */
}

int cmd_agent(int argc, char **argv)
{
	struct agent a = { .run.verb = "agent" };
	struct opt opts[AGENT_OPTIONS];
	int status;

	agent_options(&a, opts);
	if (help_wanted(argc, argv))
		return help_verb("agent", opts);
	status = opt_parse(opts, &argc, &argv, true) ? STATUS_USAGE : STATUS_OK;
	if (!status && argc)
		status = usage_error("agent", "unexpected argument '%s'", argv[0]);
	if (!status)
		status = agent_check(&a);
	a.run.so.choose = choose;
	a.run.so.note = note;
	a.run.so.arg = &a;
	a.logger = logger_new(print);
	if (!status)
		status = open_exporter(&a);
	if (!status)
		status = run_open(&a.run);
	if (!status)
		status = run_start(&a.run);
	if (!status)
		status = run(&a);
	if (a.exporter)
		close_exporter(&a, status);
	run_close(&a.run);
	logger_free(a.logger);
	choice_release(&a.choice);
	free(a.labels);
	arena_release(&a.arena);
	return status;
}
