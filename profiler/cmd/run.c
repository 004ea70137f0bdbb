/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/sandbox.h"
#include "profiler/base/strtab.h"
#include "profiler/cmd/cmd.h"
#include "profiler/profile/profile.h"

enum { POLL_MS = 50, HURRY_NICE = -10 };

/* Size of the kernel side's table of processes: for -p, for -- COMMAND, for -a. */
enum { PROCESSES_GIVEN = 64, PROCESSES_TREE = 4096, PROCESSES_ALL = 16384 };

volatile sig_atomic_t run_stops;
static volatile sig_atomic_t to_forward;

/* Options. */

/* Exceeding the kernel's limit is a failure, not wrong usage. */
static int check_freq(struct run *r)
{
	const char *arg = r->freq ? r->freq : "99";
	uint64_t v, max = 100000;
	char line[64];
	int err = number_parse(arg, 1, UINT32_MAX, &v);

	if (err == -EINVAL || !strcmp(arg, "0"))
		return usage_error(r->verb,
				   "-F takes samples per second, 1 or more, not '%s'", arg);
	if (*file_line(line, "", "/proc/sys/kernel/perf_event_max_sample_rate"))
		max = strtoull(line, NULL, 10);
	if (err || v > max) {
		log_error(
			"-F %s is above this kernel's limit of %lu Hz (kernel.perf_event_max_sample_rate)",
			arg, (unsigned long)max);
		return STATUS_FAILED;
	}
	r->so.collector.freq = (uint32_t)v;
	return STATUS_OK;
}

const char *run_event_call(const char *func, struct run *r)
{
	*table_add(r->funcs, r->n_funcs, r->cap_funcs) = func;
	return calls_check(func);
}

const char *run_event(const char *arg, void *run)
{
	struct run *r = run;

	if (!strncmp(arg, "call:", 5))
		return run_event_call(arg + 5, r);
	r->event = arg;
	return NULL;
}

/* What the recording says of its events: call:FUNC and more of them. */
static int check_calls(struct run *r)
{
	const char *text = "";
	uint64_t rate;

	if (r->event)
		return usage_error(r->verb, "-e call:FUNC and -e %s exclude each other",
				   r->event);
	if (r->freq)
		return usage_error(r->verb,
				   "-F does not go with -e call:FUNC: each call counts");
	if (r->kernel_only)
		return usage_error(
			r->verb,
			"-e call:FUNC has user stacks only; -K does not go with it");
	if (r->all || (r->pids && strchr(r->pids, ',')))
		return usage_error(r->verb,
				   "calls are taken of one process: -p PID or -- COMMAND");
	for (uint32_t i = 0; i < r->n_funcs; i++)
		text = arena_printf(&r->arena, "%s%scall:%s", text, i ? " " : "",
				    r->funcs[i]);
	if (number_parse(r->max_rate ? r->max_rate : "10000", 0, UINT32_MAX - 1, &rate))
		return usage_error(r->verb, "--max-rate takes calls per second, not '%s'",
				   r->max_rate);
	r->so.collector.max_rate = (uint32_t)rate;
	r->so.calls = text;
	r->so.collector.event = EVENT_CALLS;
	return STATUS_OK;
}

static void on_note(void *arg, const char *line)
{
	run_clear_line(arg);
	log_warn("%s", line);
}

int run_check(struct run *r)
{
	struct collector_options *c = &r->so.collector;

	if (!r->pids + !r->all + !r->command != 2)
		return usage_error(r->verb, "give one target: -p PID, -a or -- COMMAND");
	if (r->user && r->no_sandbox)
		return usage_error(r->verb, "--user and --no-sandbox exclude each other");
	if (r->user && !sandbox_user(r->user))
		return usage_error(r->verb, "--user: there is no user '%s'", r->user);
	if (r->kernel_only && r->user_only)
		return usage_error(r->verb, "-K and -U exclude each other");
	if (r->duration &&
	    (duration_parse(r->duration, &r->duration_ns) || !r->duration_ns))
		return usage_error(r->verb, "-d takes a time such as 30s or 2m, not '%s'",
				   r->duration);
	if (r->n_funcs) {
		int status = check_calls(r);

		if (status)
			return status;
	} else if (!r->event)
		c->event = EVENT_AUTO;
	else if (!strcmp(r->event, "cycles"))
		c->event = EVENT_CYCLES;
	else if (!strcmp(r->event, "cpu-clock"))
		c->event = EVENT_CPU_CLOCK;
	else
		return usage_error(r->verb,
				   "unknown event '%s'; use cycles, cpu-clock or call:FUNC",
				   r->event);
	if (!r->n_funcs && (r->max_rate || r->all_matches || r->calls.no_inlined))
		return usage_error(
			r->verb,
			"--max-rate, --all-matches and --no-inlined belong to -e call:FUNC");
	c->follow_all = r->all;
	c->max_processes = r->all       ? PROCESSES_ALL
			   : r->command ? PROCESSES_TREE
					: PROCESSES_GIVEN;
	c->user_stacks = !r->kernel_only;
	c->kernel_stacks = !r->user_only;
	r->so.note = on_note;
	r->so.arg = r;
	return check_freq(r);
}

