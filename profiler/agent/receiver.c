/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/receiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "profiler/agent/halves.h"
#include "profiler/agent/logger.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"

enum {
	TOO_OLD_S = 3540, /* Pyroscope refuses what is older than an hour */
	IDLE_MS = 1000,
	DRAIN_MS = 100,
};

/* Counting. */

static void count_drop(struct receiver *r, enum cause cause, const struct item *it)
{
	r->counts.dropped[cause]++;
	r->counts.dropped_samples[cause] += it->samples;
}

static void say_dropped(struct receiver *r, enum cause cause, const char *text)
{
	logger_event(r->logger, LOGGER_WARN, "profiles dropped", "receiver", r->name,
		     "cause", cause_names[cause], "answer", text, NULL);
}

static void on_queue_full(void *arg, const struct item *it)
{
	struct receiver *r = arg;

	count_drop(r, CAUSE_QUEUE_FULL, it);
	say_dropped(r, CAUSE_QUEUE_FULL, NULL);
}

static void count_queue(struct receiver *r)
{
	r->counts.queued = r->queue.n;
	r->counts.queued_bytes = r->queue.bytes;
}

/* From the outside. */

static void run(void *arg)
{
	struct receiver *r = arg;

	r->kind->run(r);
}

struct receiver *receiver_new(const struct receiver_options *o, size_t queue_bytes,
			      struct logger *logger, const char **why)
{
	struct receiver *r;

	if (receiver_kind_of(o->to)->body && !http_load(why))
		return NULL;
	r = mem_zalloc(sizeof(*r));
	receiver_options_copy(&r->o, o);
	r->kind = receiver_kind_of(o->to);
	r->name = r->o.to;
	r->encoding = o->recordings ? ENCODED_RECORDING : r->kind->encoding;
	r->logger = logger;
	worker_init(&r->worker);
	queue_init(&r->queue, queue_bytes);
	r->queue.dropped = on_queue_full;
	r->queue.arg = r;
	*why = "no thread could be started";
	if (!worker_start(&r->worker, run, r))
		return r;
	receiver_free(r);
	return NULL;
}

/* With the lock. */
static void notify(struct receiver *r)
{
	count_queue(r);
	pthread_cond_broadcast(&r->worker.changed);
	if (r->wake)
		r->wake(r->wake_arg);
}

void receiver_put(struct receiver *r, struct item *it)
{
	if (it->encoding != r->encoding)
		return;
	pthread_mutex_lock(&r->worker.lock);
	queue_put(&r->queue, it);
	notify(r);
	pthread_mutex_unlock(&r->worker.lock);
}

void receiver_drain(struct receiver *r, uint64_t deadline_ns)
{
	pthread_mutex_lock(&r->worker.lock);
	r->deadline_ns = deadline_ns;
	notify(r);
	pthread_mutex_unlock(&r->worker.lock);
}

void receiver_resize(struct receiver *r, size_t queue_bytes)
{
	pthread_mutex_lock(&r->worker.lock);
	r->queue.max_bytes = queue_bytes;
	pthread_mutex_unlock(&r->worker.lock);
}

bool receiver_ended(struct receiver *r, uint64_t deadline_ns)
{
	return worker_ended(&r->worker, deadline_ns);
}

uint64_t receiver_lost(const struct receiver *r)
{
	uint64_t n = r->counts.queued;

	for (int i = 0; i < CAUSES; i++)
		n += r->counts.dropped[i];
	return n;
}

void receiver_free(struct receiver *r)
{
	if (!r)
		return;
	queue_release(&r->queue);
	worker_release(&r->worker);
	receiver_options_release(&r->o);
	free(r);
}

/* For its thread. */

void receiver_waker(struct receiver *r, void (*wake)(void *arg), void *arg)
{
	pthread_mutex_lock(&r->worker.lock);
	r->wake = wake;
	r->wake_arg = arg;
	pthread_mutex_unlock(&r->worker.lock);
}

/* With the lock. */
static void drop(struct receiver *r, struct entry *e, enum cause cause, const char *text)
{
	count_drop(r, cause, e->item);
	say_dropped(r, cause, text);
	queue_remove(&r->queue, e);
}

/* Two smaller ones in place of it, if there can be: they are to be sent. */
static bool halve(struct receiver *r, struct entry *e)
{
	struct item *halves[2], *it = item_share(e->item);
	bool ret;

	/* takes its time, and the entry is taken: nobody else touches it */
	pthread_mutex_unlock(&r->worker.lock);
	ret = r->kind->body && item_halve(it, e->halved, halves);
	pthread_mutex_lock(&r->worker.lock);
	item_drop(it);
	if (!ret)
		return false;
	queue_halve(&r->queue, e, halves);
	r->counts.halved++;
	logger_event(r->logger, LOGGER_INFO, "profile halved", "receiver", r->name, NULL);
	return true;
}

