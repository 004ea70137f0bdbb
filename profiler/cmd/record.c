/* SPDX-License-Identifier: BSD-2-Clause */
/* record: sample one process, all Go processes, or a command. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/table.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/opt.h"
#include "profiler/base/strtab.h"
#include "profiler/cmd/cmd.h"
#include "profiler/launch.h"
#include "profiler/profile.h"
#include "profiler/recording.h"
#include "profiler/session.h"
#include "profiler/tree.h"

enum {
	POLL_MS = 50,
	/* rows of the kernel side's table: -p, -- COMMAND, -a */
	PROCESSES_GIVEN = 64,
	PROCESSES_TREE = 4096,
	PROCESSES_ALL = 16384,
};

/* What the user asked for. */
struct request {
	const char *pids, *freq, *event, *duration, *output, *format;
	bool all, kernel_only, user_only;
	struct grouping by;
	char **command;              /* NULL: none */
	uint64_t duration_ns;        /* 0: no end */
	const struct writer *writer; /* NULL: a recording */
};

/* One recording run. */
struct run {
	struct request rq;
	struct arena arena;
	struct session *session;
	struct launch launch;
	pid_t pid;                   /* the first target; 0 with -a */
	const char *name;            /* of it */
	const char *path;            /* of the result */
	struct recording *recording; /* one of these two */
	struct outfile out;
	bool live; /* a counter line is on the terminal */
};

static volatile sig_atomic_t stop_signals, to_forward;

static void on_stop(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* from a process, not the terminal: a launched command has not got it */
	if (info->si_code <= 0)
		to_forward = sig;
	if (stop_signals++)
		_exit(128 + SIGINT); /* the recording is whole up to the last second */
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO };
	/* no SA_RESTART: polls return */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* The kernel's limit is a limit of the machine, no wrong usage. */
