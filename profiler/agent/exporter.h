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
};

/* NULL: *why says what is wrong, with *which receiver. Options outlive it. */
struct exporter *exporter_new(const struct exporter_options *o, const char **why,
			      const char **which);
/* Owns the profile from now on. */
void exporter_put(struct exporter *x, struct profile *p);
/* No more will come: sends what is there within the time. False: a thread is stuck, and
 * exporter_free() must not be called; the process should end. */
bool exporter_flush(struct exporter *x, uint64_t within_ns);
void exporter_free(struct exporter *x); /* after exporter_flush() */

const struct exporter_counts *exporter_counts(const struct exporter *x);
/* The n-th receiver; NULL after the last. */
const struct receiver *exporter_receiver(const struct exporter *x, uint32_t n);
