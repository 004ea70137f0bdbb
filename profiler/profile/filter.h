/* SPDX-License-Identifier: BSD-2-Clause */
/* Which events are selected: the options --goid, --pid, --time, --label, --focus and
 * --ignore, the same for every verb that reads profiles. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;
struct event;

struct numbers {
	uint64_t *rows; /* owned */
	uint32_t n, cap;
};

/* Strings are in the options' arguments, which outlive the filter. */
struct label_wanted {
	const char *key, *value;
	size_t key_len;
};

/* { 0 } lets everything through. */
struct filter {
	struct numbers goids, pids;
	uint32_t process;        /* row of profile->processes; 0: all */
	uint64_t from_ns, to_ns; /* since the profile's start; to 0: the end */
	const char *kind;        /* of event, as given; NULL: the first one with events */
	struct label_wanted *labels; /* owned; an event has to have all of them */
	uint32_t n_labels, cap_labels;
	regex_t *focus, *ignore;              /* owned; NULL: none */
	const char *focus_text, *ignore_text; /* as given */
	bool *goroutines;                     /* owned; per goroutine: it has the labels */
	bool shares; /* what else is owned belongs to another filter */
};

/* Parse the options' arguments. Return NULL, or what is wrong with arg: valid until the
 * next call. */
const char *filter_goids(const char *arg, void *filter);
const char *filter_pids(const char *arg, void *filter);
const char *filter_time(const char *arg, void *filter);
const char *filter_label(const char *arg, void *filter);
const char *filter_focus(const char *arg, void *filter);
const char *filter_ignore(const char *arg, void *filter);

/* For a second profile: *to selects what from does, which must outlive it. */
void filter_share(struct filter *to, const struct filter *from);
/* To be called once per profile, before filter_match(). */
void filter_prepare(struct filter *f, const struct profile *p);
/* Checks everything except kind and stack, which view_select() does. */
bool filter_match(const struct filter *f, const struct profile *p, const struct event *e);
/* Returns flags, below 0x80, for which of the two expressions match s; 0 for "". A stack
 * has the flags of all its frames; filter_stack() tells whether it is selected. */
uint8_t filter_text(const struct filter *f, const char *s);
bool filter_stack(const struct filter *f, uint8_t flags);
void filter_release(struct filter *f);
