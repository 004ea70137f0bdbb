/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most samples bring addresses that were seen before: what each expands to is remembered,
 * as rows of the profile. Keyed by the profile's process row, so an exec, which makes a new
 * row, begins anew.
 */
#ifndef PROFILER_EXPANSIONS_H
#define PROFILER_EXPANSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/index.h"

struct proc;
struct procs;
struct profile;
struct symbolizer;

/* The frames of one address. */
struct expansion {
	uint64_t addr;
	uint32_t process;
	uint32_t first;      /* of `frames`, innermost first */
	uint32_t generation; /* of the space; another one may have other frames, if ... */
	uint8_t code;        /* ... this is not CODE_OF_FILE, of enum space_code */
	uint8_t n;
	uint8_t kind; /* of the outermost, the physical function */
	bool unmapped;
	bool old; /* replaced by another row */
};

struct expansions {
	struct profile *profile;
	struct symbolizer *symbolizer;
	struct expansion *rows;
	uint32_t n, cap, tidied; /* left by expansions_tidy() */
	uint32_t changes;        /* what symbolizer_check() said last */
	struct index index;
	uint32_t *frames; /* rows of the profile */
	uint32_t n_frames, cap_frames;
	uint32_t *modules; /* module of the symbolizer → of the profile; 0: not used yet */
	uint32_t n_modules, cap_modules;
	uint32_t cut; /* the row that is "[cut]" */
};

/* Both outlive it. */
void expansions_init(struct expansions *x, struct profile *profile,
		     struct symbolizer *symbolizer);
void expansions_release(struct expansions *x);
/* As pipeline_tidy(). */
void expansions_tidy(struct expansions *x, struct procs *procs);

/* The row of an address of a process; p NULL: of the kernel. Rows stay until
 * expansions_tidy(), pointers to them until the next question. */
uint32_t expansion_find(struct expansions *x, struct proc *p, uint64_t addr);
/* The same of a sample of this time: where code may have been mapped or made that we know
 * nothing of yet, the process is asked, but not at every sample. */
uint32_t expansion_of_user(struct expansions *x, struct proc *p, uint64_t addr,
			   uint64_t now_ns);

#endif
