/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/leftout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"

enum { NAMES_MAX = 256 };

struct leftout_row {
	char comm[16];
	const char *why; /* why it is left out although it is Go; or NULL */
	uint64_t samples;
};

void leftout_add(struct leftout *l, const char *comm, const char *why, uint64_t samples)
{
	uint32_t i;

	if (!samples)
		return;
	for (i = 0; i < l->n; i++)
		if (l->rows[i].why == why && !strcmp(l->rows[i].comm, comm))
			break;
	if (i == NAMES_MAX) /* the last row, "others", counts all further names */
		i--;
	if (i == l->n) {
		struct leftout_row *row = table_add(l->rows, l->n, l->cap);

		if (i == NAMES_MAX - 1)
			comm = "others";
		else
			row->why = why;
		snprintf(row->comm, sizeof(row->comm), "%s", comm);
	}
	l->rows[i].samples += samples;
}

uint64_t leftout_names(const struct leftout *l, struct arena *a, const char **names)
{
	struct buf b = { 0 };
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct leftout_row *row = &l->rows[i];

		sum += row->samples;
		buf_printf(&b, "%s%s %lu", i ? ", " : "",
			   *row->comm ? row->comm : "(ended before that was known)",
			   (unsigned long)row->samples);
		if (row->why)
			buf_printf(&b, " (%s)", row->why);
	}
	*names = arena_strndup(a, b.data ? (char *)b.data : "", b.len);
	buf_release(&b);
	return sum;
}

void leftout_release(struct leftout *l)
{
	free(l->rows);
	*l = (struct leftout){ 0 };
}
