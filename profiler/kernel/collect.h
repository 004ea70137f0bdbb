/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collector: loads the kernel side, opens one perf event per CPU, and hands over the
 * records from the ring buffers. The events are never inherited per-thread events:
 * switching those costs the target dearly.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"

struct probes;

enum sample_event { EVENT_AUTO, EVENT_CYCLES, EVENT_CPU_CLOCK, EVENT_CALLS };

struct collector_options {
	uint32_t freq;           /* Hz per CPU, > 0 */
	enum sample_event event; /* EVENT_AUTO: cycles if there is a PMU, else cpu-clock */
	uint32_t max_processes;  /* followed at a time; a small table is faster to search */
	bool follow_all;         /* every process that turns out to be Go */
	bool user_stacks, kernel_stacks;
	/* EVENT_CALLS: above how many calls per second, by one thread, a function's calls
	 * are no longer taken, and hot() is called. 0: none. */
	uint32_t max_rate;
	/* EVENT_CALLS: only calls by these goroutines; n_goids 0: by any. */
	const uint64_t *goids;
	uint32_t n_goids;
	/* EVENT_CALLS: the kernel side adds calls up, per function and goroutine, for
	 * counts(), instead of sending them; for each set of labels, each thread. */
	bool add_up, by_labels, by_thread;
	/* With add_up: the first call of a function by a goroutine is also sent, with its
	 * stack, as CALL_FIRST. */
	bool firsts;
};

/* Receives the records. Pointers are valid during the call. */
struct record_handler {
	void (*sample)(void *arg, const struct sample *s);
	void (*image)(void *arg, const struct image_record *r);
	void (*exit)(void *arg, const struct exit_record *r);
	void (*hot)(void *arg, const struct hot_record *r); /* EVENT_CALLS */
	void *arg;
};

/*
 * The kernel side as its user sees it. collector_open() fills one in; unit tests bring
 * their own. Each function takes self. int: 0 or a negative errno, unless stated.
 */
struct kernel_side {
	void *self;
	const char *event_name; /* "cpu-clock", "cycles", "calls"; a static string */
	uint64_t period_ns;     /* the weight of each sample */

	/* EVENT_CALLS, before start(): whose calls count. To be called again, with
	 * running, when probes have been turned off. p must stay valid until stop().
	 * -E2BIG: this kernel takes PROBES_EACH_MAX at most. */
	int (*probe)(void *self, const struct probes *p, bool running);
	/* Starts the events. *what (a static string) names the call that failed. */
	int (*start)(void *self, const char **what);
	/* No more samples are taken; those in the rings can still be polled. */
	void (*stop)(void *self);
	void (*close)(void *self);

	/* Adds a process, with enum process_flags. -E2BIG: the table is full. */
	int (*follow)(void *self, uint32_t tgid, const struct executable *exe,
		      uint32_t flags);
	/* Is this process in the table? The kernel side removes processes that end. *image:
	 * the one that it runs now; 0: it has not been sampled yet. */
	bool (*image)(void *self, uint32_t tgid, image_id *image);
	void (*drop)(void *self, uint32_t tgid);
	/* Says what an executable is, for all its processes; with exe_key_image() for
	 * one image of one process. The kernel side asks again for what it does not know,
	 * for Go without a layout, and for launched processes that are not Go. */
	int (*executable)(void *self, const struct exe_key *key,
			  const struct executable *exe);

	/* Waits up to timeout_ms for something urgent, then hands over all that is there:
	 * samples last, one CPU after the other, so they are in order only within each CPU.
	 * Invalid records are dropped. Returns after some ten ms even if there is more: 1
	 * then. Else 0, or -EINTR; other errors are fatal. */
	int (*poll)(void *self, int timeout_ms, const struct record_handler *h);
	/* To be called by a handler for samples: hands over the other records that have
	 * arrived meanwhile. Returns as poll(). */
	int (*control)(void *self);
	/* With add_up: hands over the calls since the last time, as samples whose weight is
	 * their number. */
	void (*counts)(void *self, const struct record_handler *h);
	/* CLOCK_MONOTONIC: all samples before that time have been handed over. 0 at
	 * first. */
	uint64_t (*settled_ns)(void *self);

	/* The sums of all CPUs since the start. At the end also: one call of fn for each
	 * process with samples that were left out and that no record has reported. fn may
	 * be NULL. */
	void (*totals)(void *self, uint64_t counts[COUNT_MAX],
		       void (*fn)(void *arg, uint32_t tgid, image_id image,
				  uint64_t samples),
		       void *arg);
};

/*
 * Loads the kernel side; nothing is sampled yet. Negative errno; *what (a static string)
 * names the call that failed: "bpf(BPF_PROG_LOAD)", "perf_event_open(cycles)" … The caller
 * ends it with ret->close().
 */
int collector_open(struct kernel_side *ret, const struct collector_options *o,
		   const char **what);
