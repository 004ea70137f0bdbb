/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine, and this user, need for recording, without attempting it. */
#pragma once

#include <stdint.h>

enum verdict {
	VERDICT_OK,
	VERDICT_DEGRADED, /* something will be missing */
	VERDICT_FAIL,     /* recording cannot work */
};

struct condition {
	const char *name;
	enum verdict verdict;
	char state[192];
	const char *fix; /* the smallest one that helps; NULL: not needed, or unknown */
};

struct conditions {
	struct condition *rows; /* most decisive first */
	uint32_t n, cap;
};

void conditions_read(struct conditions *c); /* *c is { 0 } */
void conditions_release(struct conditions *c);
/* Adds a condition that was found by trying. fmt describes its state, as in printf(). */
void condition_add(struct conditions *c, const char *name, enum verdict verdict,
		   const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The fix if a call failed because too many files are open, so that the conditions could
 * not be read either; err as in collector_open(). NULL: that is not the reason. */
const char *files_fix(int err);
/* The fix if a call failed although every condition holds; what and err as in
 * collector_open(). */
const char *unknown_fix(const char *what, int err);
