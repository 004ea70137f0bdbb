/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the writer and the reader of recordings share: the lists of columns, which both follow, so what
 * is written is what is read. The checks of the reader are in the lists as well. The format itself is
 * described in recording.h.
 */
#ifndef PROFILER_COLUMNS_H
#define PROFILER_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

struct profile;

#define MAGIC       "gostrobe"
#define VERSION     2
#define BLOCK_CHECK 0x6b636f6cu
#define MAX_RAW     ((size_t)128 << 20)

enum { BLOCK_HEADER = 1, BLOCK_ROWS, BLOCK_END };
enum { HEAD_LEN = sizeof(MAGIC) - 1 + 4, BLOCK_HEAD_LEN = 16 };

enum coding { PLAIN, DELTA, BACK };

/* What a number must stay below, besides the values 2 and up, which are limits themselves. */
enum limit { ANY, ID };

struct column {
	uint16_t offset; /* of the field in the row */
	uint8_t size;    /* of the field: 1, 4, 8 */
	uint8_t coding;
	uint8_t limit; /* enum limit, or the number itself */
	uint8_t table; /* ID: of which */
};

/* Tables, in the order of a ROWS block after the strings. */
enum { STRINGS, MODULES, FRAMES, CALLS, PROCESSES, THREADS, GOROUTINES, EVENTS, TABLES };

struct table {
	size_t rows, n, cap; /* offsets in struct profile */
	size_t row_size;
	const struct column *columns;
	uint32_t n_columns, first; /* first: row that is written first */
};

extern const struct table tables[TABLES];
extern const struct column header_columns[], end_columns[];
extern const uint32_t n_header_columns, n_end_columns;

uint32_t table_count(const struct profile *p, int table);
char *table_rows(const struct profile *p, int table);

#endif
