/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(16) char bytes[];
};

void (*mem_last)(void);

static void out_of_memory(size_t n)
{
	if (mem_last)
		mem_last();
	fprintf(stderr, "gostrobe: out of memory (%zu bytes more were needed)\n", n);
	_Exit(1);
}

void *mem_zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_realloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		out_of_memory(n * size);
	return p;
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_zalloc(n), s, n);
}

void *table_room(void *rows, size_t size, uint32_t n, uint32_t *cap)
{
	if (n == *cap) {
		if (n > UINT32_MAX / 2)
			out_of_memory((size_t)n * 2 * size);
		*cap = n ? n * 2 : 16;
		rows = mem_realloc(rows, *cap, size);
	}
	memset((char *)rows + (size_t)n * size, 0, size);
	return rows;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p;

	n = (n + 15) & ~(size_t)15;
	if (!a->chunks || a->cap - a->used < n) {
		size_t cap = n > CHUNK_MIN ? n : CHUNK_MIN;
		struct arena_chunk *c = mem_zalloc(sizeof(*c) + cap);

		c->next = a->chunks;
		a->chunks = c;
		a->cap = cap;
		a->used = 0;
	}
	p = a->chunks->bytes + a->used;
	a->used += n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	return memcpy(arena_alloc(a, n + 1), s, n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text, *s;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		out_of_memory(0);
	s = arena_strndup(a, text, (size_t)n);
	free(text);
	return s;
}

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	*a = (struct arena){ 0 };
}
