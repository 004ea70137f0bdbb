/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds how many values of a label a service may have: receivers make a series of each,
 * and a program may put anything there. Further values become "(other)", until one has not
 * come for an hour.
 */
#pragma once

#include <stdint.h>

#define BOUND_OTHER "(other)"

enum { BOUND_KEEP_S = 3600 };

struct bound;

/* max: values of each label of each service. */
struct bound *bound_new(uint32_t max);
uint32_t bound_max(const struct bound *b);
void bound_free(struct bound *b); /* takes NULL */
/* Returns value, or BOUND_OTHER. */
const char *bound_value(struct bound *b, const char *service, const char *key,
			const char *value, uint64_t now_ns);
/* Forgets what has not come for BOUND_KEEP_S. Once per interval. */
void bound_tidy(struct bound *b, uint64_t now_ns);
/* How often a value became BOUND_OTHER. */
uint64_t bound_others(const struct bound *b);
