/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mistyped word may have meant. */
#ifndef BASE_SIMILAR_H
#define BASE_SIMILAR_H

#include <stdbool.h>
#include <stdint.h>

/* How many letters have to be added, dropped, replaced, or swapped with their neighbour to make b
 * of a; UINT32_MAX when one of them is longer than any word of ours. */
uint32_t similar_distance(const char *a, const char *b);
/* The word is near enough to be a slip of the hand. */
bool similar_is(const char *typed, const char *word);

#endif
