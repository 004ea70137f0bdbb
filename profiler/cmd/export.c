/* SPDX-License-Identifier: BSD-2-Clause */
/* export: converts a recording to another format. */
#include <string.h>
#include <unistd.h>

#include "output/pprof_labels.h"
#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"

struct request {
	const char *format, *output;
	struct writer_options options;
	bool labels; /* --labels was given */
	const struct writer *writer;
};

static int no_writer(void)
{
	struct buf b = { 0 };
	int status;

	writer_names(&b);
	status = usage_error("export", "choose a format with -f: %s", buf_text(&b));
	buf_release(&b);
	return status;
}

static const char *labels_parse(const char *arg, void *data)
{
	static const char *const words[] = {
		[LABELS_OF_GROUP] = "group",
		[LABELS_OF_ALL] = "all",
		[LABELS_OF_NONE] = "none",
	};
	struct request *rq = data;

	for (uint8_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(arg, words[i])) {
			rq->options.labels = i;
			rq->labels = true;
			return NULL;
		}
	return "it is group, all or none";
}

static int find_writer(struct request *rq, const struct grouping *by)
{
	int status = format_find("export", rq->format, rq->output, &rq->writer);

	if (status)
		return status;
	if (!rq->writer)
		return no_writer();
	if (by->n && rq->writer->groups == GROUPS_NONE)
		log_info("--by has no effect on %s, which has no groups", rq->writer->name);
	if (!grouping_fits(rq->writer, by))
		return usage_error("export", "%s takes --by goroutine or none",
				   rq->writer->name);
	if (rq->options.annotate && !rq->writer->annotates)
		return usage_error("export", "--annotate needs -f folded");
	if (rq->labels && !rq->writer->labels)
		return usage_error("export", "--labels needs -f pprof");
	if (rq->writer->binary && (!rq->output || !strcmp(rq->output, "-")) &&
	    isatty(STDOUT_FILENO))
		return usage_error(
			"export",
			"%s is binary and stdout is a terminal; use -o FILE or a pipe",
			rq->writer->name);
	return STATUS_OK;
}

int cmd_export(int argc, char **argv)
{
	struct input in = { 0 };
	struct request rq = { 0 };
	const struct opt opts[] = {
		{ 'f', "format", "NAME", "output format, see below (by the ending of FILE)",
		  .str = &rq.format },
		{ 'o', "output", "FILE", "output file; - for stdout (-)",
		  .str = &rq.output },
		{ 0, "annotate", NULL, "mark inlined frames with _[i] (folded)",
		  .flag = &rq.options.annotate },
		{ 0, "labels", "WHICH",
		  "labels of samples: group, all or none (pprof; group)",
		  .parse = labels_parse, .data = &rq },
		VIEW_OPTIONS(&in.view, "start; goroutine for folded"),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("export", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = find_writer(&rq, &in.view.by);
	in.writer = rq.writer;
	if (!status)
		status = input_open(&in, "export", argc, argv);
	if (!status)
		status = input_write(&in, rq.writer, &rq.options,
				     rq.output ? rq.output : "-");
	input_close(&in);
	return status;
}
