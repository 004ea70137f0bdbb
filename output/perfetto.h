/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the samples of a Perfetto trace refer to by number ("iid"): stacks and what ran.
 * Each comes in a packet of its own before the first sample that refers to it, so that only
 * the numbers are kept.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "perfetto.pb-c.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

enum { PERFETTO_CLEARED = 1, PERFETTO_NEEDS_STATE = 2 }; /* sequence_flags */

/* Rows that were written, by their number; iids are the row + 1 unless said otherwise. */
struct said {
	bool *rows; /* owned */
	uint32_t n, cap;
};

struct perfetto {
	const struct view *view;
	FILE *out;
	struct buf buf;       /* not written yet */
	struct strtab *names; /* of frames, as they are shown, and the parts of paths */
	uint32_t *name_of;    /* per row of frames, in names */
	bool kernel_known;    /* some stacks have frames of the kernel */
	struct stacks stacks;
	struct pairs goroutines; /* process, goid */
	uint32_t *goroutine_row; /* per id in goroutines: a row */
	uint32_t n_goroutines;   /* ids that have one */
	uint32_t *climbed;       /* iids */
	uint32_t cap_climbed;
	struct pairs tasks;      /* goroutine (iid), thread */
	struct said names_said;  /* functions */
	struct said paths_said;  /* parts of paths of mappings; strings of names */
	struct said files_said;  /* strings of the profile */
	struct said builds_said; /* strings of the profile */
	struct said frames_said, stacks_said, mappings_said, goroutines_said;
	uint64_t path[VIEW_MAX_FRAMES]; /* frames of a stack, which ends at the end */
	struct buf text;
};

/* x->view and x->out are set; the rest is 0. */
void perfetto_init(struct perfetto *x);
void perfetto_release(struct perfetto *x);

/* Writes a packet, or keeps it in a buffer until the flush. */
void perfetto_put(struct perfetto *x, Perfetto__TracePacket *packet);
void perfetto_put_interned(struct perfetto *x, Perfetto__InternedData *data);
void perfetto_flush(struct perfetto *x);

/* iid of the event's stack, the row of x->stacks; 0: it is empty. */
uint32_t perfetto_stack(struct perfetto *x, const struct event *e);
/* iid of what ran: a goroutine, or none, on a thread. */
uint32_t perfetto_task(struct perfetto *x, const struct event *e);
/* The text for people and as UTF-8, valid until the next one. */
char *perfetto_text(struct perfetto *x, const char *s);
