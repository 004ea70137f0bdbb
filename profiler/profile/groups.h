/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups of a view's events, in a table: a group is a row, its name and the group that
 * it is in. The group of an event depends only on its goroutine, thread and class, so
 * names are made only for new ones.
 *
 *	struct groups g = { .view = v, .names = strtab_new() };
 *
 *	groups_add(&g, event);
 */
#pragma once

#include <stdint.h>

#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"

struct event;
struct strtab;
struct view;

struct group_level {
	uint32_t parent; /* row, less than its own */
	uint32_t name;   /* in names: "job=encode", "start main.worker" */
	/* in names: what a column of such groups has: "encode", "main.worker"; "(no job)"
	 * for "job=", which is not set; "\"\"" for "job=\"\"", which is set to nothing */
	uint32_t value;
	/* Its key is the view's by.keys[level - 1]; 0: the process, which comes first when
	 * there are several. */
	uint8_t level;
};

struct groups {
	/* Set before the first groups_add(); both outlive the groups. */
	const struct view *view;
	struct strtab *names;

	struct group_level *rows; /* row 0 is the root; owned */
	uint32_t n;

	/* Private. */
	uint32_t cap;
	uint32_t keys;          /* bit 1 << k: the k-th group_key is used */
	struct pairs selectors; /* (goroutine, thread or process), class */
	uint32_t *of_selector;  /* innermost group, per id in selectors */
	uint32_t n_of_selector, cap_of_selector;
	struct pairs children; /* parent, name; its id 0 is row 1 */
	struct buf text;
};

/* Returns the row of the event's innermost group; 0 for a view without groups. */
uint32_t groups_add(struct groups *g, const struct event *e);
void groups_release(struct groups *g);
