/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives up what is not needed once sampling has begun: capabilities, root itself if asked,
 * and system calls, by a filter. From then on the process reads files and memory that
 * strangers wrote, so this is what they could use at most.
 *
 * A call that the filter refuses fails with EPERM and is counted. Landlock is not used: it
 * forbids to read the memory of processes outside of it, which is our work.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

struct sandbox_options {
	bool probes;      /* functions are probed, some of them anew */
	bool writes;      /* files are still to be created */
	bool network;     /* profiles are sent or fetched */
	pid_t child;      /* may be signalled; 0: none */
	const char *user; /* who to become; NULL: nobody else */
};

/* Does a user of this name exist? To be asked before sandbox_enter(). */
bool sandbox_user(const char *name);
/* For good; the filter in all threads, the rest in this one. 0 or a negative errno; *what
 * (a static string) names the call that failed. */
int sandbox_enter(const struct sandbox_options *o, const char **what);
/* For a thread that only sends and writes files: gives up its other capabilities. */
void sandbox_thread(void);

/* How many calls were refused so far; *first: the name of the first one. */
uint64_t sandbox_refused(const char **first);
/* Adds the capabilities that are kept, if we have them: "cap_bpf, cap_sys_ptrace". */
void sandbox_kept(const struct sandbox_options *o, struct buf *to);
