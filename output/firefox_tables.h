/* SPDX-License-Identifier: BSD-2-Clause */
/* What all threads of a Firefox profile share: its tables of stacks, frames, functions,
 * source files and modules. */
#pragma once

#include <stdint.h>

#include "output/frames.h"
#include "output/json.h"
#include "profiler/base/index.h"

struct firefox_tables {
	const struct view *view; /* outlives the tables */
	struct frames frames;    /* row i of frames.stacks is i - 1 in the profile */

	/* Private. */
	struct strtab *strings;
	struct firefox_func *funcs;
	uint32_t n_funcs, cap_funcs;
	uint32_t *func_of;  /* per frame */
	struct index index; /* of funcs */
	uint32_t *files;    /* in strings: the table of sources */
	uint32_t n_files, cap_files;
	uint32_t *source_of; /* per string of strings: row of files, + 1 */
	uint32_t n_source_of, cap_source_of;
};

void firefox_tables_make(struct firefox_tables *x, const struct view *v);
/* Writes "libs" and "shared" of the object that is open. */
void firefox_tables_write(struct firefox_tables *x, struct json *j);
void firefox_tables_release(struct firefox_tables *x);

/* An array of n nulls. */
void json_nulls(struct json *j, const char *name, uint32_t n);
