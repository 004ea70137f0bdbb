/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the profiles of intervals and brings them to the receivers:
 *
 *	session ──profile──> exporter ──items──> receiver's queue ──> pyroscope
 *	                                    └──> receiver's queue ──> files
 *	reader of rings      a thread            a thread each
 *
 * Encoding takes time too, so it has a thread of its own. exporter_put() never waits.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/agent/receiver.h"

enum { EXPORTER_LEAVE_S = 5 };

struct exporter;
struct logger;
struct profile;

struct exporter_options {
	const struct receiver_options *receivers;
	uint32_t n_receivers;
	size_t queue_bytes; /* of each receiver */
	const char **labels;
	uint32_t n_labels, max_values; /* of each label; see bound.h */
	struct logger *logger;
};

/* Of all intervals, beside what struct receiver counts. */
struct exporter_counts {
	atomic_ullong intervals, samples;
	atomic_ullong behind, behind_samples; /* intervals dropped: CAUSE_BEHIND */
	atomic_ullong errors;                 /* profiles that could not be encoded */
	atomic_ullong other_values;           /* labels that became BOUND_OTHER */
	atomic_ullong processes;              /* that had samples in the last interval */
	/* as in struct stats */
	atomic_ullong lost_ring_full, lost_table_full, stack_faults, g_faults, labels_cut,
		not_go_samples;
};

/* Copies the options. NULL: *why says what is wrong, with *which receiver. */
struct exporter *exporter_new(const struct exporter_options *o, const char **why,
			      const char **which);
/*
 * From the next profile on, other options. A receiver whose options are the same keeps its
 * queue and its counts; one that is gone sends what it has, for EXPORTER_LEAVE_S at most,
 * and then says what it has done. Copies the options.
 */
void exporter_change(struct exporter *x, const struct exporter_options *o);
/* Owns the profile from now on. */
void exporter_put(struct exporter *x, struct profile *p);
/* No more will come: sends what is there within the time, and says how much came through.
 * False: a thread is stuck, and
 * exporter_free() must not be called; the process should end. */
bool exporter_flush(struct exporter *x, uint64_t within_ns);
void exporter_free(struct exporter *x); /* after exporter_flush() */

const struct exporter_counts *exporter_counts(const struct exporter *x);
/* Calls fn with each receiver, which it may read until it returns. From any thread. */
void exporter_each(struct exporter *x, void (*fn)(void *arg, const struct receiver *r),
		   void *arg);
