/* SPDX-License-Identifier: BSD-2-Clause */
/* Which events count: the selecting options, same words for every verb that reads
 * profiles. */
#ifndef PROFILER_FILTER_H
#define PROFILER_FILTER_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

struct profile;
struct event;

struct numbers {
	uint64_t *rows; /* owned */
	uint32_t n, cap;
};

/* { 0 } lets everything through. */
struct filter {
	struct numbers goids, pids;
	uint64_t from_ns, to_ns; /* since the profile's start; to 0: the end */
	const char *kind; /* of event, the option's argument; NULL: the first with events */
	struct label_wanted *labels; /* owned; all of them */
	uint32_t n_labels, cap_labels;
	regex_t *focus, *ignore; /* owned; NULL: not asked for */
	bool *goroutines; /* owned, by filter_prepare(): per goroutine, it has the labels */
};

/* The options' arguments: NULL, or what is wrong with arg, until the next call. */
const char *filter_goids(const char *arg, void *filter);
const char *filter_pids(const char *arg, void *filter);
const char *filter_time(const char *arg, void *filter);
const char *filter_label(const char *arg, void *filter);
const char *filter_focus(const char *arg, void *filter);
const char *filter_ignore(const char *arg, void *filter);

/* Once per profile, before the first filter_match(). */
void filter_prepare(struct filter *f, const struct profile *p);
/* By all but kind and stack, which profiler/profile/view.h looks at. */
bool filter_match(const struct filter *f, const struct profile *p, const struct event *e);
/* The filter looks at stacks: --focus or --ignore. */
bool filter_by_stack(const struct filter *f);
/* Which of the two expressions s matches, as flags below 0x80; none for "". A stack has
 * those of all its frames, and filter_stack() says whether it is selected. */
uint8_t filter_text(const struct filter *f, const char *s);
bool filter_stack(const struct filter *f, uint8_t flags);
void filter_release(struct filter *f);

#endif
