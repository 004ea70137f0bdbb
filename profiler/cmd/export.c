/* SPDX-License-Identifier: BSD-2-Clause */
/* export: a recording in another format. */
#include <string.h>
#include <unistd.h>

#include "output/writer.h"
#include "profiler/cmd/cmd.h"

struct request {
	const char *format, *output;
	bool annotate;
	const struct writer *writer;
};

static int find_writer(struct request *rq)
{
	if (rq->format)
		rq->writer = writer_find(rq->format);
	else if (rq->output)
		rq->writer = writer_for_path(rq->output);
	if (!rq->writer && rq->format)
		return usage_error("export", "there is no format '%s'", rq->format);
	if (!rq->writer)
		return usage_error("export", "in which format? -f NAME");
	if (rq->annotate && rq->writer != &folded_writer)
		return usage_error("export", "--annotate goes with -f folded only");
	if (rq->annotate)
		rq->writer = &folded_annotated_writer;
	if (rq->writer->binary && (!rq->output || !strcmp(rq->output, "-")) &&
	    isatty(STDOUT_FILENO))
		return usage_error(
			"export",
			"%s is binary and stdout is a terminal: -o FILE, or a pipe",
			rq->writer->name);
	return STATUS_OK;
}

int cmd_export(int argc, char **argv)
{
	struct view v = { 0 };
	struct request rq = { 0 };
	const struct opt opts[] = {
		{ 'f', "format", "NAME", "see below (by the ending of -o)",
		  .str = &rq.format },
		{ 'o', "output", "FILE", "where to (stdout)", .str = &rq.output },
		{ 0, "annotate", NULL, "folded: _[i] on inlined frames",
		  .flag = &rq.annotate },
		VIEW_OPTIONS(&v),
		COMMON_OPTIONS,
		{ 0 },
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv)) {
		help_verb("export", opts);
		puts("\nFormats:");
		for (const struct writer *const *w = writers; *w; w++)
			printf("  %-28s %s\n", (*w)->name, (*w)->help);
		return STATUS_OK;
	}
	if (!opt_parse(opts, &argc, &argv, true))
		status = find_writer(&rq);
	if (!status)
		status = view_open(&v, "export", argc, argv);
	if (!status)
		status = write_tree(v.tree, rq.writer, rq.output ? rq.output : "-");
	view_close(&v);
	return status;
}
