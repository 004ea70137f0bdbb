/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view: what a user asked to see of a profile. It says which events are selected, which
 * frames of their stacks are shown and under which names, and how the events are grouped.
 * Everything that is printed or written is made from a view, event by event or from its
 * tree:
 *
 * 	struct view v = { .by = …, .filter = … };
 * 	uint32_t frames[VIEW_MAX_FRAMES];
 *
 * 	view_select(&v, p);
 * 	for (uint32_t i = 0; i < v.n_events; i++) {
 * 		const struct event *e = &p->events[v.events[i]];
 * 		const struct goroutine *g = &p->goroutines[e->goroutine];
 * 		const struct thread *t = &p->threads[e->thread];
 * 		uint32_t n = view_stack(&v, e, frames);
 *
 * 		for (uint32_t k = 0; k < n; k++) {
 * 			const struct frame *f = view_frame(&v, frames[k]);
 * 			…
 * 		}
 * 	}
 * 	view_release(&v);
 *
 * Hidden from every view: runtime.goexit, and wrappers unless a panic called them. With
 * as_pprof a stack is what profiler/profile/sigprof.h makes of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/arena.h"
#include "profiler/profile/filter.h"
#include "profiler/profile/profile.h"

struct buf;
struct match;
struct starts;
struct tree;

enum group_key {
	BY_NONE,
	BY_GOROUTINE, /* process, goid and start function */
	BY_START,     /* start function */
	BY_CREATOR,   /* the go statement */
	BY_CLASS,
	BY_THREAD,
	BY_PROCESS,
	BY_PROGRAM, /* the process's name, whatever its pid */
	BY_LABEL,   /* a pprof label */
	BY_MAX
};

enum { MAX_GROUP_KEYS = 4, VIEW_MAX_FRAMES = MAX_STACK_FRAMES };

struct grouping {
	uint8_t keys[MAX_GROUP_KEYS]; /* enum group_key, outermost first */
	uint8_t n;                    /* 0: as BY_NONE */
	/* For each BY_LABEL its key, which ends at a comma or a NUL. Not owned. */
	const char *labels[MAX_GROUP_KEYS];
};

/* "goroutine", "creator,label:job" …: NULL, or what is wrong with arg, which outlives the
 * grouping. */
const char *grouping_parse(const char *arg, void *grouping);
/* Adds the i-th key as an option says it: "start", "label:job". */
void grouping_word(const struct grouping *g, int i, struct buf *to);
/* Adds what the groups are, for a column's head: "start function", "process, handler". */
void grouping_title(const struct grouping *g, struct buf *to);

struct view {
	/* What was asked for, set before view_select(); { 0 } is everything, without
	 * groups. */
	struct grouping by;
	struct filter filter; /* owned */
	/* Show what the runtime's own profiler would have recorded; names are not
	 * shortened. */
	bool as_pprof;
	/* Show frames of the program's own code only; time in others counts for their
	 * callers. */
	bool own_only;
	/* What decides which functions goroutines run; not owned. NULL: this profile. */
	const struct starts *starts;
	bool keep_leaves;    /* the tree says which node each event has */
	uint64_t max_memory; /* of recording_load() */
	/* The tree leaves out stacks with less weight; not with keep_leaves. */
	uint64_t least;
	/* Groups are as pprof files have them: samples without a goroutine are those
	 * without the label, not "[scheduler]", and processes do not come first. */
	bool labels_only;

	/* Set by view_select(). */
	const struct profile *profile; /* outlives the view */
	uint8_t kind;        /* row of profile->kinds: the kind of all its events */
	bool other_kinds;    /* the profile has events of other kinds too */
	uint32_t *events;    /* owned: rows of profile->events, in their order */
	uint32_t *processes; /* owned: rows, by their first event; see pprof_skips */
	uint32_t n_events, n_processes, cap_processes;
	uint64_t pprof_skips; /* events that match the filter but not as_pprof */
	uint64_t duration_ns; /* of the profile */
	const char *title;    /* "prometheus-812, 10.0s at 99 Hz, cpu-clock" */
	const char *key; /* what groups are, for a column's head: "goroutine", "process" */

	/* Owned: match_views() makes it. NULL: names are those of this profile. */
	struct match *match;

	/* Private. */
	/* What starts_of() returns; NULL until somebody asks. Both owned, and shared with
	 * copies of the view. */
	uint32_t **runs;
	struct tree *tree; /* owned: view_tree() makes it when it is NULL */
	/* Owned: flags of filter_text() per frame, and per call with its callers; NULL when
	 * the filter does not look at stacks. */
	uint8_t *frame_flags, *call_flags;
	bool *hidden;   /* owned: frames that own_only hides; NULL: none */
	uint8_t *roles; /* owned: those of sigprof.h, with as_pprof */
	struct arena arena;
};

void view_select(struct view *v, const struct profile *p);
void view_release(struct view *v); /* takes { 0 } */

/*
 * A view of some of the events of another one, in groups of its own. All else is shared, so
 * the other one outlives it. events: rows, whose memory the part takes over.
 */
struct view view_part(const struct view *of, const struct grouping *by, uint32_t *events,
		      uint32_t n_events);
void view_part_release(struct view *part);

/* Stores the frames of an event's stack that are shown, leaf first, as rows for the
 * functions below. Returns how many, at most VIEW_MAX_FRAMES. */
uint32_t view_stack(const struct view *v, const struct event *e, uint32_t *frames);
/* Stores the frames that a call adds to those of its caller, outermost first. Returns 0 to
 * 2. */
int view_call(const struct view *v, uint32_t call, uint32_t frames[2]);
/* A row is one of profile->frames, or profile->n_frames plus an enum sigprof_frame. */
const struct frame *view_frame(const struct view *v, uint32_t row);
/* Adds the name under which a frame is shown, for people; view_frame()->func is the full
 * symbol. */
void view_frame_name(const struct view *v, uint32_t row, struct buf *to);
/* The tree of the view, made by the first call. It lives as long as the view. NULL: it
 * would take more memory than the profile allows. */
const struct tree *view_tree(struct view *v);

/* The rows of the view's events, by their time; those of equal times keep their order. The
 * caller frees it. */
uint32_t *view_by_time(const struct view *v);

/* The function that a goroutine runs, see profiler/profile/starts.h: a string of the
 * profile. The first call looks at all events. */
uint32_t view_runs(const struct view *v, uint32_t goroutine);

/* The length of what --time selects of the recording. */
uint64_t view_selected_ns(const struct view *v);

/* Adds "demo-812", or "demo" if no pid is known. */
void view_process_name(const struct view *v, uint32_t process, struct buf *to);
/* Adds the name under which a Go function of the process is shown. name begins with its
 * full symbol, as goroutine.creator does. */
void view_go_name(const struct view *v, uint32_t process, const char *name, struct buf *to);
