/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/losses.h"

#include <string.h>

#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"
#include "profiler/profile/profile.h"

void losses_add(const struct profile *p, struct buf *to)
{
	const struct stats *t = &p->stats;
	const char *event = profile_noun(p, profile_find_kind(p, NULL));
	/* calls are of one process */
	const char *table_full = strcmp(event, "call")
					 ? "lost: the table of processes was full"
					 : "lost: the table of counts was full";
	const struct {
		uint64_t n;
		const char *noun, *what, *names;
	} rows[] = {
		{ t->lost_ring_full, event, "lost: the ring buffer was full", NULL },
		{ t->lost_table_full, event, table_full, NULL },
		{ t->stack_faults, "stack", "cut short where memory could not be read",
		  NULL },
		{ t->g_faults, "sample",
		  "without a goroutine that could be read or trusted", NULL },
		{ t->labels_cut, "sample",
		  "with missing or truncated labels (over 4 KiB, or unreadable)", NULL },
		{ t->not_go_samples, "sample",
		  "left out, from programs that are unsupported or not Go: ",
		  profile_string(p, p->not_go_names) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!rows[i].n)
			continue;
		text_count_of(to, rows[i].n, rows[i].noun);
		buf_printf(to, " %s", rows[i].what);
		if (rows[i].names)
			plain_add(to, rows[i].names);
		buf_u8(to, '\n');
	}
}
