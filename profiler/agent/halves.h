/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes two items of one that is too large for a receiver. Not of recordings. */
#pragma once

#include <stdbool.h>

#include "profile.pb-c.h"
#include "profiler/agent/item.h"

/* The pprof file of an item, to be freed with pprof__profile__free_unpacked(); NULL if it
 * is none. */
Pprof__Profile *item_profile(const struct item *it);

/*
 * Each half has every second row of samples, with what they refer to. depth: how often
 * this one was halved already. Because receivers know profiles by series and time, the
 * second half begins 2^depth ms later. False: it has one row of samples only.
 */
bool item_halve(const struct item *it, uint32_t depth, struct item *halves[2]);
