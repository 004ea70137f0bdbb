/* SPDX-License-Identifier: BSD-2-Clause */
/* trace --count: the calls that the kernel side has added up. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/losses.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/trace.h"
#include "profiler/profile/profile.h"

enum { OTHER_LINES = 10 /* on a terminal, besides the rows of the two tables */ };

int trace_count_check(struct trace *t)
{
	struct collector_options *c = &t->run.so.collector;

	if (!t->count && (t->by.n || t->interval))
		return usage_error("trace", "--by and --interval belong to --count");
	if (t->count && t->lines.stack)
		return usage_error("trace",
				   "--count counts without stacks; -s does not go with it");
	if (t->interval &&
	    (duration_parse(t->interval, &t->interval_ns) || !t->interval_ns))
		return usage_error("trace", "--interval takes a time such as 1s, not '%s'",
				   t->interval);
	if (!t->by.n)
		t->by = grouping_default(NULL);
	c->add_up = t->count;
	c->by_labels = t->filter.n_labels;
	for (int i = 0; i < t->by.n; i++) {
		c->firsts |= t->by.keys[i] == BY_START || t->by.keys[i] == BY_GOROUTINE;
		c->by_labels |= t->by.keys[i] == BY_LABEL;
		c->by_thread |= t->by.keys[i] == BY_THREAD;
	}
	return STATUS_OK;
}

/* Rows of each table that fit the terminal. */
static uint32_t rows_that_fit(void)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_row > OTHER_LINES + 6 ? (size.ws_row - OTHER_LINES) / 2u : 3;
}

static int write_counts(struct trace *t, struct view *v, FILE *out)
{
	const struct call_counts_options o = {
		.width = plain_width(STDOUT_FILENO),
		.rows = t->limit ? (uint32_t)t->max : rows_that_fit(),
		.color = color_wanted(stdout),
	};

	call_totals_add(&t->totals, v);
	return t->json ? call_counts_json(v, out) : call_counts_write(v, &o, out);
}

static int show(struct trace *t, const struct profile *p)
{
	struct buf b = { 0 };
	int err = trace_show(t, p, 0, write_counts);

	losses_add(p, &b);
	if (log_level >= LOG_NORMAL)
		buf_write(&b, stderr);
	buf_release(&b);
	return err;
}

int trace_count_step(void *trace, bool second)
{
	struct trace *t = trace;
	struct session *s = t->run.session;
	struct profile *done;
	int err;

	(void)second;
	t->next_ns = t->next_ns ? t->next_ns : t->interval_ns;
	if (!t->interval_ns || session_elapsed_ns(s) < t->next_ns)
		return 0;
	t->next_ns += t->interval_ns;
	done = session_next(s);
	err = show(t, done);
	profile_free(done);
	return err;
}

int trace_count_finish(struct trace *t)
{
	const struct profile *p = session_profile(t->run.session);
	int err = 0;

	if (p->kinds[1].quality.samples || !t->interval_ns)
		err = show(t, p);
	if (!err && !t->totals.calls)
		trace_say_none(t, p->kinds[1].quality.samples, t->totals.lost);
	if (log_level >= LOG_NORMAL && (t->totals.calls || t->totals.lost))
		call_totals_write(&t->totals, stderr);
	return err || (!t->totals.calls && !t->run.command) ? STATUS_FAILED : STATUS_OK;
}
