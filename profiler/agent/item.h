/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is sent: the profile of one process in one interval, or of a part of it, encoded
 * once and shared by the receivers that take this encoding. It does not change.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum encoding {
	ENCODED_PPROF,
	ENCODED_SPANS,     /* the same, with the labels span_id */
	ENCODED_TRACES,    /* with trace_id too */
	ENCODED_RECORDING, /* of all processes */
	ENCODINGS
};

/* Whose profile it is. Strings are plain UTF-8, "" if unknown; owned by the item. */
struct origin {
	const char *service; /* service.name */
	const char *host, *program, *container_id, *go_version;
	/* Other attributes, as a set of labels.h */
	const char *attributes;
	uint32_t pid; /* 0: of several processes */
};

struct item {
	atomic_uint refs; /* private */
	uint8_t encoding; /* enum encoding */
	struct origin origin;
	char id[37];       /* a random UUID */
	uint64_t start_ns; /* CLOCK_REALTIME */
	uint32_t samples;
	size_t len;
	uint8_t bytes[];
};

/* Copies everything. item_drop() frees it. */
struct item *item_new(enum encoding encoding, const struct origin *origin,
		      const void *bytes, size_t len);
struct item *item_share(struct item *it);
void item_drop(struct item *it); /* takes NULL */
/* What it takes in memory. */
size_t item_size(const struct item *it);
