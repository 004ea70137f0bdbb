/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/worker.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "profiler/base/sandbox.h"

void worker_init(struct worker *w)
{
	pthread_condattr_t monotonic;

	*w = (struct worker){ 0 };
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void *thread(void *arg)
{
	struct worker *w = arg;

	sandbox_thread();
	w->run(w->arg);
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int worker_start(struct worker *w, void (*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int err;

	w->run = run;
	w->arg = arg;
	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* of the sandbox */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = !err;
	return err;
}

bool worker_wait(struct worker *w, uint64_t until_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ns / SECOND),
					.tv_nsec = (long)(until_ns % SECOND) };

	return pthread_cond_timedwait(&w->changed, &w->lock, &until) != ETIMEDOUT;
}

bool worker_ended(struct worker *w, uint64_t until_ns)
{
	bool ended;

	if (!w->started)
		return true;
	pthread_mutex_lock(&w->lock);
	while (!w->ended && worker_wait(w, until_ns))
		;
	ended = w->ended;
	pthread_mutex_unlock(&w->lock);
	if (ended)
		pthread_join(w->thread, NULL);
	w->started = !ended;
	return ended;
}

void worker_release(struct worker *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}
