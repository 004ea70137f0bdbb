/* SPDX-License-Identifier: BSD-2-Clause */
/* The events of a view for the flame graph page: in order of time, equal ones that are
 * close in time as one row, with rows of tables that hold nothing else. */
#pragma once

#include <stdint.h>

#include "output/used.h"

struct stacks;
struct view;

struct page_event {
	uint32_t time; /* in cells of page_cell_ns(), since the profile's start */
	uint32_t goroutine, stack, thread, class;
	uint32_t count; /* samples */
	int64_t extra;  /* weight beyond count × the kind's period */
};

struct page_events {
	struct page_event *rows; /* owned */
	uint32_t n;
	/* Their goroutine and thread are rows of these; row 0 of goroutines is "none". */
	struct used goroutines, threads, processes;
};

/* Coarser for recordings with many samples. */
uint64_t page_cell_ns(const struct view *v);
/* Fills e, which is { 0 }, and stacks. */
void page_events_init(struct page_events *e, const struct view *v, struct stacks *stacks);
void page_events_release(struct page_events *e);
