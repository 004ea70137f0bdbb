/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns a sample into rows of the profile: sample → stack → frames → rows. */
#pragma once

#include <stdint.h>

#include "profiler/profile/profile.h"

#include "bpf/sample.h"

struct object;
struct pipeline;
struct proc;
struct procs;
struct symbolizer;

/* start_ns: CLOCK_MONOTONIC when the profile starts. The profile and the symbolizer must
 * outlive the pipeline. */
struct pipeline *pipeline_new(struct profile *profile, struct symbolizer *symbolizer,
			      uint64_t start_ns);
void pipeline_free(struct pipeline *pl); /* takes NULL */
/* Continues with another, empty profile and forgets everything about the previous one. */
void pipeline_begin(struct pipeline *pl, struct profile *profile, uint64_t start_ns);

/* Adds a sample of p, which must have a row in the profile. */
void pipeline_sample(struct pipeline *pl, struct proc *p, const struct sample *s);
/* The same for an event of another kind, a row of profile->kinds: of a goroutine that was
 * looked at, and may not run. */
void pipeline_event(struct pipeline *pl, struct proc *p, const struct sample *s,
		    uint8_t kind);
/* The same for the call of a function that was inlined. body: an address of its own code
 * there. Its name begins with FUNC_COPY. */
void pipeline_copy(struct pipeline *pl, struct proc *p, const struct sample *s,
		   uint64_t body);

/* Call it before the symbolizer closes this file. */
void pipeline_forget(struct pipeline *pl, const struct object *o);
/* Forgets processes that no longer have a row in procs, once there is much to forget.
 * Checks two of the mapped files at each call; if a file has changed, it forgets all
 * processes. */
void pipeline_tidy(struct pipeline *pl, struct procs *procs);
