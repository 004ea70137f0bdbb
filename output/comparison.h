/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two recordings, group by group and function by function: what changed, and what may be
 * chance.
 *
 * Recordings differ in length, so weights are compared per second: for CPU time that is
 * CPUs, for events that are counted their rate. Or, if asked for, as shares of all weight
 * selected.
 *
 * The model. A row's samples are counted in 64 intervals of equal length, and in 16. Its
 * sampling variance is the largest of
 *
 * - Poisson's, the number of its samples (in general the sum of their squared weights),
 *   plus one sample: so that a row of few samples, or none, has an error too, and
 * - what either kind of intervals shows: half the sum of the squared differences between
 *   neighbours. Samples of one burst are not independent, and this sees bursts, even those
 *   that last as long as an interval. A slow change, such as a phase of the program, counts
 *   once only.
 *
 * For a share, what an interval counts is the row's weight minus the share of the
 * interval's. The delta's variance is the sum of both sides', and its error is 1.96
 * standard deviations: 95 % of deltas that are chance are within it.
 *
 * Whether a delta may be chance is asked with a variance that is at least what it would be
 * if both sides had the same value: few samples, by chance, show too small a one.
 *
 * But of many rows, some are outside of it by chance. So which rows are called different is
 * decided over all together, by Benjamini and Hochberg's procedure: among the rows called
 * different, at most 5 % (or false_rate) are expected to be chance; and where nothing
 * changed, one or more rows are called different in at most 5 % of comparisons. Rows of so
 * few samples that they could not differ, even if all were in one recording, do not count
 * among the rows.
 *
 * What the model does not know is why. If another process took the CPU, or the input was
 * another one, there is a difference too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/arena.h"
#include "profiler/profile/merge.h"

struct view;

enum compared_unit {
	COMPARED_CPUS,   /* ns per ns */
	COMPARED_RATE,   /* counts per second */
	COMPARED_SHARES, /* 0 to 1 */
};

#define COMPARED_CONFIDENCE 0.95
#define COMPARED_FALSE      0.05 /* of the rows called different; see false_rate */

struct difference {
	double old, new, delta, error; /* error: of delta, see above */
	double p; /* the probability of such a delta by chance, of this row alone */
	uint64_t samples[2]; /* old, new */
	bool differs;
};

struct group_difference {
	const char *key;   /* as in folded stacks, levels joined by ';' */
	const char *value; /* for a column of such groups: values joined by ';' */
	uint32_t goroutines[2];
	struct difference d;
};

struct function_difference {
	const char *name; /* kernel functions with "_[k]" */
	const char *file; /* "" when not known */
	struct difference flat, cum;
};

struct comparison {
	const struct view *views[2]; /* old, new */
	enum compared_unit unit;
	double seconds[2]; /* of the recordings, of which samples were selected */
	struct difference total;
	struct group_difference *groups;       /* owned */
	struct function_difference *functions; /* owned */
	uint32_t n_groups, n_functions, cap_groups, cap_functions;
	uint32_t n_different; /* rows of both */
	double false_rate;    /* see the model */
	struct merged stacks;

	/* Private. */
	struct arena arena;
};

/* Both views were matched, with keep_leaves; they outlive the comparison. Rows that differ
 * come first; each kind by |delta|: of functions that of flat, or of cum. -E2BIG:
 * view_tree() gave no tree. In any case release it. */
int comparison_init(struct comparison *c, struct view *old, struct view *new, bool shares,
		    bool by_cum, double false_rate);
void comparison_release(struct comparison *c); /* takes { 0 } */

/* Of the rows that are called different, and whose growth, minus its error, is more than
 * this share of all weight of the old recording, the one that grew most: a function by
 * flat, else a group, else a function by cum. Sets *d and returns the name; NULL: there is
 * none. */
const char *comparison_grown(const struct comparison *c, double share,
			     const struct difference **d);