static int check_freq(const char *arg, uint32_t *freq)
{
	struct buf b = { 0 };
	uint64_t v, max = 100000;
	int err = opt_number(arg, 1, UINT32_MAX, &v);

	if (err == -EINVAL || !strcmp(arg, "0"))
		return usage_error("record",
				   "-F wants samples per second, 1 or more, not '%s'", arg);
	if (!file_read(AT_FDCWD, "/proc/sys/kernel/perf_event_max_sample_rate", 64, &b)) {
		buf_u8(&b, 0);
		max = strtoull((char *)b.data, NULL, 10);
	}
	buf_release(&b);
	if (err || v > max) {
		error("-F %s is above this kernel's limit of %lu Hz (kernel.perf_event_max_sample_rate)",
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
		return usage_error("record", "there is no event '%s': cycles or cpu-clock",
				   arg);
	return 0;
}

static int check_format(struct request *rq)
{
	bool to_stdout = rq->output && !strcmp(rq->output, "-");

	if (rq->format && strcmp(rq->format, "recording") && strcmp(rq->format, "gsr")) {
		rq->writer = writer_find(rq->format);
		if (!rq->writer)
			return usage_error(
				"record",
				"there is no format '%s'; gostrobe help export lists them",
				rq->format);
	} else if (!rq->format && rq->output && !to_stdout) {
		rq->writer = writer_for_path(rq->output);
	}
	if (to_stdout && isatty(STDOUT_FILENO) && (!rq->writer || rq->writer->binary)) {
		error("this is binary and stdout is a terminal: redirect it, or -f folded");
		return STATUS_FAILED;
	}
	return 0;
}

/* Exit status; *go: all is well, and it was not the help that was wanted. */
static int parse(int argc, char **argv, struct request *rq, struct session_options *so,
		 bool *go)
{
	const struct opt opts[] = {
		{ 'p', "pid", "LIST", "the processes with these pids", .str = &rq->pids },
		{ 'a', "all", NULL, "every Go process, also those that start later",
		  .flag = &rq->all },
		{ 'F', "freq", "HZ", "samples per second and CPU (99)", .str = &rq->freq },
		{ 'e', "event", "NAME", "cycles or cpu-clock (cycles if there is a PMU)",
		  .str = &rq->event },
		{ 'd', "duration", "TIME", "30, 30s, 2m (until Ctrl-C, or the target ends)",
		  .str = &rq->duration },
		{ 'o', "output", "FILE", "where to; - is stdout (gostrobe-NAME-PID.gsr)",
		  .str = &rq->output },
		{ 'f', "format", "NAME",
		  "recording, or as in export (by the ending of FILE)",
		  .str = &rq->format },
		{ 0, "by", "KEY", "how formats that group do so (goroutine)",
		  .parse = grouping_parse, .data = &rq->by },
		{ 'K', "kernel-stacks-only", NULL, "no user stacks",
		  .flag = &rq->kernel_only },
		{ 'U', "user-stacks-only", NULL, "no kernel stacks",
		  .flag = &rq->user_only },
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
		return usage_error("record",
				   "'%s' is no option; a command to launch goes behind --",
				   argv[0]);
	if (!rq->pids + !rq->all + !rq->command != 2)
		return usage_error("record",
				   "what to record? one of -p PID, -a, -- COMMAND");
	if (rq->kernel_only && rq->user_only)
		return usage_error("record", "-K and -U leave nothing");
	if (rq->duration &&
	    (opt_duration(rq->duration, &rq->duration_ns) || !rq->duration_ns))
		return usage_error("record", "-d wants a time such as 30s or 2m, not '%s'",
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
	*go = !err;
	return err;
}

/* What `gostrobe PID` prints. */
static int report_write(const struct tree *t, FILE *out)
{
	struct table_options o = report_fit(1);

	table_write(t, &o, out);
	return 0;
}

static const struct writer report_writer = { .name = "report", .write = report_write };

static void clear_live(struct run *r)
{
	if (r->live)
		fputs("\r\033[K", stderr);
	r->live = false;
}

static void on_note(void *arg, const char *line)
{
	clear_live(arg);
	warn("%s", line);
}

static int follow_one(struct run *r, const char *word)
{
	uint64_t pid;

	if (opt_number(word, 1, INT32_MAX, &pid))
		return usage_error("record", "-p wants pids, separated by commas, not '%s'",
				   word);
	switch (session_follow(r->session, (pid_t)pid)) {
	case TARGET_GONE:
		error("there is no process %lu", (unsigned long)pid);
		return STATUS_FAILED;
	case TARGET_NOT_GO:
		error("process %lu is not a Go program", (unsigned long)pid);
		return STATUS_FAILED;
	case TARGET_DENIED:
		error("process %lu: its executable may not be read: run as root",
		      (unsigned long)pid);
		return STATUS_FAILED;
	case TARGET_TOO_MANY:
		error("-p takes at most %d processes; -a takes all", PROCESSES_GIVEN);
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

	while ((word = strsep(&list, ","))) {
		int status = follow_one(r, word);

		if (status)
			return status;
	}
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
		error("%s: %s", r->rq.command[0], strerror(-err));
		return STATUS_LAUNCH_FAILED;
	}
	r->pid = r->launch.pid;
	return 0;
}

/* gostrobe-NAME-PID.gsr, -2 … when it exists. */
static const char *default_path(struct run *r)
{
	const char *ending = r->rq.writer ? r->rq.writer->ending : ".gsr";
	const char *stem = r->pid ? arena_printf(&r->arena, "gostrobe-%s-%d", r->name,
						 r->pid)
				  : arena_printf(&r->arena, "gostrobe-%s", r->name);
	const char *path = arena_printf(&r->arena, "%s%s", stem, ending);

	for (int i = 2; !access(path, F_OK); i++)
		path = arena_printf(&r->arena, "%s-%d%s", stem, i, ending);
	return path;
}

static int open_output(struct run *r)
{
	struct profile *p = session_profile(r->session);
	int err;

	r->path = r->rq.output ? r->rq.output : default_path(r);
	/* the title, where there are several processes to name */
	p->command = strtab_add(p->strings, r->rq.all ? "all Go processes" : r->name);
	if (r->rq.writer) {
		err = outfile_open(&r->out, r->path);
		/* that it can be written is known now; nothing stays behind if we are killed */
		if (!err && r->out.tmp)
			outfile_abort(&r->out);
	} else {
		err = recording_create(&r->recording,
				       strcmp(r->path, "-") ? r->path : "/dev/stdout", p);
	}
	if (err)
		error("%s: %s", r->path, strerror(-err));
	return err ? STATUS_FAILED : 0;
}

/* Once a second: what is new goes to the file, and a line to the terminal. */
static int tick(struct run *r)
{
	const struct profile *p = session_profile(r->session);
	int err = 0;

	if (r->recording)
		err = recording_append(r->recording, session_profile(r->session));
	if (err) {
		clear_live(r);
		error("%s: %s: recording stops here", r->path, strerror(-err));
		return err;
	}
	if (log_level < LOG_NORMAL || !isatty(STDERR_FILENO))
		return 0;
	fprintf(stderr, "\r\033[K%lu s  %lu samples  %u goroutines seen   (Ctrl-C ends)",
		(unsigned long)(session_elapsed_ns(r->session) / 1000000000u),
		(unsigned long)session_samples(r->session), p->n_goroutines - 1);
	r->live = true;
	return 0;
}

/* A launched command has the terminal's Ctrl-C too, and ends us by ending. */
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
	int err = 0;

	while (!err && !wants_end(r)) {
		err = session_step(r->session, timeout_ms(r));
		if (err == -EINTR)
			err = 0;
		if (err) {
			clear_live(r);
			error("ring buffer: %s", strerror(-err));
		} else if (session_elapsed_ns(r->session) >= next) {
			err = tick(r);
			next = session_elapsed_ns(r->session) + 1000000000u;
		}
	}
	clear_live(r);
	return err;
}

/* Why there is not a single sample. */
static void say_no_samples(const struct run *r)
{
	const struct profile *p = session_profile(r->session);

	if (p->truth.lost_ring_full + p->truth.lost_table_full)
		error("no samples: all were lost");
	else if (p->truth.not_go_samples)
		error("no samples of a Go program; others ran: %s",
		      profile_string(p, p->not_go_names));
	else if (r->rq.pids && !session_running(r->session))
		error("no samples: the process ended");
	else
		error("no samples: the target used no CPU time");
}

static void say_truth(const struct tree *t, const struct profile *p)
{
	if (log_level < LOG_NORMAL)
		return;
	truth_line(&t->truth, 0, stderr);
	losses_print(p, stderr);
}

static int finish_writer(struct run *r, const struct tree *t)
{
	int err = r->out.out ? 0 : outfile_open(&r->out, r->path);

	if (!err)
		err = r->rq.writer->write(t, r->out.out);
	if (!err)
		err = outfile_commit(&r->out);
	return err;
}

/* Ends the result, whatever happened before. Exit status. */
static int finish(struct run *r, int err)
{
	struct profile *p = session_profile(r->session);
	struct tree_options to = { .by = r->rq.by };
	struct tree *t;
	bool none;

	session_stop(r->session);
	none = !session_samples(r->session) || !p->truth.samples;
	tree_build(&t, p, &to);
	if (!err && r->recording) {
		err = recording_finish(r->recording, p);
		r->recording = NULL;
		if (err)
			error("%s: %s", r->path, strerror(-err));
	} else if (!err && !none) {
		err = finish_writer(r, t);
		if (err)
			error("%s: %s", r->path, strerror(-err));
	}
	if (none && !err)
		say_no_samples(r);
	else if (!err && r->rq.writer && strcmp(r->path, "-"))
		info("written: %s", r->path);
	else if (!err && strcmp(r->path, "-"))
		info("written: %s\nnext:    gostrobe report %s   or: gostrobe flame %s",
		     r->path, r->path, r->path);
	if (!none)
		say_truth(t, p);
	tree_free(t);
	return err || none ? STATUS_FAILED : STATUS_OK;
}

static int launch_status(struct run *r, int status)
{
	if (!r->launch.ended)
		info("the command runs on; waiting for its end");
	while (!launch_ended(&r->launch, true) && !stop_signals)
		;
	if (!r->launch.ended)
		return 128 + SIGINT;
	return status && !launch_exit_status(&r->launch) ? status
							 : launch_exit_status(&r->launch);
}

static int start(struct run *r)
{
	const char *what;
	int err = session_start(r->session, &what);

	if (err) {
		say_cannot("record", what, err);
		return STATUS_FAILED;
	}
	err = r->rq.command ? launch_exec(&r->launch) : 0;
	if (err) {
		error("%s: %s", r->rq.command[0], strerror(-err));
		return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	}
	info("recording %s: %u samples per second and CPU, by %s",
	     r->pid ? arena_printf(&r->arena, "%s-%d", r->name, r->pid)
		    : "all Go processes",
	     session_profile(r->session)->freq, session_event_name(r->session));
	return 0;
}

/* Nothing was recorded: no file stays, if it is one. */
static void leave_nothing(const char *path)
{
	struct stat st;

	if (strcmp(path, "-") && !lstat(path, &st) && S_ISREG(st.st_mode))
		unlink(path);
}

static int record(struct run *r, const struct session_options *so)
{
	const char *what;
	int err = session_open(&r->session, so, &what), status;

	if (err) {
		if (err == -ENOENT && so->collector.event == EVENT_CYCLES) {
			error("%s: this machine has no PMU for cycles; cpu-clock works without",
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
		if (status && r->recording)
			leave_nothing(r->path);
	}
	if (status)
		return status;
	status = finish(r, loop(r));
	return r->rq.command ? launch_status(r, status) : status;
}

static int run(struct request *rq, struct session_options *so)
{
	struct run r = { .rq = *rq };
	int status;

	so->note = on_note;
	so->arg = &r;
	status = record(&r, so);
	launch_abort(&r.launch);
	recording_close(r.recording);
	outfile_abort(&r.out);
	session_close(r.session);
	arena_release(&r.arena);
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct session_options so = { 0 };
	struct request rq = { 0 };
	bool go = false;
	int status = parse(argc, argv, &rq, &so, &go);

	if (go)
		status = run(&rq, &so);
	/* 1 would be taken for the command's own */
	return status == STATUS_FAILED && rq.command ? STATUS_LAUNCH_FAILED : status;
}

/* A report to stdout instead of a file. */
int cmd_record_pid(const char *pid)
{
	struct session_options so = {
		.collector = { .freq = 99,
			       .max_processes = PROCESSES_GIVEN,
			       .user_stacks = true,
			       .kernel_stacks = true },
	};
	struct request rq = { .pids = pid,
			      .output = "-",
			      .duration_ns = 10000000000u,
			      .writer = &report_writer };

	grouping_parse("goroutine", &rq.by);
	return run(&rq, &so);
}
