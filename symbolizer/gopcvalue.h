/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes a pcvalue table of pclntab: a function's values by PC (SP delta, line, inline
 * index …), packed as deltas of value and PC. Inline, because it is most of the cost of a
 * look-up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

enum { PCVALUES_MAX = 1 << 22 }; /* bytes read of one table */

struct pcvalues {
	const uint8_t *p, *end;
	int32_t value; /* from the PC reached so far … */
	uint32_t step; /* … for this many steps of the PC */
	bool started;
};

/* False: there is no table at this offset of the region. */
static inline bool pcvalues_open(struct pcvalues *v, const struct cursor *region,
				 uint32_t off)
{
	uint64_t left = off < region->len ? region->len - off : 0;

	if (!off || !left)
		return false;
	*v = (struct pcvalues){ .p = region->data + off, .value = -1 };
	v->end = v->p + (left < PCVALUES_MAX ? left : PCVALUES_MAX);
	return true;
}

static inline bool pcvalues_uvarint(struct pcvalues *v, uint32_t *ret)
{
	*ret = 0;
	for (int shift = 0; shift < 35 && v->p < v->end; shift += 7) {
		uint8_t byte = *v->p++;

		*ret |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* False: the end. A delta of 0 marks the end, except at the start: tables may begin with
 * -1. */
static inline bool pcvalues_next(struct pcvalues *v)
{
	uint32_t delta;

	/* nearly all deltas take one byte each */
	if (v->end - v->p >= 2 && !((v->p[0] | v->p[1]) & 0x80)) {
		delta = v->p[0];
		v->step = v->p[1];
		v->p += 2;
	} else if (!pcvalues_uvarint(v, &delta) || !pcvalues_uvarint(v, &v->step)) {
		return false;
	}
	if (!v->step || (!delta && v->started))
		return false;
	v->started = true;
	v->value = (int32_t)((uint32_t)v->value + ((delta >> 1) ^ -(delta & 1)));
	return true;
}
