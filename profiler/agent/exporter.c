/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/exporter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/agent/bound.h"
#include "profiler/agent/encode.h"
#include "profiler/agent/logger.h"
#include "profiler/agent/worker.h"
#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/profile/profile.h"

enum { WAITING = 2 /* profiles of intervals that are not encoded yet */ };
#define HOUR (3600 * (uint64_t)SECOND)

/* A receiver that is to end: nothing new goes to it. */
struct leaving {
	struct receiver *receiver; /* owned */
	uint64_t deadline_ns;
};

struct exporter {
	struct logger *logger;
	struct exporter_counts counts;
	struct encode_options encode; /* of the thread that encodes; labels are owned */
	char host[256];
	struct worker worker;        /* encodes; its lock is of what follows */
	struct receiver **receivers; /* owned; changed by that thread only */
	uint32_t n_receivers;
	struct leaving *leaving; /* owned */
	uint32_t n_leaving, cap_leaving;
	struct exporter_options *change;  /* owned, a copy: what is wanted now; or NULL */
	struct profile *waiting[WAITING]; /* oldest first */
	uint32_t n_waiting;
	bool encoding; /* one of them, at this moment */
	bool closing;
	bool over; /* the receivers have ended, or are stuck */
};

/* Options. */

static void labels_free(const char **labels, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free((char *)(uintptr_t)labels[i]);
	free(labels);
}

static void options_free(struct exporter_options *o)
{
	if (!o)
		return;
	for (uint32_t i = 0; i < o->n_receivers; i++)
		receiver_options_release((struct receiver_options *)&o->receivers[i]);
	free((void *)(uintptr_t)o->receivers);
	labels_free(o->labels, o->n_labels);
	free(o);
}

static struct exporter_options *options_copy(const struct exporter_options *o)
{
	struct exporter_options *to = mem_zalloc(sizeof(*to));
	struct receiver_options *all = mem_zalloc((o->n_receivers + 1) * sizeof(*all));

	*to = *o;
	to->receivers = all;
	for (uint32_t i = 0; i < o->n_receivers; i++)
		receiver_options_copy(&all[i], &o->receivers[i]);
	to->labels = mem_zalloc((o->n_labels + 1) * sizeof(*to->labels));
	for (uint32_t i = 0; i < o->n_labels; i++)
		to->labels[i] = mem_strdup(o->labels[i]);
	return to;
}

/* Labels move to the encoder, with new bounds of their values if they are others. */
static void take_labels(struct exporter *x, struct exporter_options *o)
{
	struct encode_options *e = &x->encode;
	struct exporter_options old = { .labels = e->labels, .n_labels = e->n_labels };
	bool same = e->bound && bound_max(e->bound) == o->max_values &&
		    old.n_labels == o->n_labels;

	for (uint32_t i = 0; same && i < o->n_labels; i++)
		same = !strcmp(old.labels[i], o->labels[i]);
	if (!same) {
		bound_free(e->bound);
		e->bound = bound_new(o->max_values);
	}
	e->labels = o->labels;
	e->n_labels = o->n_labels;
	o->labels = old.labels;
	o->n_labels = old.n_labels;
}

/* Receivers. */

/* Takes one with these options out of those that there are; NULL: there is none. */
static struct receiver *keep(struct exporter *x, const struct receiver_options *o)
{
	for (uint32_t i = 0; i < x->n_receivers; i++) {
		struct receiver *r = x->receivers[i];

		if (!receiver_options_equal(&r->o, o))
			continue;
		x->receivers[i] = x->receivers[--x->n_receivers];
		return r;
	}
	return NULL;
}

/* With the lock: those that are left in the list are to end. */
static void leave(struct exporter *x)
{
	uint64_t deadline = clock_now_ns() + EXPORTER_LEAVE_S * (uint64_t)SECOND;

	for (uint32_t i = 0; i < x->n_receivers; i++) {
		struct receiver *r = x->receivers[i];

		*table_add(x->leaving, x->n_leaving,
			   x->cap_leaving) = (struct leaving){ r, deadline };
		receiver_drain(r, deadline);
	}
	x->n_receivers = 0;
}

