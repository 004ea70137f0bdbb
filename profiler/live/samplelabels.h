/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of a goroutine as the kernel side sends them. */
#ifndef PROFILER_SAMPLELABELS_H
#define PROFILER_SAMPLELABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Adds the set, as in labels.h, that a sample brings in n bytes. more: as SAMPLE_LABELS_CUT says.
 * constant() gives what a program has at an address where nothing is ever written, or NULL.
 * false: not all is there.
 */
bool sample_labels(struct buf *to, const void *bytes, size_t n, bool more,
		   const char *(*constant)(void *arg, uint64_t addr, size_t len),
		   void *arg);

#endif
