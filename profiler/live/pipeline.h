/* SPDX-License-Identifier: BSD-2-Clause */
/* One sample on its way: sample → stack → frames → rows of the profile. */
#ifndef PROFILER_PIPELINE_H
#define PROFILER_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/profile/profile.h"

#include "bpf/sample.h"

struct pipeline;
struct proc;
struct symbolizer;

/* start_ns: CLOCK_MONOTONIC at the profile's start. All outlive the pipeline. */
int pipeline_open(struct pipeline **ret, struct profile *profile,
		  struct symbolizer *symbolizer, uint64_t start_ns);
void pipeline_close(struct pipeline *pl); /* takes NULL */
/* Goes on with another, empty profile: nothing of the previous one is remembered. */
void pipeline_begin(struct pipeline *pl, struct profile *profile, uint64_t start_ns);

/* A sample of process p; one that has no row in the profile is left out, and counted. */
void pipeline_sample(struct pipeline *pl, struct proc *p, const struct sample *s);

/* Before the symbolizer closes this file. */
struct object;
void pipeline_forget(struct pipeline *pl, const struct object *o);

/* Forgets what is remembered of processes that have no row any more, if that is much; of
 * all, when a file has changed, for which it looks at two of them each time. */
struct procs;
void pipeline_tidy(struct pipeline *pl, struct procs *procs);

/* Samples that are left out since their process is not Go, as far as is known. comm is its
 * name, of at most 15 bytes; "": it ended before anything was known of it. why: it is Go,
 * and this (a static string) is the reason; or NULL. */
void pipeline_leave_out(struct pipeline *pl, const char *comm, const char *why,
			uint64_t samples);

/* Samples left out because their process is not Go: all, and "bash 3, x 1 (why)" in the
 * arena of pl. */
uint64_t pipeline_not_go(struct pipeline *pl, const char **names);

#endif