/* With the lock. NULL, or what is wrong, with *which receiver; the others are there. */
static const char *take_receivers(struct exporter *x, const struct exporter_options *o,
				  const char **which)
{
	struct receiver **now = mem_zalloc((o->n_receivers + 1) * sizeof(*now));
	const char *ret = NULL, *why;
	uint32_t n = 0;

	memset(x->encode.wanted, 0, sizeof(x->encode.wanted));
	for (uint32_t i = 0; i < o->n_receivers; i++) {
		struct receiver *r = keep(x, &o->receivers[i]);

		if (r)
			receiver_resize(r, o->queue_bytes);
		else
			r = receiver_new(&o->receivers[i], o->queue_bytes, x->logger, &why);
		if (r) {
			now[n++] = r;
			x->encode.wanted[r->encoding] = true;
		} else if (!ret) {
			ret = why;
			*which = o->receivers[i].to;
		}
	}
	leave(x);
	free(x->receivers);
	x->receivers = now;
	x->n_receivers = n;
	return ret;
}

/* What came through, of one that has ended. */
static void say_ended(struct exporter *x, const struct receiver *r)
{
	uint64_t lost = receiver_lost(r);
	char sent[24], dropped[24];

	snprintf(sent, sizeof(sent), "%" PRIu64, (uint64_t)r->counts.sent);
	snprintf(dropped, sizeof(dropped), "%" PRIu64, lost);
	logger_event(x->logger, LOGGER_INFO, "stopped", "receiver", r->name, "sent", sent,
		     "dropped", dropped, NULL);
}

/* Frees those that have ended, and waits for them until then. True: all of them. */
static bool tidy_leaving(struct exporter *x, uint64_t until_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->n_leaving; i++) {
		if (receiver_ended(x->leaving[i].receiver, until_ns)) {
			say_ended(x, x->leaving[i].receiver);
			receiver_free(x->leaving[i].receiver);
		} else {
			x->leaving[n++] = x->leaving[i];
		}
	}
	x->n_leaving = n;
	return !n;
}

/* With the lock. */
static void apply(struct exporter *x)
{
	const char *why, *which;

	tidy_leaving(x, 0);
	if (!x->change)
		return;
	take_labels(x, x->change);
	why = take_receivers(x, x->change, &which);
	if (why)
		logger_event(x->logger, LOGGER_ERROR, "receiver not started", "receiver",
			     which, "error", why, NULL);
	options_free(x->change);
	x->change = NULL;
}

static void put_item(void *arg, struct item *it)
{
	struct exporter *x = arg;

	pthread_mutex_lock(&x->worker.lock);
	for (uint32_t i = 0; i < x->n_receivers && !x->over; i++)
		receiver_put(x->receivers[i], it);
	pthread_mutex_unlock(&x->worker.lock);
}

static void too_large(void *arg, const struct origin *o, uint32_t samples)
{
	struct exporter *x = arg;

	for (uint32_t i = 0; i < x->n_receivers; i++) {
		if (x->receivers[i]->encoding == ENCODED_RECORDING)
			continue;
		x->receivers[i]->counts.dropped[CAUSE_TOO_LARGE]++;
		x->receivers[i]->counts.dropped_samples[CAUSE_TOO_LARGE] += samples;
	}
	logger_event(x->logger, LOGGER_WARN, "profile too large", "service", o->service,
		     NULL);
}

static void encode(struct exporter *x, struct profile *p)
{
	uint32_t processes;
	int err;

	x->counts.intervals++;
	err = encode_profile(&x->encode, p, &processes);
	x->counts.processes = processes;
	bound_tidy(x->encode.bound, p->start_ns);
	x->counts.other_values = bound_others(x->encode.bound);
	x->counts.errors += err != 0;
	if (err)
		logger_event(x->logger, LOGGER_ERROR, "encoding failed", "error",
			     strerror(-err), NULL);
	profile_free(p);
}

/* The next profile; NULL: there will be no more. */
static struct profile *next(struct exporter *x)
{
	struct profile *p = NULL;

	pthread_mutex_lock(&x->worker.lock);
	x->encoding = false;
	for (;;) {
		apply(x);
		if (x->n_waiting || x->closing)
			break;
		worker_wait(&x->worker, clock_now_ns() + (x->n_leaving ? SECOND : HOUR));
	}
	if (x->n_waiting) {
		p = x->waiting[0];
		x->waiting[0] = x->waiting[--x->n_waiting];
		x->encoding = true;
	}
	pthread_mutex_unlock(&x->worker.lock);
	return p;
}

static void run(void *arg)
{
	struct exporter *x = arg;
	struct profile *p;

	while ((p = next(x)))
		encode(x, p);
}

static void count_samples(struct exporter_counts *c, const struct profile *p)
{
	const struct stats *s = &p->stats;

	c->samples += p->n_events;
	c->lost_ring_full += s->lost_ring_full;
	c->lost_table_full += s->lost_table_full;
	c->stack_faults += s->stack_faults;
	c->g_faults += s->g_faults;
	c->labels_cut += s->labels_cut;
	c->not_go_samples += s->not_go_samples;
}

