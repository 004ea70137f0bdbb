/* SPDX-License-Identifier: BSD-2-Clause */
/* report: what a recording says, as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/losses.h"
#include "output/table.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/cmd/cmd.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/tree.h"

enum { MAX_GOROUTINES = 50, MAX_PARENTS = 8 };

/* Fits the tables to the terminal. Elsewhere no name is cut, and there are as many rows as
 * on the terminal of stderr, or on one of 30 lines. lines: how many others follow. */
static void report_fit(struct table_options *o, uint32_t lines)
{
	struct winsize size = { 0 };
	bool terminal = isatty(STDOUT_FILENO);

	o->color = color_wanted(stdout);
	ioctl(terminal ? STDOUT_FILENO : STDERR_FILENO, TIOCGWINSZ, &size);
	o->width = !terminal ? 0 : size.ws_col ? size.ws_col : 80;
	o->rows = size.ws_row ? size.ws_row : 30;
	o->rows = o->rows > lines ? o->rows - lines : 1;
}

const char *memory_parse(const char *arg, void *bytes)
{
	return size_parse(arg, bytes) ? "use a size such as 500M or 2G" : NULL;
}

const char *report_rows(const char *arg, void *options)
{
	struct report_options *o = options;
	uint64_t n;

	if (number_parse(arg, 0, UINT32_MAX, &n))
		return "not a number of rows";
	o->table.limit = n ? (uint32_t)n : UINT32_MAX;
	return NULL;
}

const char *report_sort(const char *arg, void *options)
{
	struct report_options *o = options;

	o->table.by_cum = !strcmp(arg, "cum");
	return o->table.by_cum || !strcmp(arg, "flat") ? NULL : "use flat or cum";
}

const char *report_min_share(const char *arg, void *options)
{
	struct report_options *o = options;
	char *end;

	o->min_share = arg;
	o->table.min_share = strtod(arg, &end);
	if (end == arg || (*end && strcmp(end, "%")) || !(o->table.min_share >= 0) ||
	    o->table.min_share > 100)
		return "use a percentage, 0 to 100";
	return NULL;
}

static const char *leaf_name(const struct profile *p, uint32_t call)
{
	const struct frame *f = &p->frames[p->calls[call].frame];

	while (f->kind == FRAME_KERNEL) {
		call = p->calls[call].parent;
		f = &p->frames[p->calls[call].frame];
	}
	return f->func ? profile_string(p, f->func) : "[unknown]";
}

/* Adds a line for each reason why stacks of the recording are not complete. */
static void ends_add(const struct profile *p, struct buf *to)
{
	uint64_t counts[END_MAX] = { 0 };
	uint32_t calls[END_MAX];

	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];
		if (!(e->flags & EVENT_ROOTED) && !counts[e->end]++)
			calls[e->end] = e->call;
	}
	for (int i = 0; i < END_MAX; i++) {
		if (!counts[i])
			continue;
		text_count_of(to, counts[i], "stack");
		buf_printf(to, " end%s %s, e.g. in ", counts[i] == 1 ? "s" : "",
			   stack_end_texts[i]);
		text_fit(to, leaf_name(p, calls[i]), UINT32_MAX);
		buf_u8(to, '\n');
	}
}

/* A row of the goroutine; 0: none. */
static uint32_t row_of(const struct profile *p, uint32_t process, uint64_t goid)
{
	for (uint32_t i = 1; i < p->n_goroutines; i++)
		if (p->goroutines[i].goid == goid && p->goroutines[i].process == process)
			return i;
	return 0;
}

/* The groups of one goroutine with the most samples, sorted. Returns their number. */
static uint32_t most_sampled(const struct tree *t, const struct group *most[MAX_GOROUTINES])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_groups; i++) {
		const struct group *g = &t->groups[i];
		uint64_t samples = t->nodes[g->node].samples;
		uint32_t at = n;

		if (!g->goid)
			continue;
		while (at && t->nodes[most[at - 1]->node].samples < samples)
			at--;
		if (at == MAX_GOROUTINES)
			continue;
		n += n < MAX_GOROUTINES;
		memmove(most + at + 1, most + at, (n - at - 1) * sizeof(*most));
		most[at] = g;
	}
	return n;
}

/* Adds a line for each of the most sampled goroutines: when it was seen, who created it and
 * where, and what started its function. */
static void goroutines_add(const struct view *v, struct buf *to)
{
	struct view by_goroutine = *v;
	const struct profile *p = v->profile;
	const struct group *most[MAX_GOROUTINES];
	uint32_t n_most, row;
	struct tree *t;

	by_goroutine.by = (struct grouping){ .keys = { BY_GOROUTINE }, .n = 1 };
	t = tree_build_groups(&by_goroutine, (struct tree_visitor){ 0 });
	if (!t)
		return;
	n_most = most_sampled(t, most);
	for (uint32_t i = 0; i < n_most; i++) {
		const struct group *g = most[i];
		uint64_t parent = g->parent_goid;

		text_fit(to, t->nodes[g->node].name, UINT32_MAX);
		buf_printf(to, ": seen %.1f–%.1fs%s%s", (double)g->first_ns / 1e9,
			   (double)g->last_ns / 1e9,
			   start_is_system(g->start) ? " · system" : "",
			   g->locked ? " · locked to its thread" : "");
		if (parent || *g->creator)
			buf_str(to, " · created");
		for (int n = 0; n < MAX_PARENTS && parent; n++) {
			buf_printf(to, n ? " ‹ %" PRIu64 : " by goroutine %" PRIu64,
				   parent);
			parent = p->goroutines[row_of(p, g->process, parent)].parent_goid;
		}
		if (*g->creator)
			buf_str(to, " in ");
		text_fit(to, g->creator, UINT32_MAX);
		row = row_of(p, g->process, g->goid);
		if (view_runs(v, row) != p->goroutines[row].start) {
			buf_str(to, " · started by ");
			text_fit(to, profile_string(p, p->goroutines[row].start),
				 UINT32_MAX);
		}
		buf_u8(to, '\n');
	}
	tree_free(t);
}

static uint32_t count_lines(const struct buf *b)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

static int report_text(struct input *in, struct table_options o)
{
	struct view *v = &in->view;
	const struct profile *p = v->profile;
	struct buf b = { 0 };
	int err;

	losses_add(p, &b);
	if (log_level == LOG_VERBOSE) {
		ends_add(p, &b);
		goroutines_add(v, &b);
	}
	report_fit(&o, count_lines(&b) + !p->complete);
	err = table_write(v, &o, stdout);
	if (err == -E2BIG)
		input_too_big(in);
	else if (err)
		log_error("%s: no selected sample has a function '%s'", in->path,
			  o.callers);
	else
		quality_line(p, v->kind, o.width, stdout);
	if (!err)
		buf_write(&b, stdout);
	buf_release(&b);
	return err ? STATUS_FAILED : STATUS_OK;
}

int report_print(struct input *in, const struct report_options *o)
{
	struct table_options table = o->table;

	if (o->json)
		return table_write_json(&in->view, stdout) ? input_too_big(in) : STATUS_OK;
	if (!o->min_share && (table.tree || table.callers))
		table.min_share = 1;
	return report_text(in, table);
}

int cmd_report(int argc, char **argv)
{
	struct input in = { 0 };
	struct report_options o = { 0 };
	const struct opt opts[] = {
		VIEW_OPTIONS(&in.view, "start"),
		REPORT_OPTIONS(&o, &in.view),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("report", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = input_open(&in, "report", argc, argv);
	if (!status)
		status = report_print(&in, &o);
	input_close(&in);
	return status;
}
