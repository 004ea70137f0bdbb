/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run samples the targets that the user named until they end, the time is over, or
 * somebody presses Ctrl-C. A verb that samples has RUN_OPTIONS in its table, then calls
 * run_check(), run_open(), run_start(), run_loop(), session_stop(), run_status() and
 * run_close(). Functions that return an exit status have printed what went wrong.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/arena.h"
#include "profiler/live/calls.h"
#include "profiler/live/launch.h"
#include "profiler/live/session.h"

struct run {
	/* set by the verb */
	const char *verb;
	const char *pids, *freq, *event, *duration, *max_rate;
	const char **funcs; /* of -e call:FUNC; owned */
	uint32_t n_funcs, cap_funcs;
	bool all_matches;
	bool all, kernel_only, user_only;
	const char *user; /* who to become once sampling has begun; NULL: nobody else */
	bool no_sandbox;
	bool writes, network; /* as of struct sandbox_options */
	char **command;       /* NULL: none */
	/* NULL, or called several times a second while sampling; true ends the run. */
	bool (*over)(void *arg);
	void *over_arg;

	/* set by run_open() */
	struct session *session; /* owned */
	pid_t pid;               /* the first target; 0 with -a */
	const char *name;        /* its name */

	/* A line of counters is on the terminal: run_clear_line() before anything else is
	 * printed. */
	bool live;

	/* private */
	struct session_options so;
	struct calls calls;
	uint64_t duration_ns; /* 0: no limit */
	struct launch launch;
	struct launch_limits limits; /* before raise_limits() */
	struct arena arena;
};

/* The option rows for the targets, and for how to sample. */
/* clang-format off */
#define TARGET_OPTIONS(r) \
	{ 'p', "pid", "LIST", "these processes, by pid, separated by commas", .str = &(r)->pids }, \
	{ 'a', "all", NULL, "every Go process, including those that start later", \
	  .flag = &(r)->all }
#define DURATION_OPTION(r) \
	{ 'd', "duration", "TIME", "30, 30s or 2m (until Ctrl-C or the end of the target)", \
	  .str = &(r)->duration }
#define CALL_OPTIONS(r, of) \
	{ 0, "max-rate", "N", of "leaves a function alone that a thread calls more than N " \
	  "times a second; 0 never does (10000)", .str = &(r)->max_rate }, \
	{ 0, "all-matches", NULL, of "also if more than 10,000 functions and copies match", \
	  .flag = &(r)->all_matches }, \
	{ 0, "no-inlined", NULL, of "not where functions are inlined", \
	  .flag = &(r)->calls.no_inlined }
#define SANDBOX_OPTIONS(r) \
	{ 0, "user", "NAME", "once sampling has begun, run as this user", .str = &(r)->user }, \
	NO_SANDBOX_OPTION(r)
#define NO_SANDBOX_OPTION(r) \
	{ 0, "no-sandbox", NULL, "keep all rights and system calls", .flag = &(r)->no_sandbox }
#define RUN_OPTIONS(r) \
	{ 'F', "freq", "HZ", "samples per second on each CPU (99)", .str = &(r)->freq }, \
	{ 'e', "event", "NAME", "cycles, cpu-clock (cycles if the machine has a PMU)," \
	  " or call:FUNC", \
	  .parse = run_event, .data = (r) }, \
	CALL_OPTIONS(r, "call: "), \
	DURATION_OPTION(r), \
	{ 'K', "kernel-stacks-only", NULL, "kernel stacks only", .flag = &(r)->kernel_only }, \
	{ 'U', "user-stacks-only", NULL, "user stacks only", .flag = &(r)->user_only }, \
	SANDBOX_OPTIONS(r)
/* clang-format on */

/* Parses -e: a clock, or a function whose calls count; the latter may be repeated. */
const char *run_event(const char *arg, void *run);
/* The same for such a function alone. */
const char *run_event_call(const char *func, struct run *r);

/* How many signals so far ask for the end. */
extern volatile sig_atomic_t run_stops;

/* Checks the options. Returns an exit status. */
int run_check(struct run *r);
/* Opens the session, follows the targets and forks the command. Returns an exit status. */
int run_open(struct run *r);
/* Starts sampling, then the command, and enters the sandbox. Returns an exit status. */
int run_start(struct run *r);
/* Samples until the end. Calls step() several times a second, with second set once a
 * second. Returns 0, or -errno: of step(), which has printed it, or of the session. */
int run_loop(struct run *r, int (*step)(void *arg, bool second), void *arg);
/* The exit status after a failure of our own, which must not look like the command's
 * status 1. */
int run_failure(const struct run *r, int status);
/* Waits for the command. Returns the exit status: the command's unless that is 0; without a
 * command, status. */
int run_status(struct run *r, int status);
void run_close(struct run *r); /* also after a failure */

/* The names of all targets, valid until run_close(). */
const char *run_targets(struct run *r);
/* What is probed, as "2 functions and 1 inlined copy"; the same. */
const char *run_calls(struct run *r);
void run_clear_line(struct run *r);
