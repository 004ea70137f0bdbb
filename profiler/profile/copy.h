/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies events of one profile into another one, with the rows that they need and no
 * others: what nothing refers to stays behind.
 */
#pragma once

#include <stdint.h>

struct profile;

/* Copies the events with times in [from_ns, to_ns), in their order; shift_ns is added to
 * their times. `to` has the same kinds, in the same rows, as profile_new_like() makes them.
 * Rows that `to` has already are used again. */
void profile_copy_events(struct profile *to, const struct profile *from, uint64_t from_ns,
			 uint64_t to_ns, int64_t shift_ns);
/* Copies the events of one kind, at their times. */
void profile_copy_kind(struct profile *to, const struct profile *from, uint8_t kind);
/* A profile of its own of that part: its time begins at from_ns. Of the stats it has the
 * duration only. */
struct profile *profile_cut(const struct profile *p, uint64_t from_ns, uint64_t to_ns);
/* An empty profile with the kinds of p, its command and its number of CPUs. */
struct profile *profile_new_like(const struct profile *p);
