/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile: what a recording holds and what trees are made from. Tables of rows that are
 * only appended; an id is an index and never changes. Row 0 of every table but events
 * stands for "none" and is there from the start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/index.h"
#include "profiler/profile/class.h"
#include "profiler/profile/end.h"
#include "symbolizer/frame.h"

struct strtab;

/* The maximum number of frames of a stack. profile_call() cuts deeper stacks and the loader
 * refuses them, so no other code needs a limit. */
enum { MAX_STACK_FRAMES = 4096 };
enum { MAX_KINDS = 256 }; /* including row 0: event.kind has 8 bits */

/* Begins the name of a function that was called where it is inlined, in events of calls:
 * the number of such calls is approximate, and stands apart from that of the others. */
#define FUNC_COPY "\u2248" /* ≈ */

struct module {
	uint32_t path, build_id; /* strings */
	/* string: path of the Go module that its package main belongs to; 0: not known */
	uint32_t go_module;
	uint32_t
		go_minor; /* 22: built by Go 1.22; decides how names are shown; 0: not Go */
	struct text_pages text; /* where addresses of its frames are */
};

/* A stack is a row: its leaf frame, and its caller's stack. Row 0 is the empty stack. */
struct call {
	uint32_t parent; /* call, id < own id */
	uint32_t frame;
};

struct process {
	uint32_t tgid;
	uint32_t name;       /* string: base name of the executable, or comm */
	uint32_t path;       /* string */
	uint32_t go_version; /* string, "go1.22.3"; 0: not Go */
	/* string: OpenTelemetry's attributes of it, such as service.name, as a set of
	 * labels.h; 0: none. */
	uint32_t resource;
};

struct thread {
	uint32_t process, tid;
	uint32_t name; /* string: comm when first sampled; 0: not known */
};

/* One row per (process, goid, labels). */
struct goroutine {
	uint64_t goid;
	uint32_t process;
	uint32_t labels;      /* string: "job=encode,user=42", see labels.h; 0: none */
	uint64_t parent_goid; /* 0: not known */
	uint32_t start;       /* string: start function, full symbol; 0: not known */
	uint32_t creator;     /* string: "main.(*Pool).run pool.go:41"; 0: not known */
};

/* What the events of a kind are worth. profile_event() adds it up, so that it outlives the
 * events; it is not in recordings. */
struct quality {
	uint64_t samples, with_goroutine, rooted;
	uint64_t with_class; /* with a goroutine, or a class that says why not */
	uint64_t user_frames, named_frames; /* once per sample; without cuts */
};

/*
 * A kind of event: what an event of it means, and what its weight measures, as a sample
 * type of pprof. A profile may hold events of several kinds; weights of different kinds
 * never add up.
 */
struct event_kind {
	/* string: "cpu", "calls", "wall", "off-cpu". 0: events without weight, which are
	 * never shown, but tell what goroutines run (starts.h). */
	uint32_t name;
	uint32_t unit;   /* string: UNIT_NS or UNIT_COUNT */
	uint32_t source; /* string: what triggers the events: "cpu-clock", "cycles" */
	uint32_t freq;   /* Hz per CPU; 0: not sampled at a frequency */
	uint64_t period; /* the weight of an ordinary event; 0: each has its own */
	struct quality quality;
};

#define UNIT_NS    "nanoseconds"
#define UNIT_COUNT "count"

struct event {
	uint64_t time_ns; /* since the profile's start */
	uint64_t weight;  /* in the unit of its kind */
	uint32_t call, goroutine, thread;
	uint32_t cpu;  /* + 1; 0: not known */
	uint8_t kind;  /* row of kinds */
	uint8_t class; /* enum event_class */
	uint8_t flags; /* EVENT_* */
	uint8_t end;   /* enum stack_end; 0 when EVENT_ROOTED */
};

/* Recordings hold these numbers: never renumber. */
enum {
	EVENT_ROOTED = 1, /* the stack reaches a root, or a place that counts as one */
	EVENT_CGO = 2,    /* to runtime/pprof the goroutine is in C, ... */
	EVENT_VDSO = 4,   /* ... or in the vDSO, whatever its stack says */
	EVENT_LOCKED = 8, /* the goroutine is locked to its thread */
	EVENT_FLAGS = 16, /* all are below */
};

/* What a recording lost and cost: its rows do not tell. */
struct stats {
	uint64_t lost_ring_full, lost_table_full; /* samples that were not recorded */
	uint64_t stack_faults, g_faults;          /* samples without that part */
	uint64_t labels_cut;       /* samples whose labels are not all known */
	uint64_t not_go_samples;   /* left out: samples of processes without a Go module */
	uint64_t cpu_ns, peak_rss; /* of gostrobe itself; bytes */
	uint64_t duration_ns;
};

