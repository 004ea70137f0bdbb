/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/page_events.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

uint64_t page_cell_ns(const struct view *v)
{
	uint64_t ms = 1000000;

	return v->n_events <= 200000 ? ms : v->n_events <= 2000000 ? 10 * ms : 100 * ms;
}

static int order(const void *a, const void *b)
{
	const struct page_event *x = a, *y = b;

	return ascending(x->time, y->time) ?: ascending(x->goroutine, y->goroutine) ?: ascending(x->stack, y->stack) ?: ascending(x->thread, y->thread) ?: (int)x->class - (int)y->class;
}

/* Equal rows become one. */
static void merge(struct page_events *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->n; i++) {
		if (n && !order(&e->rows[n - 1], &e->rows[i])) {
			e->rows[n - 1].count++;
			e->rows[n - 1].extra += e->rows[i].extra;
		} else {
			e->rows[n++] = e->rows[i];
		}
	}
	e->n = n;
}

void page_events_init(struct page_events *e, const struct view *v, struct stacks *stacks)
{
	const struct profile *p = v->profile;
	uint64_t cell = page_cell_ns(v), period = p->kinds[v->kind].period;

	e->goroutines = used_new(p->n_goroutines);
	e->threads = used_new(p->n_threads);
	e->processes = used_new(p->n_processes);
	used_place(&e->goroutines, 0);
	e->rows = mem_zalloc(v->n_events * sizeof(*e->rows));
	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct event *from = &p->events[v->events[i]];
		uint64_t time = from->time_ns / cell;

		e->rows[i] = (struct page_event){
			.time = time < UINT32_MAX ? (uint32_t)time : UINT32_MAX,
			.stack = stacks_add(stacks, from),
			.goroutine = used_place(&e->goroutines, from->goroutine),
			.thread = used_place(&e->threads, from->thread),
			.class = from->class,
			.count = 1,
			.extra = (int64_t)(from->weight - period),
		};
		used_place(&e->processes, p->threads[from->thread].process);
	}
	e->n = v->n_events;
	qsort(e->rows, e->n, sizeof(*e->rows), order);
	merge(e);
}

void page_events_release(struct page_events *e)
{
	used_release(&e->goroutines);
	used_release(&e->threads);
	used_release(&e->processes);
	free(e->rows);
}
