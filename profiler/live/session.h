/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session turns the records of the kernel side into a profile while it runs: it passes
 * samples to the pipeline, and decides when a process is examined.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/kernel/collect.h"

struct buf;
struct calls;
struct profile;
struct session;

struct session_options {
	struct collector_options collector;
	/* EVENT_CALLS: what the profile says of the source of its events. */
	const char *calls;
	/* NULL, or asked once about each program before it is recorded, while it runs or
	 * soon after: false leaves it out. Adds what process.resource is to be. */
	bool (*choose)(void *arg, uint32_t tgid, const char *path, struct buf *resource);
	/* Called with a line for the user, without newline. May be NULL. */
	void (*note)(void *arg, const char *line);
	void *arg;
};

/* Opens a collector too, and fails as collector_open(). */
int session_open(struct session **ret, const struct session_options *o, const char **what);
/* The same on a kernel side that is open already; the session closes it. */
struct session *session_new(const struct session_options *o,
			    const struct kernel_side *kernel);
void session_close(struct session *s); /* takes NULL */

/* Whether a process can be followed. */
enum session_target {
	TARGET_GO,
	TARGET_NOT_GO,
	TARGET_UNSUPPORTED, /* it is Go, but cannot be recorded */
	TARGET_GONE,
	TARGET_DENIED,
	TARGET_TOO_MANY
};

/* Follows one process, which session_running() counts until it ends; again: TARGET_GO, and
 * nothing happens. *why: the reason for TARGET_UNSUPPORTED, a static string. */
enum session_target session_follow(struct session *s, pid_t pid, const char **why);
/* Follows all running Go processes; later ones are found when they are first sampled. */
void session_follow_all(struct session *s);
/* Follows a process that has not called exec yet, and all its children. */
int session_follow_tree(struct session *s, pid_t pid);

/* EVENT_CALLS, after session_follow() of that process: finds its functions that match any
 * of n patterns, for session_start() to probe. *found must stay valid until session_stop().
 * Returns as
 * calls_find(). */
int session_probe(struct session *s, pid_t pid, const char *const *patterns, uint32_t n,
		  struct calls *found);

/* To be called just before session_start(): the profile's time begins. */
void session_prepare(struct session *s);
int session_start(struct session *s, const char **what);
/* Waits up to timeout_ms and handles the records that arrived, for some ten ms at most.
 * Returns as poll() of struct kernel_side. */
int session_step(struct session *s, int timeout_ms);
/* Ends an interval: returns its profile, which the caller frees, and continues with an
 * empty one. Strings, symbols and files that are no longer in use are freed, so a session
 * can run for months. Times in a profile count from the start of its interval, and its
 * stats are those of the interval. After session_prepare(). */
struct profile *session_next(struct session *s);
/* Stops the events, handles the remaining records, and fills profile->stats. */
void session_stop(struct session *s);

/* After session_stop(): the session's profile, which the caller frees. */
struct profile *session_take(struct session *s);

/* How many processes of session_follow() still run. */
uint32_t session_running(const struct session *s);
uint64_t session_elapsed_ns(const struct session *s);
/* In the time of the profile: all its events from before are in it. After session_stop():
 * UINT64_MAX. */
uint64_t session_settled_ns(const struct session *s);
/* Samples so far, in all intervals. */
uint64_t session_samples(const struct session *s);
struct profile *session_profile(
	struct session *s); /* the session's; valid until session_next() */