/* Samples that were not recorded, for whatever cause. */
static inline uint64_t stats_lost(const struct stats *s)
{
	return s->lost_ring_full + s->lost_table_full;
}

/* Numbers of frames in a stack: all, those of user space, those of them with a name. */
struct stack_sums {
	uint16_t depth, user, named;
};

struct profile {
	struct strtab *strings;
	uint64_t start_ns;     /* CLOCK_REALTIME */
	uint32_t command;      /* string: what was recorded, in the user's words */
	uint32_t n_cpus;       /* of the machine that are online; 0: not known */
	uint32_t not_go_names; /* string: "bash 3, sh 1": whose samples were left out; "" */
	struct stats stats;
	uint64_t tree_max; /* bytes that a tree of it may take; 0: any number */
	/* of a recording: */
	bool complete;       /* it has an END block; else it was cut off */
	uint16_t minor;      /* version of its format */
	bool newer;          /* of a newer minor version: some of it may not be here */
	const char *damaged; /* static string: what is wrong with the rest; NULL: nothing */

	struct module *modules;
	struct frame *frames;
	struct call *calls;
	struct process *processes;
	struct thread *threads;
	struct goroutine *goroutines;
	struct event_kind *kinds; /* at most MAX_KINDS */
	struct event *events;     /* no row 0 */
	uint32_t n_modules, n_frames, n_calls, n_processes, n_threads, n_goroutines,
		n_kinds, n_events;

	/* for the functions below */
	struct stack_sums *sums; /* per call */
	uint32_t cap_sums;
	uint32_t cap_modules, cap_frames, cap_calls, cap_processes, cap_threads,
		cap_goroutines, cap_kinds, cap_events;
	struct index frame_index, call_index, goroutine_index, thread_index;
	uint8_t *ended; /* a flag per process, up to n_ended */
	uint32_t n_ended, cap_ended;
	/* for profile_forget(), as the next: the pages that it has looked at, of processes,
	 * threads and goroutines */
	uint32_t pages[3];
	uint32_t goroutines_indexed; /* ids in the index when it was last cleaned */
	uint32_t threads_indexed;
};

struct profile *profile_new(void);
void profile_free(struct profile *p); /* takes NULL */

/* Each returns the id of the row with this content, which it appends if there is none. */
uint32_t profile_frame(struct profile *p, const struct frame *f);
/* To be called from the root to the leaf. A stack of MAX_STACK_FRAMES does not grow: parent
 * is returned. */
uint32_t profile_call(struct profile *p, uint32_t parent, uint32_t frame);
/* Key: (process, goid, labels); the other fields keep their first values. */
uint32_t profile_goroutine(struct profile *p, const struct goroutine *g);
/* Key: (process, tid). */
uint32_t profile_thread(struct profile *p, const struct thread *t);
/* These always append. */
uint32_t profile_module(struct profile *p, const struct module *m);
uint32_t profile_process(struct profile *p, const struct process *pr);
uint8_t profile_kind(struct profile *p, const struct event_kind *k); /* below MAX_KINDS */
void profile_event(struct profile *p, const struct event *e);
/* Drops the events from before until_ns. Ids of all other rows stay valid. */
void profile_drop_before(struct profile *p, uint64_t until_ns);
/* There will be no more events of this process. */
void profile_process_ended(struct profile *p, uint32_t process);
/*
 * Gives back memory of rows of ended processes, and of their threads and goroutines, a part
 * of them at each call: such rows become zeros, or stay. Ids stay valid. Events must have
 * been dropped.
 */
void profile_forget(struct profile *p);

/* For the loader, which fills rows itself: the rest of what profile_call() and
 * profile_event() do, in the order of ids. False: the stack is deeper than
 * MAX_STACK_FRAMES. */
bool profile_measure_call(struct profile *p, uint32_t id);
void profile_count_event(struct profile *p, const struct event *e);

/* The kind with this name. NULL: the first kind that has events, or else the first. Returns
 * 0 if there is none. */
uint8_t profile_find_kind(const struct profile *p, const char *name);
/* What an event of this kind is to people: "sample", "call", "goroutine". */
const char *profile_noun(const struct profile *p, uint8_t kind);
/* True if weights of this kind are nanoseconds, not counts. */
bool profile_is_time(const struct profile *p, uint8_t kind);

const char *profile_string(const struct profile *p, uint32_t id);

/* 0 to 1; 1 if there is nothing. */
static inline double share_of(uint64_t part, uint64_t of)
{
	return of ? (double)part / (double)of : 1;
}
