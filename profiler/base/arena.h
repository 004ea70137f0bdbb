/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory. An arena belongs to one object, such as a string table, and is released with it,
 * as a whole. Rows that are only appended live in tables that double in size. Running out
 * of memory ends the program, so no function returns -ENOMEM: check every size that comes
 * from outside against a limit before allocating.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called before the program ends because it is out of memory; NULL: nothing is. */
extern void (*mem_last)(void);

/* Bump allocator: pointers stay valid until arena_release(). { 0 } is empty. */
struct arena {
	struct arena_chunk *chunks;
	size_t used, cap; /* bytes of the newest chunk */
};

/* Returns n zeroed bytes aligned to 16, never NULL. */
void *arena_alloc(struct arena *a, size_t n);
/* Copies n bytes and adds a NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void arena_release(struct arena *a);

/* calloc(), reallocarray() and strdup() that cannot fail. The caller owns the result and
 * frees it. */
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n, size_t size);
char *mem_strdup(const char *s);

/* Appends a row to a table of any type: table_add(rows, n, cap) returns a pointer to the
 * new row, zeroed. Rows move when the table grows. The caller frees rows. */
#define table_add(rows, n, cap) \
	((rows) = table_room((rows), sizeof(*(rows)), (n), &(cap)), &(rows)[(n)++])

void *table_room(void *rows, size_t size, uint32_t n, uint32_t *cap);

/* qsort() of a table, which may be empty. */
#define table_sort(rows, n, by) ((n) ? qsort(rows, n, sizeof(*(rows)), by) : (void)0)
/* For the functions that sort: below 0, 0 or above, if a comes before b, is equal, or comes
 * after it. */
#define ascending(a, b)  (((a) > (b)) - ((a) < (b)))
#define descending(a, b) ascending(b, a)

/* Binary search in a sorted table: how many of its n rows are before a place. `before` says
 * whether row i is, as in table_until(n, i, rows[i].addr <= addr). */
#define table_until(n, i, before) \
	({ \
		uint32_t first_ = 0, i, end_ = (n); \
		while (first_ < end_) { \
			i = first_ + (end_ - first_) / 2; \
			if (before) \
				first_ = i + 1; \
			else \
				end_ = i; \
		} \
		first_; \
	})
