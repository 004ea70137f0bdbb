/* SPDX-License-Identifier: BSD-2-Clause */
/* The two halves of trace: calls one by one, and added up. */
#pragma once

#include "output/call_counts.h"
#include "output/call_lines.h"
#include "profiler/cmd/run.h"
#include "profiler/profile/view.h"

struct trace {
	struct run run;
	struct filter filter; /* owned */
	bool json, count;
	const char *limit; /* -n: lines; rows of each table of --count */
	uint64_t max;      /* the same; 0: all */

	/* calls one by one */
	struct call_lines lines;
	uint64_t shown;

	/* --count */
	const char *interval;
	uint64_t interval_ns, next_ns; /* 0: at the end only */
	struct grouping by;
	struct call_totals totals;
};

/* Writes to stdout what `write` does with the events of the profile that the filter
 * selects, up to until_ns. If the reader of stdout stalls, Ctrl-C gives up. 0, or -errno
 * after a log_error() line. */
int trace_show(struct trace *t, const struct profile *p, uint64_t until_ns,
	       int (*write)(struct trace *t, struct view *v, FILE *out));

/* --count (trace_count.c). Checks its options; returns an exit status. */
int trace_count_check(struct trace *t);
/* As the step of run_loop(): prints what was counted, at each interval. */
int trace_count_step(void *trace, bool second);
/* The last table, and the closing lines, after session_stop(). Returns the exit status. */
int trace_count_finish(struct trace *t);
/* Reports that there were no calls, and why. taken: before the filter. */
void trace_say_none(const struct trace *t, uint64_t taken, uint64_t lost);