/* Targets. */

/* Returns an exit status. *gone: there is no such process, and the user was told. */
static int follow_one(struct run *r, pid_t pid, bool *gone)
{
	const char *why = NULL,
		   *name = r->command ? r->command[0]
				      : arena_printf(&r->arena, "process %d", pid);
	pid_t owner = thread_process(pid);

	if (owner && owner != pid) {
		log_error("%d is a thread of process %d", pid, owner);
		return STATUS_FAILED;
	}
	switch (session_follow(r->session, pid, &why)) {
	case TARGET_GO:
		if (!r->pid)
			r->pid = pid;
		return STATUS_OK;
	case TARGET_GONE:
		log_error("there is no process %d", pid);
		*gone = true;
		return STATUS_OK;
	case TARGET_TOO_MANY:
		log_error("-p takes at most %d processes; -a takes all", PROCESSES_GIVEN);
		return STATUS_FAILED;
	case TARGET_NOT_GO: log_error("%s is not a Go program", name); return STATUS_FAILED;
	case TARGET_DENIED:
		why = "cannot read its executable (need root or CAP_SYS_PTRACE)";
		break;
	case TARGET_UNSUPPORTED: break;
	}
	log_error("%s: %s", name, why);
	return STATUS_FAILED;
}

static int follow_pids(struct run *r)
{
	char *list = arena_strndup(&r->arena, r->pids, strlen(r->pids)), *word;
	const struct profile *p = session_profile(r->session);
	bool gone = false;

	/* if one process has just ended, the others are still worth recording */
	while ((word = strsep(&list, ","))) {
		uint64_t pid;
		int status;

		if (number_parse(word, 1, INT32_MAX, &pid))
			return usage_error(r->verb,
					   "-p takes pids separated by commas, not '%s'",
					   word);
		status = follow_one(r, (pid_t)pid, &gone);
		if (status)
			return status;
	}
	if (!r->pid)
		return STATUS_FAILED;
	if (gone)
		log_info("recording the others");
	/* it outlives the session's first interval */
	r->name = arena_printf(&r->arena, "%s", profile_string(p, p->processes[1].name));
	return STATUS_OK;
}

/* We need little time, but soon: on a busy machine, samples wait for us in rings that get
 * full, and the first one for our start. A priority that somebody chose stays. And we need
 * several files per CPU. */
