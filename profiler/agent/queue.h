/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits for a receiver: items in the order of their coming, bounded in bytes. If there
 * is no room the oldest go: what is new tells more. The caller locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct item;

struct entry {
	TAILQ_ENTRY(entry) link;
	struct item *item;   /* owned */
	uint32_t failures;   /* how often the receiver failed on it */
	uint64_t not_before; /* CLOCK_MONOTONIC, ns */
	uint32_t halved;     /* how often it was made of the half of another one */
	bool taken;          /* on its way: it is not dropped */
};

struct queue {
	TAILQ_HEAD(, entry) entries;
	uint32_t n;
	size_t bytes, max_bytes;
	/* Is told of each item that had to go. */
	void (*dropped)(void *arg, const struct item *it);
	void *arg;
};

void queue_init(struct queue *q, size_t max_bytes);
/* Shares the item. One that is larger than the queue is dropped at once. */
void queue_put(struct queue *q, struct item *it);
/* The first that is due and not taken; NULL: none. *due: then when the next one is;
 * UINT64_MAX: there is none. */
struct entry *queue_next(struct queue *q, uint64_t now_ns, uint64_t *due);
/* The first one; NULL: it is empty. */
struct entry *queue_first(struct queue *q);
/* Replaces an entry by two items, which it owns now, where it stands. */
void queue_halve(struct queue *q, struct entry *e, struct item *halves[2]);
void queue_remove(struct queue *q, struct entry *e);
void queue_release(struct queue *q);
