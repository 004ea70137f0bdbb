/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/exporter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "profiler/agent/bound.h"
#include "profiler/agent/encode.h"
#include "profiler/agent/logger.h"
#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/profile/profile.h"

enum { WAITING = 2 /* profiles of intervals that are not encoded yet */ };

struct exporter {
	struct exporter_options o;
	struct exporter_counts counts;
	struct encode_options encode;
	struct receiver **receivers; /* owned */
	uint32_t n_receivers;
	char host[256];
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct profile *waiting[WAITING]; /* oldest first */
	uint32_t n_waiting;
	bool closing, ended;
};

static void put_item(void *arg, struct item *it)
{
	struct exporter *x = arg;

	for (uint32_t i = 0; i < x->n_receivers; i++)
		receiver_put(x->receivers[i], it);
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
	logger_event(x->o.logger, LOGGER_WARN, "profile too large", "service", o->service,
		     NULL);
}

static void encode(struct exporter *x, struct profile *p)
{
	int err;

	x->counts.intervals++;
	x->counts.samples += p->n_events;
	err = encode_profile(&x->encode, p);
	bound_tidy(x->encode.bound, p->start_ns);
	x->counts.other_values = bound_others(x->encode.bound);
	x->counts.errors += err != 0;
	if (err)
		logger_event(x->o.logger, LOGGER_ERROR, "encoding failed", "error",
			     strerror(-err), NULL);
	profile_free(p);
}

/* The next profile; NULL: there will be no more. */
static struct profile *next(struct exporter *x)
{
	struct profile *p = NULL;

	pthread_mutex_lock(&x->lock);
	while (!x->n_waiting && !x->closing)
		pthread_cond_wait(&x->changed, &x->lock);
	if (x->n_waiting) {
		p = x->waiting[0];
		x->waiting[0] = x->waiting[--x->n_waiting];
	}
	pthread_mutex_unlock(&x->lock);
	return p;
}

static void *run(void *arg)
{
	struct exporter *x = arg;
	struct profile *p;

	while ((p = next(x)))
		encode(x, p);
	pthread_mutex_lock(&x->lock);
	x->ended = true;
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

void exporter_put(struct exporter *x, struct profile *p)
{
	struct profile *late = NULL;

	pthread_mutex_lock(&x->lock);
	if (x->n_waiting < WAITING)
		x->waiting[x->n_waiting++] = p;
	else
		late = p;
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
	if (!late)
		return;
	x->counts.behind++;
	x->counts.behind_samples += late->n_events;
	logger_event(x->o.logger, LOGGER_WARN, "profiles dropped", "cause",
		     cause_names[CAUSE_BEHIND], NULL);
	profile_free(late);
}

void exporter_free(struct exporter *x)
{
	for (uint32_t i = 0; i < x->n_receivers; i++)
		receiver_free(x->receivers[i]);
	free(x->receivers);
	bound_free(x->encode.bound);
	pthread_cond_destroy(&x->changed);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static void init(struct exporter *x, const struct exporter_options *o)
{
	pthread_condattr_t monotonic;

	x->o = *o;
	pthread_mutex_init(&x->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&x->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (gethostname(x->host, sizeof(x->host) - 1))
		*x->host = 0;
	x->encode = (struct encode_options){
		.host = x->host,
		.labels = o->labels,
		.n_labels = o->n_labels,
		.bound = bound_new(o->max_values),
		.max_bytes = LIMIT_BYTES,
		.max_samples = LIMIT_SAMPLES,
		.put = put_item,
		.too_large = too_large,
		.arg = x,
	};
}

/* Signals are for the main thread. */
static int start(struct exporter *x)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&x->thread, NULL, run, x);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	x->started = !err;
	return err;
}

struct exporter *exporter_new(const struct exporter_options *o, const char **why,
			      const char **which)
{
	struct exporter *x = mem_zalloc(sizeof(*x));

	init(x, o);
	x->receivers = mem_zalloc(o->n_receivers * sizeof(struct receiver *));
	*which = "";
	for (uint32_t i = 0; i < o->n_receivers; i++) {
		struct receiver *r = receiver_new(&o->receivers[i], o->queue_bytes,
						  o->logger, why);

		*which = o->receivers[i].to;
		if (!r)
			goto fail;
		x->receivers[x->n_receivers++] = r;
		x->encode.wanted[r->encoding] = true;
	}
	*why = "no thread could be started";
	if (!start(x))
		return x;
fail:
	if (exporter_flush(x, SECOND))
		exporter_free(x);
	return NULL;
}

/* Waits until everything is encoded. */
static bool encoded(struct exporter *x, uint64_t deadline)
{
	const struct timespec until = { .tv_sec = (time_t)(deadline / SECOND),
					.tv_nsec = (long)(deadline % SECOND) };
	bool ended;

	pthread_mutex_lock(&x->lock);
	x->closing = true;
	pthread_cond_broadcast(&x->changed);
	while (x->started && !x->ended)
		if (pthread_cond_timedwait(&x->changed, &x->lock, &until) == ETIMEDOUT)
			break;
	ended = !x->started || x->ended;
	pthread_mutex_unlock(&x->lock);
	if (ended && x->started)
		pthread_join(x->thread, NULL);
	return ended;
}

bool exporter_flush(struct exporter *x, uint64_t within_ns)
{
	/* the last part of the time is for threads to see that it is over */
	uint64_t end = clock_now_ns() + within_ns, deadline = end - within_ns / 4;
	bool ended = encoded(x, deadline);

	for (uint32_t i = 0; i < x->n_receivers; i++)
		receiver_drain(x->receivers[i], deadline);
	for (uint32_t i = 0; i < x->n_receivers; i++)
		ended &= receiver_ended(x->receivers[i], end);
	return ended;
}

const struct exporter_counts *exporter_counts(const struct exporter *x)
{
	return &x->counts;
}

const struct receiver *exporter_receiver(const struct exporter *x, uint32_t n)
{
	return n < x->n_receivers ? x->receivers[n] : NULL;
}
