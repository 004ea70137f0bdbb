/* SPDX-License-Identifier: BSD-2-Clause */
/* record: samples processes, all Go processes, or a command. */
#include "profiler/cmd/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/losses.h"
#include "output/table.h"
#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"

/* Reports an error of the result. Returns err. */
static int check_written(struct record *r, int err)
{
	const char *path = r->result.path;

	if (!err)
		return 0;
	run_clear_line(&r->run);
	if (!strcmp(path, "-"))
		path = "stdout";
	if (err == -ETIMEDOUT)
		log_error("%s: its reader stalled; the rest was not written", path);
	else if (err == -EINTR)
		log_error("%s: stopped before everything was written", path);
	else
		log_error("%s: %s", path, strerror(-err));
	return err;
}

static void show_counters(struct record *r)
{
	struct session *s = r->run.session;
	struct buf line = { 0 };

	if (log_level < LOG_NORMAL || !isatty(STDERR_FILENO))
		return;
	text_count(&line, session_elapsed_ns(s) / SECOND);
	buf_str(&line, "s  ");
	text_count_of(&line, session_samples(s), "sample");
	buf_str(&line, "  ");
	text_count_of(&line, session_profile(s)->n_goroutines - 1, "goroutine");
	fprintf(stderr, "\r\033[K%s   (Ctrl-C to stop)", buf_text(&line));
	buf_release(&line);
	r->run.live = true;
}

/* Appends to the file once a second, and sends what the reader of stdout accepts. */
static int step(void *arg, bool second)
{
	struct record *r = arg;
	int err = second ? result_append(&r->result, session_profile(r->run.session)) : 0;

	if (second && !err)
		show_counters(r);
	return check_written(r, err ? err : result_step(&r->result));
}

