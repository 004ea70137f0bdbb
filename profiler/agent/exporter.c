/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/exporter.h"

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

struct exporter {
	struct exporter_options o;
	struct exporter_counts counts;
	struct encode_options encode;
	struct receiver **receivers; /* owned */
	uint32_t n_receivers;
	char host[256];
	struct worker worker;             /* encodes; its lock is of what follows */
	struct profile *waiting[WAITING]; /* oldest first */
	uint32_t n_waiting;
	bool closing;
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

	pthread_mutex_lock(&x->worker.lock);
	while (!x->n_waiting && !x->closing)
		pthread_cond_wait(&x->worker.changed, &x->worker.lock);
	if (x->n_waiting) {
		p = x->waiting[0];
		x->waiting[0] = x->waiting[--x->n_waiting];
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

void exporter_put(struct exporter *x, struct profile *p)
{
	struct profile *late = NULL;

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
	worker_release(&x->worker);
	free(x);
}

static void init(struct exporter *x, const struct exporter_options *o)
{
	x->o = *o;
	worker_init(&x->worker);
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
	if (!worker_start(&x->worker, run, x))
		return x;
fail:
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
