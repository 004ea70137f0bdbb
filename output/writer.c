/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/writer.h"

#include <string.h>

#include "profiler/base/buf.h"

/* clang-format off */
const struct writer *const writers[] = {
	&folded_writer,
	&firefox_writer,
	&html_writer,
	&json_writer,
	&perf_script_writer,
	&perfetto_writer,
	&pprof_writer,
	&speedscope_writer,
	&svg_writer,
	NULL,
};
/* clang-format on */

const struct writer *writer_find(const char *name)
{
	for (const struct writer *const *w = writers; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}

const struct writer *writer_for_path(const char *path)
{
	size_t len = strlen(path), longest = 0;
	const struct writer *ret = NULL;

	for (const struct writer *const *w = writers; *w; w++) {
		size_t n = (*w)->ending ? strlen((*w)->ending) : 0;

		if (n > longest && len > n && !strcmp(path + len - n, (*w)->ending)) {
			ret = *w;
			longest = n;
		}
	}
	return ret;
}

static void add_to_list(struct buf *to, const char *word, bool first, bool last)
{
	buf_str(to, first ? "" : last ? " or " : ", ");
	buf_str(to, word);
}

void writer_names(struct buf *to)
{
	for (const struct writer *const *w = writers; *w; w++)
		add_to_list(to, (*w)->name, w == writers, !w[1]);
}

void writer_endings(struct buf *to)
{
	const struct writer *const *last = writers;

	for (const struct writer *const *w = writers; *w; w++)
		last = (*w)->ending ? w : last;
	for (const struct writer *const *w = writers; *w; w++)
		if ((*w)->ending)
			add_to_list(to, (*w)->ending, w == writers, w == last);
}
