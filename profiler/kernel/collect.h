/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collector: loads the kernel side, opens one perf event per CPU (never inherited per-thread
 * events, whose switching costs the target dearly), and hands over what comes through the ring buffers.
 */
#ifndef PROFILER_COLLECT_H
#define PROFILER_COLLECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/sample.h"

struct collector;

enum sample_event { EVENT_AUTO, EVENT_CYCLES, EVENT_CPU_CLOCK };

struct collector_options {
	uint32_t freq;           /* Hz per CPU, > 0 */
	enum sample_event event; /* auto: cycles where there is a PMU, else cpu-clock */
	uint32_t max_processes; /* that can be followed at a time; few are faster to find */
	bool follow_all;        /* every process that turns out to be Go */
	bool user_stacks, kernel_stacks;
};

/* Whom the records go to. Pointers are valid during the call. */
struct collector_handler {
	void (*sample)(void *arg, const struct sample *s);
	void (*image)(void *arg, const struct image_record *r);
	void (*exit)(void *arg, const struct exit_record *r);
	void *arg;
};

/*
 * Loads the kernel side; nothing is sampled yet. Negative errno; *what (a static string) names the
 * call that failed: "bpf(BPF_PROG_LOAD)", "perf_event_open(cycles)" …
 */
int collector_open(struct collector **ret, const struct collector_options *o,
		   const char **what);
/* Opens and starts the events. */
int collector_start(struct collector *c, const char **what);
/* No more samples come; those in the ring are still there. */
void collector_stop(struct collector *c);
void collector_close(struct collector *c); /* takes NULL */

/* Adds a process. -E2BIG: the table is full. */
int collector_follow(struct collector *c, pid_t tgid, const struct executable *exe,
		     uint32_t process_flags);
/* The image that the kernel side sees in a process now; 0: it is not followed (any more). */
image_id collector_image(const struct collector *c, uint32_t tgid);
/* Does the kernel side know this process? It forgets those that end. */
bool collector_follows(const struct collector *c, uint32_t tgid);
void collector_drop(struct collector *c, uint32_t tgid);
/* Calls fn for each process of which samples were left out that no record has told of. */
void collector_left_out(const struct collector *c,
			void (*fn)(void *arg, uint32_t tgid, image_id image,
				   uint64_t samples),
			void *arg);
/* What an executable is, for all its processes. */
int collector_executable(struct collector *c, const struct exe_key *key,
			 const struct executable *exe);

/* What one image of a process is, whatever others of its executable are: one that the kernel side takes for
 * unknown, for Go without a layout or, if it was launched, for not Go. */
int collector_process(struct collector *c, uint32_t tgid, image_id image,
		      const struct executable *exe);

/* Waits up to timeout_ms for something urgent, then hands over all that is there, samples last and CPU
 * by CPU in turns: they are in the order of time only within each. Records that
 * do not add up are dropped. Returns after some ten ms, also if there is more, so that nobody waits long
 * for the caller: 1 then. Else 0, or -EINTR; other negative errno are fatal. */
int collector_poll(struct collector *c, int timeout_ms, const struct collector_handler *h);

/* CLOCK_MONOTONIC: no more samples come that are older. 0 at first. */
uint64_t collector_settled_ns(const struct collector *c);

/* From a sample's handler: hands over the other records that have come meanwhile. As collector_poll(). */
int collector_control(struct collector *c);

void collector_counters(const struct collector *c, uint64_t counts[COUNT_MAX]);
const char *collector_event_name(const struct collector *c); /* "cpu-clock" */

#endif