static void drop_old(struct receiver *r)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);
	struct entry *e;

	while ((e = queue_first(&r->queue)) && !e->taken &&
	       e->item->start_ns + TOO_OLD_S * (uint64_t)SECOND < now)
		drop(r, e, CAUSE_TOO_OLD, NULL);
}

struct entry *receiver_take(struct receiver *r, const struct breaker *b, uint32_t under_way,
			    int *wait_ms)
{
	uint64_t now = clock_now_ns(), due = UINT64_MAX;
	struct entry *e = NULL;

	pthread_mutex_lock(&r->worker.lock);
	drop_old(r);
	if (r->deadline_ns)
		e = queue_next(&r->queue, UINT64_MAX, &due);
	else if (breaker_lets(b, now, under_way))
		e = queue_next(&r->queue, now, &due);
	else if (now < b->until_ns)
		due = b->until_ns;
	if (e)
		e->taken = true;
	count_queue(r);
	pthread_mutex_unlock(&r->worker.lock);
	*wait_ms = r->deadline_ns ? DRAIN_MS : IDLE_MS;
	if (due > now && due - now < (uint64_t)*wait_ms * 1000000)
		*wait_ms = (int)((due - now) / 1000000 + 1);
	return e;
}

/* Says once that a receiver fails, and once that it does no longer. */
static void tell_state(struct receiver *r, enum fate fate, long status, const char *text)
{
	bool failing = fate == FATE_LATER || fate == FATE_FAILED;
	char number[16];

	snprintf(number, sizeof(number), "%ld", status);
	if (failing)
		logger_event(r->logger, LOGGER_WARN, "sending fails", "receiver", r->name,
			     "status", status ? number : NULL, "error", text, NULL);
	else if (r->counts.failing && fate == FATE_SENT)
		logger_event(r->logger, LOGGER_INFO, "sending works again", "receiver",
			     r->name, NULL);
	r->counts.failing = failing;
}

static uint64_t chance(void)
{
	uint64_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) < 0)
		v = clock_now_ns();
	return v;
}

void receiver_settle(struct receiver *r, struct breaker *b, struct entry *e, enum fate fate,
		     long status, const char *text, uint64_t retry_after_s)
{
	uint64_t now = clock_now_ns(), random = chance();

	if (fate == FATE_SENT && !status)
		status = 200; /* a file is there */
	r->counts.tries[status >= 100 && status < 600 ? status / 100 : 0]++;
	tell_state(r, fate, status, text);
	breaker_tell(b, fate, now, retry_after_s, random);
	pthread_mutex_lock(&r->worker.lock);
	e->taken = fate == FATE_TOO_LARGE;
	e->failures += fate == FATE_FAILED;
	if (fate == FATE_SENT) {
		r->counts.sent++;
		r->counts.sent_samples += e->item->samples;
		queue_remove(&r->queue, e);
	} else if (fate == FATE_REFUSED) {
		drop(r, e, CAUSE_REFUSED, text);
	} else if (fate == FATE_TOO_LARGE) {
		if (!halve(r, e))
			drop(r, e, CAUSE_TOO_LARGE, text);
	} else if (r->deadline_ns) {
		drop(r, e, CAUSE_SHUTDOWN, text);
	} else if (e->failures >= ITEM_FAILURES) {
		drop(r, e, CAUSE_FAILED, text);
	} else if (fate == FATE_FAILED) {
		e->not_before = now + backoff_ns(e->failures, random);
	}
	count_queue(r);
	pthread_mutex_unlock(&r->worker.lock);
}

void receiver_wait(struct receiver *r, int ms)
{
	pthread_mutex_lock(&r->worker.lock);
	if (!r->deadline_ns)
		worker_wait(&r->worker, clock_now_ns() + (uint64_t)ms * 1000000);
	pthread_mutex_unlock(&r->worker.lock);
}

bool receiver_done(struct receiver *r, bool *past)
{
	bool done;

	pthread_mutex_lock(&r->worker.lock);
	*past = r->deadline_ns && clock_now_ns() >= r->deadline_ns;
	done = r->deadline_ns && (*past || !r->queue.n);
	pthread_mutex_unlock(&r->worker.lock);
	return done;
}

void receiver_give_up(struct receiver *r)
{
	struct entry *e;

	pthread_mutex_lock(&r->worker.lock);
	r->wake = NULL;
	while ((e = queue_first(&r->queue)))
		drop(r, e, CAUSE_SHUTDOWN, NULL);
	count_queue(r);
	pthread_mutex_unlock(&r->worker.lock);
}
