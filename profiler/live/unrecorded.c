/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/unrecorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"

enum { NAMES_MAX = 256 };

struct unrecorded_row {
	char comm[16];
	const char *why; /* as of unrecorded_add() */
	uint64_t samples;
};

void unrecorded_add(struct unrecorded *l, const char *comm, const char *why,
		    uint64_t samples)
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
		struct unrecorded_row *row = table_add(l->rows, l->n, l->cap);

		if (i == NAMES_MAX - 1)
			comm = "others";
		else
			row->why = why;
		snprintf(row->comm, sizeof(row->comm), "%s", comm);
	}
	l->rows[i].samples += samples;
}

uint64_t unrecorded_names(const struct unrecorded *l, struct strtab *strs, uint32_t *names)
{
	struct buf b = { 0 };
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct unrecorded_row *row = &l->rows[i];

		sum += row->samples;
		buf_printf(&b, "%s%s %lu", i ? ", " : "",
			   *row->comm ? row->comm : "(ended before that was known)",
			   (unsigned long)row->samples);
		if (row->why)
			buf_printf(&b, " (%s)", row->why);
	}
	*names = strtab_add(strs, buf_text(&b));
	buf_release(&b);
	return sum;
}

void unrecorded_release(struct unrecorded *l)
{
	free(l->rows);
	*l = (struct unrecorded){ 0 };
}
