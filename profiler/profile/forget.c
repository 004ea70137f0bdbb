/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine on which programs come and go adds rows for ever. Their ids are indexes, so the
 * tables keep their length, but the kernel takes back pages whose rows nobody will ask for.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "profiler/base/arena.h"
#include "profiler/profile/profile.h"

enum {
	PAGE = 4096,
	PAGES_AT_ONCE = 64,
	INDEXED_LEAST = 4096, /* a smaller index is not worth cleaning */
};

#define OWN_ID SIZE_MAX

/* A table of rows that belong to a process. */
struct table {
	char *rows;
	size_t row_size;
	size_t process; /* offset of the process's id; OWN_ID: that is the row's */
	uint32_t n;
};

void profile_process_ended(struct profile *p, uint32_t process)
{
	while (p->n_ended <= process)
		(void)table_add(p->ended, p->n_ended, p->cap_ended);
	p->ended[process] = true;
}

/* 0: none, or the row has been forgotten already. */
static bool gone(const struct profile *p, uint32_t process)
{
	return !process || (process < p->n_ended && p->ended[process]);
}

static uint32_t process_of(const struct table *t, uint32_t id)
{
	if (t->process == OWN_ID)
		return id;
	return *(const uint32_t *)(t->rows + id * t->row_size + t->process);
}

/* Row 0 stays, and so does the first page. False: beyond the last full page. */
static bool forget_page(const struct profile *p, const struct table *t, uint32_t page)
{
	uintptr_t base = (uintptr_t)t->rows,
		  at = (base + PAGE) / PAGE * PAGE + (uintptr_t)page * PAGE;
	size_t first = (at - base) / t->row_size,
	       end = (at + PAGE - base) / t->row_size + 1;
	bool any = false;

	if (end > t->n)
		return false;
	for (size_t id = first; id < end; id++) {
		uint32_t process = process_of(t, (uint32_t)id);

		if (!gone(p, process))
			return true;
		any |= process != 0;
	}
	if (any)
		madvise((void *)at, PAGE, MADV_DONTNEED);
	return true;
}

static void forget_rows(const struct profile *p, const struct table *t, uint32_t *next)
{
	for (int i = 0; i < PAGES_AT_ONCE; i++)
		if (forget_page(p, t, *next))
			++*next;
		else
			*next = 0;
}

static bool keep_goroutine(const void *arg, uint32_t id)
{
	const struct profile *p = arg;

	return !gone(p, p->goroutines[id].process);
}

static bool keep_thread(const void *arg, uint32_t id)
{
	const struct profile *p = arg;

	return !gone(p, p->threads[id].process);
}

static void clean(const struct profile *p, struct index *ix, uint32_t *before,
		  bool (*keep)(const void *arg, uint32_t id))
{
	if (ix->n < 2 * *before + INDEXED_LEAST)
		return;
	index_keep(ix, keep, p);
	*before = ix->n;
}

void profile_forget(struct profile *p)
{
	const struct table tables[] = {
		{ (char *)p->processes, sizeof(*p->processes), OWN_ID, p->n_processes },
		{ (char *)p->threads, sizeof(*p->threads), offsetof(struct thread, process),
		  p->n_threads },
		{ (char *)p->goroutines, sizeof(*p->goroutines),
		  offsetof(struct goroutine, process), p->n_goroutines },
	};

	if (!p->n_ended)
		return;
	/* while all rows are there */
	clean(p, &p->goroutine_index, &p->goroutines_indexed, keep_goroutine);
	clean(p, &p->thread_index, &p->threads_indexed, keep_thread);
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		forget_rows(p, &tables[t], &p->pages[t]);
}
