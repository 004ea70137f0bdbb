/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that are followed: one row for each program (image) in each process.
 *
 *	NEW ──> GO         it runs Go
 *	 │ ───> OTHER ───> GO, after dlopen() of a Go library, or unpacking
 *	 └────> MISSED ──> TWIN, once another process has shown its file
 *
 * Whatever its state, a row ends when the process does or executes another program; its
 * samples may still arrive for some time, so procs_reap() frees it later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/base/budget.h"
#include "symbolizer/symbolizer.h"

struct profile;

enum proc_state {
	PROC_NEW,    /* not examined yet */
	PROC_MISSED, /* it had ended or executed another program before it was examined */
	PROC_OTHER,  /* not Go, or not yet */
	PROC_TWIN,   /* missed, but another process has shown its file, which is Go */
	PROC_GO,     /* its executable is Go, or what it unpacked, or a library */
};

/* Times are CLOCK_MONOTONIC; 0: none. */
struct proc {
	uint32_t tgid;
	image_id image; /* 0: given by the user, not sampled yet */
	enum proc_state state;
	bool wanted;          /* by the user: it is recorded even if it is not Go */
	bool asked, left_out; /* by session_options.choose */
	char *resource;       /* owned: process.resource; NULL: none */
	bool go_row;          /* its row of the profile says that it is Go */
	bool runtimes_noted;  /* the user knows that it has more than one Go runtime */
	char comm[16];
	struct go_program program;
	uint32_t process;    /* row of the profile; 0: not recorded */
	struct space *space; /* NULL: its mappings could not be read, or need not be */
	uint64_t ended_ns;   /* when we learned that it had ended; 0: it runs */

	/* When its mappings are to be read */
	uint64_t refreshed_ns; /* when they were last read */
	uint64_t stale_ns; /* when they are due since they have changed; 0: they have not */
	uint64_t code_due_ns;       /* when to ask again about code that is in no file */
	struct budget reading;      /* what reading them took */
	struct budget *all_reading; /* what those of all rows took together */
	uint32_t unpack_looks; /* how often they were read in case it has unpacked itself */

	/* PROC_OTHER: the next search for Go in its mappings, and how many there were;
	 * PROC_GO, PROC_TWIN: the same for how to find its goroutines. Begins anew with
	 * each state. */
	uint64_t retry_ns;
	uint32_t tries;
};

static inline bool proc_is_go(const struct proc *p)
{
	return p->state >= PROC_TWIN;
}

struct procs;

struct procs *procs_new(struct symbolizer *symbolizer, struct profile *profile);
void procs_close(struct procs *ps); /* takes NULL */

/* The row of this image; NULL: there is none. Rows never move; procs_drop() and
 * procs_reap() free them. */
struct proc *procs_find(struct procs *ps, uint32_t tgid, image_id image);
/* The same, but adds a row if there is none. image 0: given by the user, not sampled
 * yet. */
struct proc *procs_get(struct procs *ps, uint32_t tgid, image_id image);
/* The n-th of all rows; NULL after the last. */
struct proc *procs_row(struct procs *ps, uint32_t n);
uint32_t procs_count(const struct procs *ps);
/* The n-th row of a pid, oldest first; NULL after the last. */
struct proc *procs_of(struct procs *ps, uint32_t tgid, uint32_t n);
/* Says which image a row without one is. */
void procs_identify(struct procs *ps, struct proc *p, image_id image);

/* From PROC_NEW: examines the executable, and the mappings of what may be recorded. */
void procs_examine(struct procs *ps, struct proc *p);
/* Any state: what was examined was not this image. Forgets it: PROC_MISSED. */
void procs_miss(struct proc *p);
/* For each image record, after procs_examine(): remembers which file a Go process runs, and
 * makes a process without a space the PROC_TWIN of one that ran the same file. Again for
 * each record: the first one may be sent in the middle of an exec, without addresses. */
void procs_share(struct procs *ps, struct proc *p, const struct image_record *r);
/* PROC_OTHER, PROC_MISSED: searches the mappings for Go. 0, or when to ask again: reading
 * takes long. */
uint64_t procs_probe(struct procs *ps, struct proc *p);
/* Reads the mappings again, in which PROC_OTHER may find Go. Where reading takes long it is
 * put off until stale_ns: a process with very many mappings that change all the time must
 * not take our time from all others. */
void procs_refresh(struct proc *p);
/* Adds a row to the profile: samples of p are recorded from now on. */
void procs_record(struct procs *ps, struct proc *p);
/* The same for a row that no procs has. */
void proc_record(struct proc *p, struct profile *profile);

/* Reads the name of a thread; "": it is gone. */
void proc_thread_comm(uint32_t tgid, uint32_t tid, char comm[16]);
/* The command name; "" if nothing is known of the process. */
const char *proc_comm(const struct proc *p);
/* Why it is not recorded although it is Go, a static string; NULL: it is not Go, or is
 * recorded. */
const char *proc_why(const struct proc *p);
/* May the mappings be read again because an address is in none of them, or is it too
 * soon? */
bool proc_may_refresh(const struct proc *p, uint64_t now_ns);
/* Asks the process whether the code at addr is still what it was when it got its names,
 * and, seldom, whether it has more code that is in no file. true: it has changed, and the
 * mappings have to be read again. */
bool proc_code_changed(struct proc *p, uint64_t addr, enum space_code code,
		       uint64_t now_ns);

/* Sampling begins: the time that reading took so far does not count. */
void procs_begin(struct procs *ps);
/* Goes on with another, empty profile, where recorded processes get new rows. */
void procs_begin_interval(struct procs *ps, struct profile *profile);
/* The process is gone, or executed another program. */
void procs_end(struct proc *p);
/* Frees the rows that ended before settled_ns: no more samples arrive from then. */
void procs_reap(struct procs *ps, uint64_t settled_ns);
void procs_drop(struct procs *ps, struct proc *p);
/* Marks the files that rows use, before symbolizer_sweep(). */
void procs_mark(struct procs *ps);
/* Before the symbolizer closes this file. */
void procs_forget(struct procs *ps, const struct object *o);

/*
 * What the kernel side should know of the program of p. 0; -ENOENT: not Go; -ENOTSUP: Go,
 * but its goroutines cannot be found, and *why (a static string) says why; -EAGAIN: not
 * yet; -ESRCH: the process was gone before it could be examined.
 */
int proc_layout(struct procs *ps, const struct proc *p, struct executable *ret,
		const char **why);
