/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine, and this user, must have for recording; as far as reading tells, without a try. */
#ifndef CMD_CONDITION_H
#define CMD_CONDITION_H

#include <stdint.h>

enum verdict {
	FINE,
	POOR, /* a part will be missing */
	BAD,  /* recording cannot work */
};

struct condition {
	const char *name;
	enum verdict verdict;
	char state[192];
	const char *fix; /* the smallest that helps; NULL: none is needed, or known */
};

struct conditions {
	struct condition *rows; /* what decides more, first */
	uint32_t n, cap;
};

void conditions_read(struct conditions *c); /* *c is { 0 } */
void conditions_release(struct conditions *c);
/* One more, found by a try. The state is printf's. */
void condition_add(struct conditions *c, const char *name, enum verdict verdict,
		   const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* What helps when a call has failed because too many files are open, so that nothing else about the machine
 * can be read; err as in collector_open(). NULL: that is not the reason. */
const char *files_fix(int err);
/* What helps when a call has failed and every condition holds: what and err as in collector_open(). */
const char *unknown_fix(const char *what, int err);

#endif
