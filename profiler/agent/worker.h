/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread, with the lock of what it shares with others and a condition that says when that
 * has changed. Signals are left to the main thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* broadcast by who changes something, with the lock */
	/* private */
	void (*run)(void *arg);
	void *arg;
	pthread_t thread;
	bool started, ended;
};

void worker_init(struct worker *w);
/* 0, or the error of pthread_create(). */
int worker_start(struct worker *w, void (*run)(void *arg), void *arg);
/* With the lock: waits for `changed`. False: that time (CLOCK_MONOTONIC) has come. */
bool worker_wait(struct worker *w, uint64_t until_ns);
/* Waits until then for run() to return. False: it has not, and w must not be released. True
 * also if it never started. */
bool worker_ended(struct worker *w, uint64_t until_ns);
void worker_release(struct worker *w);
