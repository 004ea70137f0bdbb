/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of columns that the writer and the reader of recordings share. They also say
 * what the reader accepts. recording.h describes the format.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct profile;

#define MAGIC       "gostrobe"
#define MAJOR       3
#define MINOR       3
#define BLOCK_CHECK 0x6b636f6cu
#define MAX_RAW     ((size_t)128 << 20)

/* In files: never renumber. */
enum { BLOCK_HEADER = 1, BLOCK_ROWS = 2, BLOCK_END = 3 };
enum { BLOCK_HEAD_LEN = 16 };

enum coding { PLAIN, DELTA, BACK };

/* Which of the numbers that fit into a field are accepted. */
enum accept {
	ANY,
	ID,    /* below the rows of table `of`; others are refused */
	ENUM,  /* below `of`; others become `unknown` */
	FLAGS, /* below `of`, a power of two; other bits are dropped */
};

struct column {
	uint16_t offset; /* of the field in the row */
	uint8_t size;    /* of the field: 1, 2, 4, 8 */
	uint8_t coding;
	uint8_t accept;
	uint8_t of, unknown;
	uint8_t since; /* minor version */
};

/* Tables, in the order of the parts of a ROWS block: never reorder, add after the last. */
enum {
	STRINGS,
	MODULES,
	FRAMES,
	CALLS,
	PROCESSES,
	THREADS,
	GOROUTINES,
	KINDS,
	EVENTS,
	TABLES
};

struct table {
	size_t rows, n, cap; /* offsets in struct profile */
	size_t row_size;
	const struct column *columns;
	uint32_t n_columns, first; /* first: the first row that is written */
};

extern const struct table tables[TABLES];
extern const struct column header_columns[], end_columns[];
extern const uint32_t n_header_columns, n_end_columns;

uint32_t table_count(const struct profile *p, int table);
char *table_rows(const struct profile *p, int table);
