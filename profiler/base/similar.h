/* SPDX-License-Identifier: BSD-2-Clause */
/* Guesses what a mistyped word was meant to be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The number of letters to insert, delete, replace or swap with a neighbour to turn a into
 * b; UINT32_MAX if one is longer than any word of ours. */
uint32_t similar_distance(const char *a, const char *b);
/* Is `typed` close enough to word to be a typing error? */
bool similar_is(const char *typed, const char *word);
