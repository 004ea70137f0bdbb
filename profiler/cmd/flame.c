/* SPDX-License-Identifier: BSD-2-Clause */
/* flame: writes the flame graph page beside the recording. */
#include <string.h>

#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/cmd/cmd.h"

/* "x.gsr" becomes "x.html", and so does "x". */
static void page_path(struct buf *b, const char *recording)
{
	size_t n = strlen(recording);

	if (n > 4 && !strcmp(recording + n - 4, ".gsr"))
		n -= 4;
	buf_add(b, recording, n);
	buf_add(b, ".html", sizeof(".html"));
}

int cmd_flame(int argc, char **argv)
{
	struct input in = { 0 };
	struct buf path = { 0 };
	const struct opt opts[] = { VIEW_OPTIONS(&in.view), COMMON_OPTIONS, { 0 } };
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("flame", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = input_open(&in, "flame", argc, argv);
	if (!status) {
		page_path(&path, argv[0]);
		status = input_write(&in, &html_writer, &(struct writer_options){ 0 },
				     (const char *)path.data);
	}
	if (!status)
		puts((const char *)path.data);
	buf_release(&path);
	input_close(&in);
	return status;
}
