/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pprof labels of a goroutine as one string, "job=encode,user=42". A profile keeps it
 * and compares it by id: equal sets are equal strings.
 *
 *   set   = pairs sorted by key, separated by ','; a last "\+" alone means that there are
 *           more, which could not be read
 *   pair  = key '=' value; a "\+" after the value means that it was cut
 *   bytes = themselves, except NUL, '=', ',' and '\': these are "\00", "\3d", "\2c" and
 *           "\5c"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct label {
	const char *key, *value; /* any bytes, not owned */
	size_t key_len, value_len;
	bool cut; /* the value is longer */
};

/* Adds the set, without a NUL. Sorts the labels. more: there are labels that could not be
 * read. */
void labels_encode(struct buf *to, struct label *labels, uint32_t n, bool more);

enum label_state {
	LABEL_NONE,  /* there is no such label, or no further one */
	LABEL_WHOLE, /* value is complete */
	LABEL_PART,  /* value is only the beginning */
	LABEL_LOST,  /* the label may be among those that could not be read */
};

/* Reads the label at *set into key and value, and moves past it. */
enum label_state labels_next(const char **set, struct buf *key, struct buf *value);
/* Finds the value of a key. */
enum label_state labels_find(const char *set, const char *key, size_t key_len,
			     struct buf *value);
