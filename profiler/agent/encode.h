/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns the profile of an interval into items. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/agent/item.h"

struct bound;
struct profile;

/* What receivers take in one profile, before it is compressed: those of Pyroscope, which
 * are the smallest. */
enum { LIMIT_BYTES = 4 << 20, LIMIT_SAMPLES = 16000 };

struct encode_options {
	const char *host;
	const char **labels; /* that are written as strings */
	uint32_t n_labels;
	struct bound *bound;    /* of their values; not owned */
	size_t max_bytes;       /* of a profile before it is compressed */
	uint32_t max_samples;   /* of a profile */
	bool wanted[ENCODINGS]; /* which encodings somebody takes */
	void (*put)(void *arg,
		    struct item *it); /* is called with each item; may share it */
	/* Samples that do not fit even alone. */
	void (*too_large)(void *arg, const struct origin *o, uint32_t samples);
	void *arg;
};

/* Encodes all of it; then its events are gone. A process without events has no items; a
 * profile above the limits becomes several, each of a part of the time. 0, or -errno of
 * the first that failed: the others are there. *processes: how many had samples. */
int encode_profile(const struct encode_options *o, struct profile *p, uint32_t *processes);