static void raise_limits(struct run *r)
{
	struct rlimit files;

	r->limits.nice = getpriority(PRIO_PROCESS, 0);
	if (!r->limits.nice)
		setpriority(PRIO_PROCESS, 0, HURRY_NICE);
	getrlimit(RLIMIT_NOFILE, &r->limits.files);
	files = (struct rlimit){ r->limits.files.rlim_max, r->limits.files.rlim_max };
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Returns an exit status. */
static int exec_command(struct run *r)
{
	int err = launch_exec(&r->launch);

	if (!err)
		return STATUS_OK;
	log_error("%s: %s", r->command[0], strerror(-err));
	return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* Functions can only be found in a program that is mapped: it is held until run_start(). */
static int fork_command(struct run *r)
{
	bool hold = r->n_funcs, gone = false;
	int err, status;

	err = launch_fork(&r->launch, r->command, &r->limits, hold);
	if (!err && !hold)
		err = session_follow_tree(r->session, r->launch.pid);
	if (err) {
		log_error("%s: %s", r->command[0], strerror(-err));
		return STATUS_LAUNCH_FAILED;
	}
	r->name = basename(r->command[0]);
	status = hold ? exec_command(r) : STATUS_OK;
	if (!status && hold)
		status = follow_one(r, r->launch.pid, &gone);
	r->pid = r->launch.pid;
	return gone ? STATUS_FAILED : status;
}

static int follow_targets(struct run *r)
{
	struct profile *p = session_profile(r->session);
	int status = STATUS_OK;

	if (r->pids)
		return follow_pids(r);
	if (r->all) {
		r->name = "all";
		session_follow_all(r->session);
	} else {
		status = fork_command(r);
	}
	/* the title, if there are several processes to name */
	if (!status)
		p->command = strtab_add(p->strings, r->all ? "all Go processes" : r->name);
	return status;
}

const char *run_targets(struct run *r)
{
	const struct profile *p = session_profile(r->session);
	const char *text = "";

	if (r->all)
		return "all Go processes";
	if (r->command)
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

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* What there is to know of the functions that are probed. */
static void note_calls(const struct calls *c)
{
	if (c->refused)
		log_warn(
			"%u functions are not probed, their code is not what the file says, e.g. %s",
			c->refused, c->name);
	if (c->copies_only)
		log_warn(
			"%s is inlined wherever it is called, in %u place%s: it has no entry",
			c->copies_only, c->places, plural(c->places));
	if (c->n_copies)
		log_warn(
			"%s marks calls of inlined functions, e.g. %s: the compiler moves and merges "
			"their code, so their number is approximate (--no-inlined)",
			FUNC_COPY, c->copied);
	if (c->unseen)
		log_warn(
			"calls are not seen in %u place%s where a function is inlined, e.g. %s",
			c->unseen, plural(c->unseen), c->unseen_name);
}

/* Finds the functions whose calls count. Returns an exit status. */
static int find_calls(struct run *r)
{
	struct calls *c = &r->calls;
	int err = session_probe(r->session, r->pid, r->funcs, r->n_funcs, c);

	if (err == -ENOENT && c->places)
		log_error(
			"%s is inlined wherever it is called, in %u place%s: it has no entry to probe",
			r->funcs[c->missing], c->places, plural(c->places));
	else if (err == -ENOENT && !strcmp(r->funcs[c->missing], "runtime.newstack"))
		log_error("runtime.newstack cannot be traced: gostrobe counts there which "
			  "functions begin again");
	else if (err == -ENOENT)
		log_error("%s has no function %s to probe", r->name, r->funcs[c->missing]);
	else if (err == -E2BIG)
		log_error(
			"%u functions match, and %u copies of inlined ones: kernels before "
			"Linux 6.6 can probe %d",
			c->functions, c->n_copies, PROBES_EACH_MAX);
	else if (err == -ENOTSUP)
		log_error("%s: its Go code is not in its own file", r->name);
	else if (err)
		log_error("%s: calls cannot be counted: it has no runtime.newstack",
			  r->name);
	else if (!c->entries && !c->n_copies)
		log_error("%s: its code is not what its file says: %s is not probed",
			  r->name, c->name);
	else if (c->functions + c->n_copies > CALLS_MAX && !r->all_matches)
		log_error(
			"%u functions match, and %u copies of inlined ones: --all-matches "
			"probes them all",
			c->functions, c->n_copies);
	else
		err = 1;
	if (err == 1)
		note_calls(c);
	if (err == 1 && c->functions + c->n_copies > CALLS_MAX)
		log_info("setting %u probes, which may take some seconds",
			 c->functions + c->n_copies);
	return err == 1 ? STATUS_OK : STATUS_FAILED;
}

const char *run_calls(struct run *r)
{
	const struct calls *c = &r->calls;
	const char *text = "";

	if (c->entries)
		text = arena_printf(&r->arena, "%u function%s", c->entries,
				    plural(c->entries));
	if (c->n_copies)
		text = arena_printf(&r->arena, "%s%s%u %s", text, *text ? " and " : "",
				    c->n_copies,
				    c->n_copies == 1 ? "inlined copy" : "inlined copies");
	return text;
}

/* Sampling. */

static void on_stop(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* sent by a process, not the terminal: a launched command did not get it */
	if (info->si_code <= 0)
		to_forward = sig;
	if (run_stops++)
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

int run_open(struct run *r)
{
	const char *what;
	int err, status;

	catch_signals();
	raise_limits(r);
	err = session_open(&r->session, &r->so, &what);
	if (err == -ENOENT && r->so.collector.event == EVENT_CYCLES)
		log_error(
			"%s: this machine has no PMU that counts cycles; use -e cpu-clock",
			what);
	else if (err == -EINVAL && r->n_funcs)
		log_error("%s: this kernel cannot; probing functions needs Linux 5.15",
			  what);
	else if (err)
		say_cannot(r->verb, what, err);
	if (err)
		return STATUS_FAILED;
	status = follow_targets(r);
	if (!status && r->n_funcs)
		status = find_calls(r);
	if (!status)
		session_prepare(r->session);
	return status;
}

/* Returns an exit status. */
static int enter_sandbox(const struct run *r)
{
	const struct sandbox_options o = {
		.probes = r->n_funcs,
		.writes = r->writes,
		.network = r->network,
		.child = r->command ? r->launch.pid : 0,
		.user = r->user,
	};
	const char *what;
	int err;

	if (r->no_sandbox) {
		log_warn("no sandbox: all rights are kept");
		return STATUS_OK;
	}
	err = sandbox_enter(&o, &what);
	if (err)
		log_error("sandbox: %s: %s (--no-sandbox does without)", what,
			  strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

static void say_refused(void)
{
	const char *name;
	uint64_t n = sandbox_refused(&name);

	if (n)
		log_warn("the sandbox refused %lu system call%s, the first was %s "
			 "(--no-sandbox)",
			 (unsigned long)n, plural((uint32_t)n), name);
}

int run_start(struct run *r)
{
	const char *what;
	int err = session_start(r->session, &what);

	if (err) {
		say_cannot(r->verb, what, err);
		return STATUS_FAILED;
	}
	launch_continue(&r->launch);
	err = r->command && !r->n_funcs ? exec_command(r) : STATUS_OK;
	return err ? err : enter_sandbox(r);
}

/* A launched command gets the terminal's Ctrl-C too; when it ends, so do we. */
static bool wants_end(struct run *r)
{
	if (r->duration_ns && session_elapsed_ns(r->session) >= r->duration_ns)
		return true;
	if (r->over && r->over(r->over_arg))
		return true;
	if (!r->command)
		return run_stops || (r->pids && !session_running(r->session));
	if (to_forward) {
		kill(r->launch.pid, to_forward);
		to_forward = 0;
	}
	return launch_ended(&r->launch, false);
}

static int timeout_ms(const struct run *r)
{
	uint64_t elapsed = session_elapsed_ns(r->session), left;

	if (!r->duration_ns || elapsed >= r->duration_ns)
		return POLL_MS;
	left = (r->duration_ns - elapsed) / 1000000 + 1;
	return left < POLL_MS ? (int)left : POLL_MS;
}

int run_loop(struct run *r, int (*step)(void *arg, bool second), void *arg)
{
	uint64_t next = SECOND;
	int err = 0;

	while (!err && !wants_end(r)) {
		bool second;

		err = session_step(r->session, timeout_ms(r));
		if (err < 0 && err != -EINTR) {
			run_clear_line(r);
			log_error("ring buffer: %s", strerror(-err));
			break;
		}
		second = session_elapsed_ns(r->session) >= next;
		err = step(arg, second);
		if (second)
			next = session_elapsed_ns(r->session) + SECOND;
	}
	run_clear_line(r);
	setpriority(PRIO_PROCESS, 0, r->limits.nice);
	return err;
}

int run_failure(const struct run *r, int status)
{
	return status == STATUS_FAILED && r->command ? STATUS_LAUNCH_FAILED : status;
}

int run_status(struct run *r, int status)
{
	if (!r->command)
		return status;
	if (!r->launch.ended)
		log_info("the command is still running; waiting for it to end");
	while (!launch_ended(&r->launch, true) && !run_stops)
		;
	if (!r->launch.ended)
		return 128 + SIGINT;
	return launch_exit_status(&r->launch) ? launch_exit_status(&r->launch)
					      : run_failure(r, status);
}

void run_clear_line(struct run *r)
{
	if (r->live)
		fputs("\r\033[K", stderr);
	r->live = false;
}

void run_close(struct run *r)
{
	launch_abort(&r->launch);
	session_close(r->session);
	say_refused();
	calls_release(&r->calls);
	free(r->funcs);
	arena_release(&r->arena);
}
