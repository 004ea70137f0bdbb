/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/queue.h"

#include <stdlib.h>

#include "profiler/agent/item.h"
#include "profiler/base/arena.h"

void queue_init(struct queue *q, size_t max_bytes)
{
	*q = (struct queue){ .max_bytes = max_bytes };
	TAILQ_INIT(&q->entries);
}

/* Drops the oldest that nobody has taken. */
static bool make_room(struct queue *q)
{
	struct entry *e;

	TAILQ_FOREACH(e, &q->entries, link)
	{
		if (e->taken)
			continue;
		q->dropped(q->arg, e->item);
		queue_remove(q, e);
		return true;
	}
	return false;
}

void queue_put(struct queue *q, struct item *it)
{
	size_t size = item_size(it);
	struct entry *e;

	while (q->bytes + size > q->max_bytes && size <= q->max_bytes && make_room(q))
		;
	if (q->bytes + size > q->max_bytes) {
		q->dropped(q->arg, it);
		return;
	}
	e = mem_zalloc(sizeof(*e));
	e->item = item_share(it);
	TAILQ_INSERT_TAIL(&q->entries, e, link);
	q->bytes += size;
	q->n++;
}

struct entry *queue_next(struct queue *q, uint64_t now_ns, uint64_t *due)
{
	struct entry *e;

	*due = UINT64_MAX;
	TAILQ_FOREACH(e, &q->entries, link)
	{
		if (e->taken)
			continue;
		if (e->not_before <= now_ns)
			return e;
		if (e->not_before < *due)
			*due = e->not_before;
	}
	return NULL;
}

struct entry *queue_first(struct queue *q)
{
	return TAILQ_FIRST(&q->entries);
}

void queue_remove(struct queue *q, struct entry *e)
{
	TAILQ_REMOVE(&q->entries, e, link);
	q->bytes -= item_size(e->item);
	q->n--;
	item_drop(e->item);
	free(e);
}

void queue_halve(struct queue *q, struct entry *e, struct item *halves[2])
{
	for (int i = 0; i < 2; i++) {
		struct entry *half = mem_zalloc(sizeof(*half));

		half->item = halves[i];
		half->halved = e->halved + 1;
		TAILQ_INSERT_BEFORE(e, half, link);
		q->bytes += item_size(half->item);
		q->n++;
	}
	queue_remove(q, e);
}

void queue_release(struct queue *q)
{
	struct entry *e;

	while ((e = queue_first(q)))
		queue_remove(q, e);
}
