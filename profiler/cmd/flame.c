/* SPDX-License-Identifier: BSD-2-Clause */
/* flame: writes the flame graph page beside the recording. */
#include <stdio.h>
#include <stdlib.h>

#include "output/writer.h"
#include "profiler/cmd/cmd.h"

int cmd_flame(int argc, char **argv)
{
	struct input in = { 0 };
	char *path = NULL;
	const struct opt opts[] = { VIEW_OPTIONS(&in.view, "start"), COMMON_OPTIONS };
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("flame", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = input_open(&in, "flame", argc, argv);
	if (!status) {
		path = path_beside(argv[0], html_writer.ending);
		status = input_write(&in, &html_writer, &(struct writer_options){ 0 },
				     path);
	}
	if (!status)
		puts(path);
	free(path);
	input_close(&in);
	return status;
}
