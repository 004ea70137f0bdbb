/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/columns.h"

#include <stddef.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/profile/profile.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

#define FIELD(type, field) \
	offsetof(struct type, field), sizeof(((struct type *)NULL)->field)
#define NUMBER(type, field, coding) \
	{ \
		FIELD(type, field), coding, ANY, 0, 0, 0 \
	}
#define ROW(type, field, coding, table) \
	{ \
		FIELD(type, field), coding, ID, table, 0, 0 \
	}
#define KNOWN(type, field, below, unknown) \
	{ \
		FIELD(type, field), PLAIN, ENUM, below, unknown, 0 \
	}
#define STRING(type, field) ROW(type, field, DELTA, STRINGS)

/* In files: never reorder; add a new column after the last, with a new minor version. */
const struct column header_columns[] = {
	NUMBER(profile, start_ns, PLAIN),
	STRING(profile, command),
	{ FIELD(profile, n_cpus), PLAIN, ANY, 0, 0, 1 },
};
const struct column end_columns[] = {
	NUMBER(profile, stats.lost_ring_full, PLAIN),
	NUMBER(profile, stats.lost_table_full, PLAIN),
	NUMBER(profile, stats.stack_faults, PLAIN),
	NUMBER(profile, stats.g_faults, PLAIN),
	NUMBER(profile, stats.labels_cut, PLAIN),
	NUMBER(profile, stats.not_go_samples, PLAIN),
	NUMBER(profile, stats.cpu_ns, PLAIN),
	NUMBER(profile, stats.peak_rss, PLAIN),
	NUMBER(profile, stats.duration_ns, PLAIN),
	STRING(profile, not_go_names),
};
static const struct column module_columns[] = {
	STRING(module, path),
	STRING(module, build_id),
	NUMBER(module, go_minor, PLAIN),
	{ FIELD(module, go_module), DELTA, ID, STRINGS, 0, 1 },
	{ FIELD(module, text.start), PLAIN, ANY, 0, 0, 2 },
	{ FIELD(module, text.limit), PLAIN, ANY, 0, 0, 2 },
	{ FIELD(module, text.offset), PLAIN, ANY, 0, 0, 2 },
};
static const struct column frame_columns[] = {
	NUMBER(frame, addr, DELTA),
	STRING(frame, func),
	STRING(frame, file),
	ROW(frame, module, DELTA, MODULES),
	NUMBER(frame, line, DELTA),
	NUMBER(frame, start_line, DELTA),
	KNOWN(frame, kind, FRAME_KIND_MAX, FRAME_UNNAMED),
	KNOWN(frame, inlined, 2, true),
};
static const struct column call_columns[] = {
	ROW(call, parent, BACK, CALLS),
	ROW(call, frame, DELTA, FRAMES),
};
static const struct column process_columns[] = {
	NUMBER(process, tgid, DELTA),
	STRING(process, name),
	STRING(process, path),
	STRING(process, go_version),
	{ FIELD(process, resource), DELTA, ID, STRINGS, 0, 3 },
};
static const struct column thread_columns[] = {
	ROW(thread, process, DELTA, PROCESSES),
	NUMBER(thread, tid, DELTA),
	STRING(thread, name),
};
static const struct column goroutine_columns[] = {
	NUMBER(goroutine, goid, DELTA),
	NUMBER(goroutine, parent_goid, DELTA),
	ROW(goroutine, process, DELTA, PROCESSES),
	STRING(goroutine, start),
	STRING(goroutine, creator),
	STRING(goroutine, labels),
};
static const struct column kind_columns[] = {
	STRING(event_kind, name),          STRING(event_kind, unit),
	STRING(event_kind, source),        NUMBER(event_kind, freq, PLAIN),
	NUMBER(event_kind, period, PLAIN),
};
static const struct column event_columns[] = {
	NUMBER(event, time_ns, DELTA),
	ROW(event, kind, PLAIN, KINDS),
	NUMBER(event, weight, DELTA),
	ROW(event, call, PLAIN, CALLS),
	ROW(event, goroutine, PLAIN, GOROUTINES),
	ROW(event, thread, PLAIN, THREADS),
	KNOWN(event, class, CLASS_MAX, CLASS_UNKNOWN),
	{ FIELD(event, flags), PLAIN, FLAGS, EVENT_FLAGS, 0, 0 },
	KNOWN(event, end, END_MAX, END_OTHER),
	{ FIELD(event, cpu), PLAIN, ANY, 0, 0, 2 },
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
	[KINDS] = TABLE(kinds, event_kind, kind_columns, 1),
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
