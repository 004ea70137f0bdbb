/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pprof labels of a goroutine as one string, "job=encode,user=42", which a profile
 * keeps and compares by id: equal sets are equal strings.
 *
 *   set   = pairs in the order of their keys, ',' between them; the last may be "\+" alone:
 *           there are more, which could not be read
 *   pair  = key '=' value; behind the value may be "\+": it goes on
 *   bytes = themselves, but for NUL, '=', ',' and '\', which are "\00", "\3d", "\2c" and
 *           "\5c"
 */
#ifndef PROFILER_LABELS_H
#define PROFILER_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct label {
	const char *key, *value; /* any bytes, not owned */
	size_t key_len, value_len;
	bool cut; /* the value goes on */
};

/* Adds the set, without a NUL. Sorts the labels. more: there are others. */
void labels_encode(struct buf *to, struct label *labels, uint32_t n, bool more);

enum label_state {
	LABEL_NONE,  /* the set has none, or no more */
	LABEL_WHOLE, /* value is it */
	LABEL_PART,  /* value is how it begins */
	LABEL_LOST,  /* it may be among those that could not be read */
};

/* Reads the next label at *set, which moves past it. Key and value begin anew. */
enum label_state labels_next(const char **set, struct buf *key, struct buf *value);
/* The value of a key. */
enum label_state labels_find(const char *set, const char *key, size_t key_len,
			     struct buf *value);

#endif
