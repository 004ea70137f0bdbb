/* SPDX-License-Identifier: BSD-2-Clause */
/* record: samples processes, all Go processes, or a command. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/table.h"
#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/request.h"
#include "profiler/cmd/result.h"
#include "profiler/live/launch.h"
#include "profiler/live/session.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"

enum { POLL_MS = 50 };

/* one run of record */
struct run {
	struct request rq;
	struct arena arena;
	struct session *session;
	struct launch launch;
	pid_t pid;        /* the first target; 0 with -a */
	const char *name; /* its name */
	struct result result;
	bool live; /* a counter line is on the terminal */
};

static volatile sig_atomic_t stop_signals, to_forward;

static void on_stop(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* sent by a process, not the terminal: a launched command did not get it */
	if (info->si_code <= 0)
		to_forward = sig;
	if (stop_signals++)
		_exit(128 + SIGINT); /* the recording is complete up to the last second */
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO };
	/* no SA_RESTART, so that poll() returns */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

static void clear_live(struct run *r)
{
	if (r->live)
		fputs("\r\033[K", stderr);
	r->live = false;
}

static void on_note(void *arg, const char *line)
{
	clear_live(arg);
	log_warn("%s", line);
}

/* Returns an exit status. *gone: there is no such process, and the user was told. */
static int follow_one(struct run *r, const char *word, bool *gone)
{
	const char *why;
	uint64_t pid;

	if (number_parse(word, 1, INT32_MAX, &pid))
		return usage_error("record", "-p takes pids separated by commas, not '%s'",
				   word);
	switch (session_follow(r->session, (pid_t)pid, &why)) {
	case TARGET_GONE:
		log_error("there is no process %lu", (unsigned long)pid);
		*gone = true;
		return STATUS_OK;
	case TARGET_NOT_GO:
		log_error("process %lu is not a Go program", (unsigned long)pid);
		return STATUS_FAILED;
	case TARGET_UNSUPPORTED:
		log_error("process %lu: %s", (unsigned long)pid, why);
		return STATUS_FAILED;
	case TARGET_DENIED:
		log_error(
			"process %lu: cannot read its executable (need root or CAP_SYS_PTRACE)",
			(unsigned long)pid);
		return STATUS_FAILED;
	case TARGET_TOO_MANY:
		log_error("-p takes at most %d processes; -a takes all", PROCESSES_GIVEN);
		return STATUS_FAILED;
	case TARGET_GO: break;
	}
	if (!r->pid)
		r->pid = (pid_t)pid;
	return 0;
}

static int follow_pids(struct run *r)
{
	char *list = arena_strndup(&r->arena, r->rq.pids, strlen(r->rq.pids)), *word;
	const struct profile *p = session_profile(r->session);
	bool gone = false;

	/* if one process has just ended, the others are still worth recording */
	while ((word = strsep(&list, ","))) {
		int status = follow_one(r, word, &gone);

		if (status)
			return status;
	}
	if (!r->pid)
		return STATUS_FAILED;
	if (gone)
		log_info("recording the others");
	r->name = profile_string(p, p->processes[1].name);
	return 0;
}

static int follow_targets(struct run *r)
{
	const char *slash;
	int err;

	if (r->rq.pids)
		return follow_pids(r);
	if (r->rq.all) {
		r->name = "all";
		session_follow_all(r->session);
		return 0;
	}
	slash = strrchr(r->rq.command[0], '/');
	r->name = slash ? slash + 1 : r->rq.command[0];
	err = launch_fork(&r->launch, r->rq.command);
	if (!err)
		err = session_follow_tree(r->session, r->launch.pid);
	if (err) {
		log_error("%s: %s", r->rq.command[0], strerror(-err));
		return STATUS_LAUNCH_FAILED;
	}
	r->pid = r->launch.pid;
	return 0;
}

static void say_not_written(struct run *r, int err)
{
	const char *path = strcmp(r->result.path, "-") ? r->result.path : "stdout";

	if (err == -ETIMEDOUT)
		log_error("%s: its reader stalled; the rest was not written", path);
	else if (err == -EINTR)
		log_error("%s: stopped before everything was written", path);
	else
		log_error("%s: %s", path, strerror(-err));
}

static int open_output(struct run *r)
{
	struct profile *p = session_profile(r->session);
	int err;

	r->result.path = r->rq.output;
	r->result.writer = r->rq.writer;
	r->result.by = r->rq.by;
	r->result.stop = &stop_signals;
	/* the title, if there are several processes to name */
	if (!r->rq.pids)
		p->command = strtab_add(p->strings,
					r->rq.all ? "all Go processes" : r->name);
	err = result_open(&r->result, r->name, r->pid, p);
	if (err)
		say_not_written(r, err);
	return err ? STATUS_FAILED : 0;
}