void exporter_put(struct exporter *x, struct profile *p)
{
	struct profile *late = NULL;

	count_samples(&x->counts, p);
	pthread_mutex_lock(&x->worker.lock);
	if (x->n_waiting < WAITING)
		x->waiting[x->n_waiting++] = p;
	else
		late = p;
	pthread_cond_broadcast(&x->worker.changed);
	pthread_mutex_unlock(&x->worker.lock);
	if (!late)
		return;
	x->counts.behind++;
	x->counts.behind_samples += late->n_events;
	logger_event(x->logger, LOGGER_WARN, "profiles dropped", "cause",
		     cause_names[CAUSE_BEHIND], NULL);
	profile_free(late);
}

void exporter_change(struct exporter *x, const struct exporter_options *o)
{
	pthread_mutex_lock(&x->worker.lock);
	options_free(x->change);
	x->change = options_copy(o);
	pthread_cond_broadcast(&x->worker.changed);
	pthread_mutex_unlock(&x->worker.lock);
}

void exporter_free(struct exporter *x)
{
	for (uint32_t i = 0; i < x->n_receivers; i++)
		receiver_free(x->receivers[i]);
	free(x->receivers);
	free(x->leaving);
	while (x->n_waiting)
		profile_free(x->waiting[--x->n_waiting]);
	options_free(x->change);
	labels_free(x->encode.labels, x->encode.n_labels);
	bound_free(x->encode.bound);
	worker_release(&x->worker);
	free(x);
}

struct exporter *exporter_new(const struct exporter_options *o, const char **why,
			      const char **which)
{
	struct exporter *x = mem_zalloc(sizeof(*x));

	x->logger = o->logger;
	worker_init(&x->worker);
	if (gethostname(x->host, sizeof(x->host) - 1))
		*x->host = 0;
	x->encode = (struct encode_options){
		.host = x->host,
		.max_bytes = LIMIT_BYTES,
		.max_samples = LIMIT_SAMPLES,
		.put = put_item,
		.too_large = too_large,
		.arg = x,
	};
	x->change = options_copy(o);
	take_labels(x, x->change);
	*why = take_receivers(x, x->change, which);
	if (!*why) {
		options_free(x->change);
		x->change = NULL;
		*why = "no thread could be started";
		*which = "";
		if (!worker_start(&x->worker, run, x))
			return x;
	}
	if (exporter_flush(x, SECOND))
		exporter_free(x);
	return NULL;
}

/* Waits until everything is encoded. */
static bool encoded(struct exporter *x, uint64_t deadline)
{
	pthread_mutex_lock(&x->worker.lock);
	x->closing = true;
	pthread_cond_broadcast(&x->worker.changed);
	pthread_mutex_unlock(&x->worker.lock);
	return worker_ended(&x->worker, deadline);
}

/* Nobody knows how many profiles were to come of these. */
static void say_unfinished(struct exporter *x)
{
	uint32_t n = x->n_waiting + x->encoding;
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	if (n)
		logger_event(x->logger, LOGGER_WARN, "intervals not encoded", "cause",
			     cause_names[CAUSE_SHUTDOWN], "intervals", text, NULL);
}

bool exporter_flush(struct exporter *x, uint64_t within_ns)
{
	/* the last part of the time is for threads to see that it is over */
	uint64_t end = clock_now_ns() + within_ns, deadline = end - within_ns / 4;
	bool ended = encoded(x, deadline);

	pthread_mutex_lock(&x->worker.lock);
	for (uint32_t i = 0; i < x->n_receivers; i++)
		receiver_drain(x->receivers[i], deadline);
	for (uint32_t i = 0; i < x->n_receivers; i++)
		ended &= receiver_ended(x->receivers[i], end);
	for (uint32_t i = 0; i < x->n_receivers; i++)
		say_ended(x, x->receivers[i]);
	ended &= tidy_leaving(x, end);
	x->over = true;
	say_unfinished(x);
	pthread_mutex_unlock(&x->worker.lock);
	return ended;
}

const struct exporter_counts *exporter_counts(const struct exporter *x)
{
	return &x->counts;
}

void exporter_each(struct exporter *x, void (*fn)(void *arg, const struct receiver *r),
		   void *arg)
{
	pthread_mutex_lock(&x->worker.lock);
	for (uint32_t i = 0; i < x->n_receivers; i++)
		fn(arg, x->receivers[i]);
	pthread_mutex_unlock(&x->worker.lock);
}
