/* SPDX-License-Identifier: BSD-2-Clause */
/* report: what a recording says, as text. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/table.h"
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

static void report_text(const struct view *v)
{
	uint32_t lines = losses_print(v->profile, NULL) + !v->profile->complete;
	struct table_options o = report_fit(lines);

	table_write(v->tree, &o, stdout);
	truth_line(&v->tree->truth, o.width, stdout);
	losses_print(v->profile, stdout);
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