/* Once a second: appends to the file and updates the line on the terminal. */
static int tick(struct run *r)
{
	const struct profile *p = session_profile(r->session);
	struct buf line = { 0 };
	int err = result_append(&r->result, session_profile(r->session));

	if (err) {
		clear_live(r);
		say_not_written(r, err);
		return err;
	}
	if (log_level < LOG_NORMAL || !isatty(STDERR_FILENO))
		return 0;
	text_count(&line, session_elapsed_ns(r->session) / 1000000000u);
	buf_str(&line, "s  ");
	text_count_of(&line, session_samples(r->session), "sample");
	buf_str(&line, "  ");
	text_count_of(&line, p->n_goroutines - 1, "goroutine");
	fprintf(stderr, "\r\033[K%.*s   (Ctrl-C to stop)", (int)line.len,
		(const char *)line.data);
	buf_release(&line);
	r->live = true;
	return 0;
}

/* A launched command gets the terminal's Ctrl-C too; when it ends, so do we. */
static bool wants_end(struct run *r)
{
	uint64_t elapsed = session_elapsed_ns(r->session);

	if (r->rq.duration_ns && elapsed >= r->rq.duration_ns)
		return true;
	if (r->rq.command && to_forward) {
		kill(r->launch.pid, to_forward);
		to_forward = 0;
	}
	if (r->rq.command)
		return launch_ended(&r->launch, false);
	return stop_signals || (r->rq.pids && !session_running(r->session));
}

static int timeout_ms(const struct run *r)
{
	uint64_t elapsed = session_elapsed_ns(r->session), left;

	if (!r->rq.duration_ns || elapsed >= r->rq.duration_ns)
		return POLL_MS;
	left = (r->rq.duration_ns - elapsed) / 1000000 + 1;
	return left < POLL_MS ? (int)left : POLL_MS;
}

static int loop(struct run *r)
{
	uint64_t next = 1000000000u;
	int err = result_begin(&r->result, session_profile(r->session));

	if (err)
		say_not_written(r, err);
	while (!err && !wants_end(r)) {
		err = session_step(r->session, timeout_ms(r));
		if (err == -EINTR || err > 0)
			err = 0;
		if (err) {
			clear_live(r);
			log_error("ring buffer: %s", strerror(-err));
		} else if (session_elapsed_ns(r->session) >= next) {
			err = tick(r);
			next = session_elapsed_ns(r->session) + 1000000000u;
		}
		if (!err) {
			err = result_step(&r->result);
			if (err)
				say_not_written(r, err);
		}
	}
	clear_live(r);
	return err;
}

/* Explains why there are no samples. */
static void say_no_samples(const struct run *r)
{
	const struct profile *p = session_profile(r->session);
	/* not an error for a command that has done its work */
	void (*say)(const char *fmt, ...) __attribute__((format(printf, 1, 2))) =
		r->rq.command ? log_warn : log_error;

	if (p->stats.lost_ring_full + p->stats.lost_table_full)
		say("no samples: all of them were lost");
	else if (p->stats.not_go_samples)
		say("no samples of a Go program, only of others: %s",
		    profile_string(p, p->not_go_names));
	else if (r->rq.pids && !session_running(r->session))
		say("no samples: the process ended");
	else
		say("no samples: the target used no CPU time");
}

static void say_quality(const struct profile *p)
{
	struct buf b = { 0 };

	if (log_level < LOG_NORMAL)
		return;
	quality_line(p, profile_find_kind(p, NULL), plain_width(STDERR_FILENO), stderr);
	losses_add(p, &b);
	buf_write(&b, stderr);
	buf_release(&b);
}

/* Writing failed: reads the file back and says what it holds. */
static void say_kept(struct run *r)
{
	const char *path = r->result.path, *why;
	struct profile *kept;
	struct stat st;
	struct buf b = { 0 };

	if (r->rq.writer || lstat(path, &st) || !S_ISREG(st.st_mode))
		return;
	if (recording_load(&kept, path, &why)) {
		log_info("%s holds no samples", path);
		return;
	}
	text_count(&b, kept->n_events);
	buf_str(&b, " of ");
	text_count(&b, session_samples(r->session));
	log_info("%s holds %.*s samples:", path, (int)b.len, (const char *)b.data);
	say_quality(kept);
	buf_release(&b);
	profile_free(kept);
}

