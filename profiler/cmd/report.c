/* SPDX-License-Identifier: BSD-2-Clause */
/* report: what a recording says, as text. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/table.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"
#include "profiler/profile.h"

struct table_options report_fit(uint32_t lines)
{
	struct table_options o = { .color = color_wanted(stdout) };
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO))
		return o;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	o.width = size.ws_col ? size.ws_col : 80;
	o.rows = size.ws_row ? size.ws_row : 24;
	o.rows = o.rows > lines ? o.rows - lines : 1;
	return o;
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

/* A line for each reason why stacks of the recording are not rooted. How many; out NULL: prints none. */
static uint32_t ends_print(const struct profile *p, FILE *out)
{
	static const char *const why[END_MAX] = {
		[END_OTHER] = "just end",
		[END_MOVING] = "were being moved to a larger stack",
		[END_DEEP] = "have more frames than are recorded",
		[END_FAULT] = "could not be read further",
		[END_NATIVE] = "end in C without unwind tables, or where it calls Go",
		[END_BROKEN] = "end where a frame pointer or a return address is none",
	};
	uint64_t counts[END_MAX] = { 0 };
	uint32_t calls[END_MAX], lines = 0;
	struct buf b = { 0 };

	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];
		uint8_t end = e->flags / EVENT_END;

		if (e->flags & EVENT_ROOTED)
			continue;
		end = end < END_MAX ? end : END_OTHER;
		if (!counts[end]++)
			calls[end] = e->call;
	}
	for (int i = 0; i < END_MAX; i++) {
		if (!counts[i])
			continue;
		lines++;
		text_count(&b, counts[i]);
		buf_printf(&b, " stacks %s, such as one of ", why[i]);
		text_fit(&b, leaf_name(p, calls[i]), UINT32_MAX);
		buf_u8(&b, '\n');
	}
	if (out && lines)
		fwrite(b.data, 1, b.len, out);
	buf_release(&b);
	return lines;
}

static void report_text(const struct view *v)
{
	uint32_t lines = losses_print(v->profile, NULL) + !v->profile->complete +
			 (log_level == LOG_VERBOSE ? ends_print(v->profile, NULL) : 0);
	struct table_options o = report_fit(lines);

	table_write(v->tree, &o, stdout);
	truth_line(&v->tree->truth, o.width, stdout);
	losses_print(v->profile, stdout);
	if (log_level == LOG_VERBOSE)
		ends_print(v->profile, stdout);
}

int cmd_report(int argc, char **argv)
{
	struct view v = { 0 };
	bool json = false;
	const struct opt opts[] = {
		VIEW_OPTIONS(&v),
		{ 0, "json", NULL, "one JSON object", .flag = &json },
		COMMON_OPTIONS,
		{ 0 },
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("report", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = view_open(&v, "report", argc, argv);
	if (!status && json)
		table_write_json(v.tree, stdout);
	else if (!status)
		report_text(&v);
	view_close(&v);
	return status;
}
