/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the processes that are followed: one row per (pid, image). */
#ifndef PROFILER_PROC_H
#define PROFILER_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/sample.h"
#include "profiler/base/budget.h"
#include "symbolizer/symbolizer.h"

struct profile;

struct proc {
	uint32_t tgid;
	image_id image; /* 0: given by the user, not sampled yet */
	bool go;        /* it runs Go: its executable, what that unpacked, or a library */
	bool wanted;    /* recorded even if it is not Go */
	bool runtimes_noted; /* the user knows that it has more than one Go runtime */
	bool looked; /* its executable was looked at; go, program and space mean something */
	struct space *space; /* NULL: it was gone before we could look */
	bool gone;           /* ... and space is what procs_share() knew of it */
	struct go_program program;
	uint32_t process;           /* row of the profile */
	uint64_t refreshed_ns;      /* when its maps were last read, CLOCK_MONOTONIC */
	struct budget reading;      /* what reading them took */
	struct budget *all_reading; /* what that of all rows took */
	uint64_t code_due_ns;       /* when to ask again for code that is in no file */
	uint64_t stale_ns; /* they have changed since: when to read them again; 0: not */
	uint64_t again_ns; /* when to look again for what was not there yet; 0: not */
	uint32_t again;    /* how often that was */
	uint32_t
		unpack_looks; /* how often we looked whether it has unpacked a Go program */
	uint64_t
		ended_ns; /* when we heard that it had ended, CLOCK_MONOTONIC; 0: it runs */
	bool missed;      /* it had ended before its executable could be looked at */
	char comm[16];
};

struct procs;

int procs_open(struct procs **ret, struct symbolizer *symbolizer, struct profile *profile);
void procs_close(struct procs *ps); /* takes NULL */

/* The row of this image, NULL when there is none. Rows move never, and go with procs_reap(). */
struct proc *procs_find(struct procs *ps, uint32_t tgid, image_id image);
/* The same, made when there is none. image 0: given by the user, not sampled yet. */
struct proc *procs_get(struct procs *ps, uint32_t tgid, image_id image);
/* The n-th row of all; NULL behind the last. */
struct proc *procs_row(struct procs *ps, uint32_t n);
uint32_t procs_count(const struct procs *ps);
/* The n-th row of a pid, oldest first; NULL behind the last. */
struct proc *procs_of(struct procs *ps, uint32_t tgid, uint32_t n);
/* A row that was given turns out to be this image. */
void procs_identify(struct procs *ps, struct proc *p, image_id image);
/* Looks at the executable and the mappings of the process: first sight, or after an exec. */
void procs_look(struct procs *ps, struct proc *p);
/* For each record of an image, after procs_look(): one whose mappings could not be read any more has the names
 * of its file all the same, which this process or another one has shown. The first record may come in the
 * middle of an exec, without addresses. */
void procs_share(struct procs *ps, struct proc *p, const struct image_record *r);
/* The name that tells what it is; "" when that is not known. */
const char *proc_comm(const struct proc *p);
/* Why it is not recorded although it is Go, a static string; NULL: it is not Go, or is recorded. */
const char *proc_why(const struct proc *p);
/* Forgets what was seen: it was not this image. */
void procs_unlook(struct proc *p);
/* Gives the process a row of the profile: its samples count from now on. */
void procs_record(struct procs *ps, struct proc *p);
/* Reads the mappings again: what was packed may have become a Go program. A process with very many
 * mappings that change all the time must not take our time from all others: where reading them takes
 * long it is put off, and stale_ns says until when. */
void procs_refresh(struct proc *p);
/* Is it long enough since then, for the sake of an address that is not mapped, as far as is known? */
bool proc_may_refresh(const struct proc *p, uint64_t now_ns);
/* Asks the process whether the code at addr is still what it was when it got its names, and, seldom, whether
 * there is more that is in no file. true: it has changed, and its mappings have to be read again. */
bool proc_code_changed(struct proc *p, uint64_t addr, enum space_code code,
		       uint64_t now_ns);
/* Looks for Go among the libraries of a program that is not. 0, or when to ask again: reading takes long. */
uint64_t procs_look_inside(struct procs *ps, struct proc *p);
/* What was read until now is not held against what is read from now on. */
void procs_begin(struct procs *ps);
/* The process is gone, or became another program: samples of it may still be on their way. */
void procs_end(struct proc *p);
/* Forgets what ended before that time: CLOCK_MONOTONIC, no samples are older that still come. */
void procs_reap(struct procs *ps, uint64_t settled_ns);
void procs_drop(struct procs *ps, struct proc *p);
/* Closes files that no row has, if there are many. fn is told of each before. */
void procs_sweep(struct procs *ps, void (*fn)(void *arg, const struct object *o),
		 void *arg);

/*
 * What the kernel side is to take the program of p for. 0; -ENOENT: not Go; -ENOTSUP: Go, but where
 * its goroutines are is not known, or fails a check, and *why (a static string) says why; -EAGAIN: that
 * can be said later; -ESRCH: the process was gone before it could be looked at.
 */
int proc_layout(struct procs *ps, const struct proc *p, struct executable *ret,
		const char **why);

#endif