static void say_written(const struct run *r)
{
	const char *path = r->result.path;

	if (!strcmp(path, "-"))
		return;
	log_info("written: %s", path);
	if (!r->rq.writer && !r->rq.reported) {
		log_info("next:    gostrobe report %s", path);
		log_info("or:      gostrobe flame %s", path);
	}
}

/* Ends the result, whatever happened before. Returns the exit status. */
static int finish(struct run *r, int err)
{
	struct profile *p = session_profile(r->session);
	bool none;

	session_stop(r->session);
	none = !session_samples(r->session) ||
	       !p->kinds[profile_find_kind(p, NULL)].quality.samples;
	if (!err && !(none && r->rq.writer)) {
		err = result_finish(&r->result, p);
		if (err)
			say_not_written(r, err);
	}
	if (err)
		say_kept(r);
	else if (none)
		say_no_samples(r);
	else
		say_written(r);
	if (!err && !none && !r->rq.reported)
		say_quality(p);
	if (err == -EINTR)
		return 128 + SIGINT;
	return err || (none && !r->rq.command) ? STATUS_FAILED : STATUS_OK;
}

/* gostrobe's own failure, which must not look like the command's status 1. */
static int own_failure(const struct request *rq, int status)
{
	return status == STATUS_FAILED && rq->command ? STATUS_LAUNCH_FAILED : status;
}

static int launch_status(struct run *r, int status)
{
	if (!r->launch.ended)
		log_info("the command is still running; waiting for it to end");
	while (!launch_ended(&r->launch, true) && !stop_signals)
		;
	if (!r->launch.ended)
		return 128 + SIGINT;
	return launch_exit_status(&r->launch) ? launch_exit_status(&r->launch)
					      : own_failure(&r->rq, status);
}

/* The names of all targets. */
static const char *targets(struct run *r)
{
	const struct profile *p = session_profile(r->session);
	const char *text = "";

	if (r->rq.all)
		return "all Go processes";
	if (r->rq.command)
		return arena_printf(&r->arena, "%s-%d", r->name, r->pid);
	for (uint32_t i = 1; i < p->n_processes; i++)
		text = arena_printf(&r->arena, "%s%s%s-%u", text,
				    i == 1                    ? ""
				    : i == p->n_processes - 1 ? " and "
							      : ", ",
				    profile_string(p, p->processes[i].name),
				    p->processes[i].tgid);
	return text;
}

static int start(struct run *r)
{
	const struct profile *p = session_profile(r->session);
	const struct event_kind *k = &p->kinds[profile_find_kind(p, "cpu")];
	const char *what;
	int err = session_start(r->session, &what);

	if (err) {
		say_cannot("record", what, err);
		return STATUS_FAILED;
	}
	err = r->rq.command ? launch_exec(&r->launch) : 0;
	if (err) {
		log_error("%s: %s", r->rq.command[0], strerror(-err));
		return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	}
	log_info("recording %s: %u sample%s per second on each CPU, by %s", targets(r),
		 k->freq, k->freq == 1 ? "" : "s", profile_string(p, k->source));
	return 0;
}

/* Starts sampling. Returns an exit status. */
static int begin(struct run *r, const struct session_options *so)
{
	const char *what;
	int err = session_open(&r->session, so, &what), status;

	if (err) {
		if (err == -ENOENT && so->collector.event == EVENT_CYCLES) {
			log_error(
				"%s: this machine has no PMU that counts cycles; use -e cpu-clock",
				what);
			return STATUS_FAILED;
		}
		say_cannot("record", what, err);
		return STATUS_FAILED;
	}
	catch_signals();
	status = follow_targets(r);
	if (!status) {
		session_prepare(r->session);
		status = open_output(r);
	}
	if (!status) {
		status = start(r);
		if (status)
			result_leave_nothing(&r->result);
	}
	return status;
}

static int record(struct run *r, const struct session_options *so)
{
	int status = begin(r, so);

	if (status)
		return own_failure(&r->rq, status);
	status = finish(r, loop(r));
	return r->rq.command ? launch_status(r, status) : status;
}

int record_run(struct request *rq, struct session_options *so, char **path)
{
	struct run r = { .rq = *rq };
	int status;

	so->note = on_note;
	so->arg = &r;
	status = record(&r, so);
	*path = r.result.path && strcmp(r.result.path, "-") ? mem_strdup(r.result.path)
							    : NULL;
	launch_abort(&r.launch);
	result_close(&r.result);
	session_close(r.session);
	arena_release(&r.arena);
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct session_options so = { 0 };
	struct request rq = { 0 };
	char *path = NULL;
	bool go = false;
	int status = own_failure(&rq, request_parse(argc, argv, &rq, &so, &go));

	if (go)
		status = record_run(&rq, &so, &path);
	free(path);
	return status;
}
