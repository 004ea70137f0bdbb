/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether two profiles of one program agree. Shares are compared, function by function, as
 * in comparison.h, and as a whole: the distance is half the sum of the differences between
 * the flat shares of all functions, 0 for equal profiles and 1 for those that have nothing
 * in common. Two samples of one truth have a distance too. How much, is found by drawing
 * pairs of samples of these sizes from both profiles together (a multinomial distribution;
 * the seed is fixed, so the answer is always the same).
 *
 * Profiles disagree if a function or a group is called different, or if the distance is
 * larger than AGREEMENT_SLACK times that of 99 of 100 such pairs. The slack is for samples
 * that are not independent, such as those of one burst.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct comparison;
struct diff_options;

#define AGREEMENT_FALSE 0.01 /* for comparison_init() */
#define AGREEMENT_SLACK 1.5

struct agreement {
	double distance;
	double chance;     /* the distance of two samples of one truth: the mean */
	double chance_max; /* 99 of 100 are below */
	bool agrees;
};

/* Of a comparison of shares; its groups count too. */
struct agreement agreement_of(const struct comparison *c);

/* What `compare` knows, and prints. */
struct compared {
	const struct comparison *functions; /* without groups */
	/* one per label that both have, with its values as groups; n_labels of them */
	const struct comparison *labels;
	const char *const *keys; /* of the labels */
	uint32_t n_labels;
	struct agreement agreement; /* of the functions */
	bool as_pprof;              /* the recording is shown as runtime/pprof records */
	bool apart;                 /* they were taken at different times */
	bool agrees;                /* all of it */
};

/* The caller checks ferror(out). */
void compared_write_text(const struct compared *c, const struct diff_options *o, FILE *out);
/* One object. */
void compared_write_json(const struct compared *c, const struct diff_options *o, FILE *out);
