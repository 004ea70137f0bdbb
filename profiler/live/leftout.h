/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts samples that are left out, by the name of their process. */
#ifndef PROFILER_LEFTOUT_H
#define PROFILER_LEFTOUT_H

#include <stdint.h>

#include "profiler/base/arena.h"

/* { 0 } is an empty one. */
struct leftout {
	struct leftout_row *rows;
	uint32_t n, cap;
};

/* As pipeline_leave_out(). */
void leftout_add(struct leftout *l, const char *comm, const char *why, uint64_t samples);
/* The sum, and *names: "bash 3, sh 1" in the arena. */
uint64_t leftout_names(const struct leftout *l, struct arena *a, const char **names);
void leftout_release(struct leftout *l);

#endif
