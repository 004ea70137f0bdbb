/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of the series that an item is of, for receivers that have series. */
#pragma once

#include <stdint.h>

#include "profiler/agent/item.h"

enum { SERIES_LABELS = 7 };

struct series {
	uint32_t n;
	/* Sorted by name; __name__ is the first. Of the item, and of this struct. */
	struct {
		const char *name, *value;
	} labels[SERIES_LABELS];
	char pid[16];
};

void series_of(const struct item *it, struct series *s);
