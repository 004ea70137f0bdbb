/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of a view as tracks, for formats that show groups one below the other. Each
 * of the largest groups is a track; smaller ones share tracks, so that a viewer stays
 * usable however many goroutines there are.
 *
 *	struct tracks t = { .view = v, .max = 200 };
 *
 *	tracks_make(&t);
 *	for (uint32_t i = 0; i < t.n; i++)
 *		for (uint32_t k = 0; k < t.rows[i].n_events; k++)
 *			… t.rows[i].events[k] …
 *	tracks_release(&t);
 */
#pragma once

#include <stdint.h>

#include "profiler/profile/view.h"

struct strtab;

struct track {
	/* "goroutine 18 main.worker", "main.worker", "demo-812: job=encode"; of groups that
	 * share it: "main.worker (57 more)"; owned by the tracks */
	const char *name;
	uint32_t n_groups; /* of the view; not 1: they share it */
	uint32_t process;  /* row; of its first event */
	uint64_t weight;
	const uint32_t *events; /* rows of profile->events, by time; owned by the tracks */
	uint32_t n_events;
};

struct tracks {
	/* Set before tracks_make(). */
	const struct view *view; /* outlives the tracks */
	uint32_t max;            /* groups that have a track of their own, */
	/* and how the rest is grouped, again for at most as many tracks, until none is
	 * left; what is left at the end shares one. Not owned. */
	const struct grouping *rest;
	uint32_t n_rest;
	bool no_process; /* in names, when there are several processes */

	struct track *rows; /* owned; the largest first, those that are shared last */
	uint32_t n;

	/* Private. */
	uint32_t cap;
	uint32_t *events;
	struct strtab *names;
};

void tracks_make(struct tracks *t);
void tracks_release(struct tracks *t);
