/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session consists of, and what becomes of its processes: how records of the kernel
 * side, and time, change the states of proc.h. For the files that implement session.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/kernel/probes.h"
#include "profiler/live/session.h"
#include "profiler/live/unrecorded.h"

struct proc;
struct procs;
struct strtab;

/* What counts from the start of an interval on. */
struct interval {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;   /* our own until then */
	uint64_t counts[COUNT_MAX];
};

struct session {
	struct session_options o;
	struct kernel_side kernel;
	struct calls *calls;  /* EVENT_CALLS: what is probed, of the caller; else NULL */
	struct probes probes; /* its rows */
	char probed[32];      /* their file */
	struct profile *profile;
	struct strtab *names; /* strings of the symbolizer */
	uint32_t names_max;   /* with more of them it gets a new table; 0: not known yet */
	struct symbolizer *symbolizer;
	struct procs *procs;
	struct pipeline *pipeline;
	struct unrecorded unrecorded; /* of the interval */
	uint64_t start_ns;            /* CLOCK_MONOTONIC */
	struct interval interval;
	uint64_t samples;
	uint64_t rest_ns;     /* when symbolizer_rest() is due, CLOCK_MONOTONIC */
	bool stopped;         /* session_stop() was called */
	uint32_t running;     /* processes of session_follow() */
	uint64_t healed_ns;   /* when life_heal() last ran, CLOCK_MONOTONIC */
	uint32_t heal_next;   /* the row that it checks next */
	struct strtab *noted; /* paths that note_no_goroutines() has named */
};

/* A line for the user. */
void session_note(struct session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Handlers of records; arg is the session. */
void life_on_image(void *arg, const struct image_record *r);
void life_on_exit(void *arg, const struct exit_record *r);
/* The row of the program that a sample is of. Added if its image record is lost. */
struct proc *life_of_sample(struct session *s, const struct sample *sample);
/* Finds processes that have ended: the records of that may be lost when very many end at
 * once. */
void life_heal(struct session *s);
/* Does what was put off and is due. Returns the time until the next, at most timeout_ms. */
int life_do_due(struct session *s, int timeout_ms);

/* Gives p a row of the profile if it is Go, or a better one if it turned out to be Go only
 * now; anyway: also if it is not. false: nothing to do. */
bool life_record(struct session *s, struct proc *p, bool anyway);
/* proc_layout(), plus a note to the user when goroutine ids are unavailable and a retry
 * timer when they may become available. */
struct executable life_executable(struct session *s, struct proc *p);
/* Counts samples of a process that is not recorded. comm: its name if p is NULL. */
void life_unrecorded(struct session *s, const struct proc *p, const char *comm,
		     uint64_t samples);
