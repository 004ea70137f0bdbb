/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caches the frames of each address, as rows of the profile, because most samples bring
 * addresses that were seen before. Keyed by the address and by the profile's row of the
 * process: an exec makes a new row, so nothing from before it is found.
 */
#pragma once

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
	uint32_t first;      /* of its n rows in `frames`, innermost first */
	uint32_t generation; /* of the space; in another one ... */
	uint8_t code;        /* ... CODE_OF_FILE has the same frames (enum space_code) */
	uint8_t n;
	uint8_t kind; /* of the outermost frame, the physical function */
	bool unmapped;
	bool old; /* another row has replaced it */
};

struct expansions {
	struct profile *profile;
	struct symbolizer *symbolizer;
	struct expansion *rows;
	uint32_t n, cap, tidied; /* tidied: rows that the last expansions_tidy() kept */
	uint32_t changes;        /* what symbolizer_check() returned last */
	struct index index;
	uint32_t *frames; /* rows of the profile */
	uint32_t n_frames, cap_frames;
	uint32_t *modules; /* module of the symbolizer → of the profile; 0: not used yet */
	uint32_t n_modules, cap_modules;
};

enum { EXPANSION_CUT = 0 }; /* the row of the frame "[cut]" */

/* The profile and the symbolizer must outlive it. */
void expansions_init(struct expansions *x, struct profile *profile,
		     struct symbolizer *symbolizer);
void expansions_release(struct expansions *x);
/* As pipeline_tidy(). */
void expansions_tidy(struct expansions *x, struct procs *procs);

/* The row of an address of a process; p NULL: of the kernel. The row stays valid until
 * expansions_tidy(), a pointer to it only until the next call. */
uint32_t expansion_find(struct expansions *x, struct proc *p, uint64_t addr);
/* The same for a sample taken at now_ns. If the process may have mapped or generated code
 * that we do not know, reads its mappings again, at a limited rate. */
uint32_t expansion_of_user(struct expansions *x, struct proc *p, uint64_t addr,
			   uint64_t now_ns);