/* Explains why there are no samples. */
static void say_no_samples(const struct run *r)
{
	const struct profile *p = session_profile(r->session);

	if (stats_lost(&p->stats))
		log_warn("no samples: all of them were lost");
	else if (p->stats.not_go_samples)
		log_warn("no samples of a Go program, only of others: %s",
			 profile_string(p, p->not_go_names));
	else if (r->pids && !session_running(r->session))
		log_warn("no samples: the process ended");
	else if (r->n_funcs)
		log_warn("no samples: no call of what was asked for");
	else
		log_warn("no samples: the target used no CPU time");
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
static void say_kept(const struct record *r)
{
	const char *path = r->result.path, *why;
	struct profile *kept;
	struct stat st;
	struct buf b = { 0 };

	if (r->result.writer || lstat(path, &st) || !S_ISREG(st.st_mode))
		return;
	if (recording_load(&kept, path, 0, &why)) {
		log_info("%s holds no samples", path);
		return;
	}
	text_count(&b, kept->n_events);
	buf_str(&b, " of ");
	text_count(&b, session_samples(r->run.session));
	log_info("%s holds %s samples:", path, buf_text(&b));
	say_quality(kept);
	buf_release(&b);
	profile_free(kept);
}

/* Appends a path as a word of a command that a shell runs as it is shown. */
static void add_word(struct buf *b, const char *path)
{
	static const char safe[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ/._-+@:,=%";
	bool as_is = *path && !path[strspn(path, safe)];

	if (*path == '-')
		buf_str(b, "./"); /* not an option */
	if (!as_is)
		buf_u8(b, '\'');
	for (const char *s = path; *s; s++)
		if (*s == '\'')
			buf_str(b, "'\\''");
		else
			buf_u8(b, (uint8_t)*s);
	if (!as_is)
		buf_u8(b, '\'');
}

static void say_written(const struct record *r)
{
	const char *path = r->result.path;
	struct buf word = { 0 };

	if (!strcmp(path, "-"))
		return;
	log_info("written: %s", path);
	if (!r->result.writer && !r->reported) {
		add_word(&word, path);
		log_info("next:    gostrobe report %s", buf_text(&word));
		log_info("or:      gostrobe flame %s", buf_text(&word));
		buf_release(&word);
	}
}

/* Ends the result, whatever happened before. Returns the exit status. */
static int finish(struct record *r, int err)
{
	struct session *s = r->run.session;
	struct profile *p = session_profile(s);
	bool none;

	session_stop(s);
	none = !session_samples(s) || !p->kinds[profile_find_kind(p, NULL)].quality.samples;
	if (!err && !(none && r->result.writer))
		err = check_written(r, result_finish(&r->result, p));
	if (err)
		say_kept(r);
	else if (none)
		say_no_samples(&r->run);
	else
		say_written(r);
	if (!err && !none && !r->reported)
		say_quality(p);
	if (err == -EINTR)
		return 128 + SIGINT;
	return err || (none && !r->run.command) ? STATUS_FAILED : STATUS_OK;
}

/* Opens the output and starts sampling. Returns an exit status. */
static int begin(struct record *r)
{
	struct run *run = &r->run;
	int status = run_open(run);
	const struct event_kind *k;
	const struct profile *p;

	if (status)
		return status;
	p = session_profile(run->session);
	if (check_written(r, result_open(&r->result, run->name, run->pid, p)))
		return STATUS_FAILED;
	status = run_start(run);
	if (status) {
		result_leave_nothing(&r->result);
		return status;
	}
	k = &p->kinds[profile_find_kind(p, NULL)];
	if (run->n_funcs)
		log_info("recording %s: the calls of %s", run_targets(run), run_calls(run));
	else
		log_info("recording %s: %u sample%s per second on each CPU, by %s",
			 run_targets(run), k->freq, k->freq == 1 ? "" : "s",
			 profile_string(p, k->source));
	return STATUS_OK;
}

static int record(struct record *r)
{
	int status = begin(r), err;

	if (status)
		return run_failure(&r->run, status);
	err = check_written(r, result_begin(&r->result, session_profile(r->run.session)));
	if (!err)
		err = run_loop(&r->run, step, r);
	return run_status(&r->run, finish(r, err));
}

int record_run(struct record *r, char **path)
{
	int status = record(r);

	*path = r->result.path && strcmp(r->result.path, "-") ? mem_strdup(r->result.path)
							      : NULL;
	result_close(&r->result);
	run_close(&r->run);
	return status;
}

int record_check(struct record *r)
{
	struct result *out = &r->result;
	int status = run_check(&r->run);

	if (!status)
		status = format_find("record", r->format, out->path, &out->writer);
	r->run.writes |= out->writer && !(out->path && !strcmp(out->path, "-"));
	if (!status && out->by.n && !out->writer)
		log_warn("--by has no effect on a recording, which keeps everything");
	if (!status && out->writer && !grouping_fits(out->writer, &out->by))
		status = usage_error("record", "%s takes --by goroutine or none",
				     out->writer->name);
	if (!out->by.n)
		out->by = grouping_default(out->writer);
	if (!status && out->path && !strcmp(out->path, "-") && isatty(STDOUT_FILENO) &&
	    (!out->writer || out->writer->binary)) {
		log_error(
			"a recording is binary and stdout is a terminal; use -o FILE or -f folded");
		status = STATUS_FAILED;
	}
	return status;
}

static int unexpected_argument(const struct run *r, const char *word)
{
	uint64_t pid;

	if (!r->pids && !r->all && !number_parse(word, 1, INT32_MAX, &pid))
		return usage_error("record",
				   "unexpected argument '%s'; you may have meant -p %s",
				   word, word);
	return usage_error(
		"record",
		"unexpected argument '%s' (put a command after --, a pid after -p)", word);
}

int cmd_record(int argc, char **argv)
{
	struct record r = { .run.verb = "record" };
	const struct opt opts[] = {
		TARGET_OPTIONS(&r.run),
		RUN_OPTIONS(&r.run),
		OUTPUT_OPTION(&r),
		{ 'f', "format", "NAME",
		  "recording, or a format of export (by the ending of FILE)",
		  .str = &r.format },
		{ 0, "by", "KEY",
		  "grouping, for formats that have groups (a .gsr keeps all)",
		  .parse = grouping_parse, .data = &r.result.by },
		COMMON_OPTIONS,
	};
	char *path = NULL;
	int status;

	if (help_wanted(argc, argv))
		return help_verb("record", opts);
	if (opt_parse(opts, &argc, &argv, false))
		return STATUS_USAGE;
	if (argc && !strcmp(argv[-1], "--"))
		r.run.command = argv;
	else if (argc)
		return unexpected_argument(&r.run, argv[0]);
	status = record_check(&r);
	if (status)
		return run_failure(&r.run, status);
	status = record_run(&r, &path);
	free(path);
	return status;
}
