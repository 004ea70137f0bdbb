/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/columns.h"

#include <stddef.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/profile/profile.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

#define FIELD(type, field) \
	offsetof(struct type, field), sizeof(((struct type *)NULL)->field)
#define STRING(type, field) \
	{ \
		FIELD(type, field), DELTA, ID, STRINGS \
	}

const struct column header_columns[] = {
	{ FIELD(profile, start_ns), PLAIN, ANY, 0 },
	{ FIELD(profile, period_ns), PLAIN, ANY, 0 },
	STRING(profile, unit),
	STRING(profile, event_name),
	{ FIELD(profile, freq), PLAIN, ANY, 0 },
	STRING(profile, command),
};
const struct column end_columns[] = {
	{ FIELD(profile, truth.lost_ring_full), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.lost_table_full), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.stack_faults), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.g_faults), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.labels_cut), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.not_go_samples), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.cpu_ns), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.peak_rss), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.duration_ns), PLAIN, ANY, 0 },
	STRING(profile, not_go_names),
};
static const struct column module_columns[] = {
	STRING(module, path),
	STRING(module, build_id),
	{ FIELD(module, go_minor), PLAIN, ANY, 0 },
};
static const struct column frame_columns[] = {
	{ FIELD(frame, addr), DELTA, ANY, 0 },
	STRING(frame, func),
	STRING(frame, file),
	{ FIELD(frame, module), DELTA, ID, MODULES },
	{ FIELD(frame, line), DELTA, ANY, 0 },
	{ FIELD(frame, start_line), DELTA, ANY, 0 },
	{ FIELD(frame, kind), PLAIN, FRAME_KIND_MAX, 0 },
	{ FIELD(frame, inlined), PLAIN, 2, 0 },
};
static const struct column call_columns[] = {
	{ FIELD(call, parent), BACK, ID, CALLS },
	{ FIELD(call, frame), DELTA, ID, FRAMES },
};
static const struct column process_columns[] = {
	{ FIELD(process, tgid), DELTA, ANY, 0 },
	STRING(process, name),
	STRING(process, path),
	STRING(process, go_version),
};
static const struct column thread_columns[] = {
	{ FIELD(thread, process), DELTA, ID, PROCESSES },
	{ FIELD(thread, tid), DELTA, ANY, 0 },
	STRING(thread, name),
};
static const struct column goroutine_columns[] = {
	{ FIELD(goroutine, goid), DELTA, ANY, 0 },
	{ FIELD(goroutine, parent_goid), DELTA, ANY, 0 },
	{ FIELD(goroutine, process), DELTA, ID, PROCESSES },
	STRING(goroutine, start),
	STRING(goroutine, creator),
	STRING(goroutine, labels),
};
static const struct column event_columns[] = {
	{ FIELD(event, time_ns), DELTA, ANY, 0 },
	{ FIELD(event, weight), DELTA, ANY, 0 },
	{ FIELD(event, call), PLAIN, ID, CALLS },
	{ FIELD(event, goroutine), PLAIN, ID, GOROUTINES },
	{ FIELD(event, thread), PLAIN, ID, THREADS },
	{ FIELD(event, class), PLAIN, CLASS_MAX, 0 },
	{ FIELD(event, flags), PLAIN, EVENT_FLAGS, 0 },
};

#define TABLE(rows, row, columns, first) \
	{ \
		offsetof(struct profile, rows), offsetof(struct profile, n_##rows), \
			offsetof(struct profile, cap_##rows), sizeof(struct row), columns, \
			ARRAY_LEN(columns), first \
	}

const struct table tables[TABLES] = {
	[STRINGS] = { .first = 1 }, /* in the strtab */
	[MODULES] = TABLE(modules, module, module_columns, 1),
	[FRAMES] = TABLE(frames, frame, frame_columns, 1),
	[CALLS] = TABLE(calls, call, call_columns, 1),
	[PROCESSES] = TABLE(processes, process, process_columns, 1),
	[THREADS] = TABLE(threads, thread, thread_columns, 1),
	[GOROUTINES] = TABLE(goroutines, goroutine, goroutine_columns, 1),
	[EVENTS] = TABLE(events, event, event_columns, 0),
};

const uint32_t n_header_columns = ARRAY_LEN(header_columns);
const uint32_t n_end_columns = ARRAY_LEN(end_columns);

uint32_t table_count(const struct profile *p, int table)
{
	uint32_t n;

	if (table == STRINGS)
		return strtab_count(p->strings);
	memcpy(&n, (const char *)p + tables[table].n, sizeof(n));
	return n;
}

char *table_rows(const struct profile *p, int table)
{
	char *rows;

	memcpy(&rows, (const char *)p + tables[table].rows, sizeof(rows));
	return rows;
}
