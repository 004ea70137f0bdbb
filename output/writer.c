/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/writer.h"

#include <string.h>

const struct writer *const writers[] = { &folded_writer, &html_writer, &json_writer, NULL };

const struct writer *writer_find(const char *name)
{
	for (const struct writer *const *w = writers; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}

const struct writer *writer_for_path(const char *path)
{
	size_t len = strlen(path);

	for (const struct writer *const *w = writers; *w; w++) {
		size_t n = strlen((*w)->ending);

		if (len > n && !strcmp(path + len - n, (*w)->ending))
			return *w;
	}
	return NULL;
}
