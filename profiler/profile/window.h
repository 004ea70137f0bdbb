/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last minute of a session, as one profile. Each interval of session_next() is added
 * when it ends; rows that only older events refer to are freed, so a window does not grow.
 * Times count from the start of the first interval.
 */
#pragma once

#include <stdint.h>

#include "profiler/profile/profile.h"

#define WINDOW_MINUTE 60000000000u /* ns */

struct window {
	struct profile *profile; /* owned; it has older events too */
	uint64_t end_ns;
	uint64_t kept_ns; /* how much of the end is kept: a minute or more */

	/* What each interval lost and cost; those of the kept time. */
	struct window_interval {
		uint64_t from_ns, to_ns;
		struct stats stats;
	} * intervals; /* owned */
	uint32_t n_intervals, cap_intervals;
};

/* An empty one, for intervals of profiles like p. */
struct window *window_new(const struct profile *p, uint64_t kept_ns);
void window_free(struct window *w); /* takes NULL */
/* Adds an interval, which begins where the one before it ended. */
void window_add(struct window *w, const struct profile *interval);
/* Where the last length_ns begin: with the interval whose start is closest. */
uint64_t window_from(const struct window *w, uint64_t length_ns);
/* The stats of the intervals that begin in [from_ns, to_ns). */
struct stats window_stats(const struct window *w, uint64_t from_ns, uint64_t to_ns);
/* A profile of its own of that part, with its stats. */
struct profile *window_cut(const struct window *w, uint64_t from_ns, uint64_t to_ns);
/* A copy of what is kept. */
struct window *window_copy(const struct window *w);
