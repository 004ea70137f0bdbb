/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts samples of processes that are not recorded, by the name of the process. */
#pragma once

#include <stdint.h>

struct strtab;

/* { 0 } is empty. */
struct unrecorded {
	struct unrecorded_row *rows;
	uint32_t n, cap;
};

/* comm: at most 15 bytes; "": the process ended before anything was known of it. why (a
 * static string): it is Go, but cannot be recorded; NULL: it is not Go, as far as is
 * known. */
void unrecorded_add(struct unrecorded *l, const char *comm, const char *why,
		    uint64_t samples);
/* The sum, and *names: "bash 3, x 1 (why)" in strs. */
uint64_t unrecorded_names(const struct unrecorded *l, struct strtab *strs, uint32_t *names);
/* Empties it. */
void unrecorded_release(struct unrecorded *l);
