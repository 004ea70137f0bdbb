/* SPDX-License-Identifier: BSD-2-Clause */
/* The one screen that says why this machine, or this user, cannot record. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/cmd/cmd.h"
#include "profiler/cmd/condition.h"

void say_cannot(const char *verb, const char *what, int err)
{
	struct conditions c = { 0 };
	const char *mend = NULL;

	fprintf(stderr, "gostrobe: cannot %s: %s: %s (errno %d)\n\n", verb, what,
		strerror(-err), -err);
	conditions_read(&c);
	for (uint32_t i = 0; i < c.n; i++) {
		fprintf(stderr, "  %-28s %s\n", c.rows[i].name, c.rows[i].state);
		if (!mend && c.rows[i].verdict == BAD)
			mend = c.rows[i].mend;
	}
	conditions_release(&c);
	fprintf(stderr, "\n  %s\n", mend ? mend : unknown_mend(what, err));
}
