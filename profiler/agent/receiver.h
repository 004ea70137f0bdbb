/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver: somewhere that profiles go. Each has a thread and a bounded queue of its own,
 * because what it does may take any time: a name is looked up, a disk is slow, a server
 * hangs. So one that is stuck keeps neither the others nor the reading of samples waiting,
 * and costs nothing but its own data.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiler/agent/item.h"
#include "profiler/agent/queue.h"
#include "profiler/agent/retry.h"
#include "profiler/agent/worker.h"

struct buf;
struct logger;
struct receiver;

/* As the user gave it. */
struct receiver_options {
	const char *to; /* the URL */
	/* of HTTP; secrets are as secret.h has them */
	const char *token, *user, *password, *tenant, *ca_file;
	/* of files */
	bool recordings; /* else pprof */
	uint32_t max_files;
	uint64_t max_bytes;
};

/* A way to talk. */
struct receiver_kind {
	const char *scheme;     /* "pyroscope+": what the URL of --to begins with */
	enum encoding encoding; /* what it takes */
	/* of HTTP: */
	const char *path;         /* is added to the URL */
	const char *content_type; /* of the request, and of the answer */
	const char *headers[3];   /* more of them; NULL ends the list */
	bool grpc;                /* HTTP/2, with a status of its own at the end */
	void (*body)(const struct item *it, struct buf *to);
	/* NULL, or: does the body of the answer say that all of it was taken? */
	bool (*taken)(const void *answer, size_t len);
	/* of files: run() without these */
	void (*run)(struct receiver *r);
};

/* Written by its thread, read by any. */
struct receiver_counts {
	atomic_ullong sent, sent_samples, sent_bytes; /* profiles; bytes of requests */
	atomic_ullong tries[6]; /* answers by the first digit of their status; 0: none */
	atomic_ullong dropped[CAUSES], dropped_samples[CAUSES];
	atomic_ullong queued_bytes, queued;
	atomic_ullong halved;  /* profiles that were too large for it: two each */
	atomic_ullong failing; /* 1: the last try failed */
};

struct receiver {
	struct receiver_options o;
	const struct receiver_kind *kind;
	const char *name; /* for messages: the URL */
	enum encoding encoding;
	struct receiver_counts counts;
	struct logger *logger;
	/* private */
	struct worker worker; /* its lock is of what follows */
	struct queue queue;
	/* CLOCK_MONOTONIC: when to give up, since no more will come; 0: more will */
	uint64_t deadline_ns;
	void (*wake)(
		void *arg); /* of a thread that does not wait for the worker's `changed` */
	void *wake_arg;
};

/* NULL, or what is wrong with the options; static or valid until the next call. */
const char *receiver_check(const struct receiver_options *o);
void receiver_options_copy(struct receiver_options *to,
			   const struct receiver_options *from);
void receiver_options_release(struct receiver_options *o); /* of a copy */
bool receiver_options_equal(const struct receiver_options *a,
			    const struct receiver_options *b);
/* NULL: there is no such kind. */
const struct receiver_kind *receiver_kind_of(const char *to);

/* Starts its thread; copies the options. NULL: *why says what is wrong. */
struct receiver *receiver_new(const struct receiver_options *o, size_t queue_bytes,
			      struct logger *logger, const char **why);
/* Queues what it takes in this encoding. */
void receiver_put(struct receiver *r, struct item *it);
/* What is queued stays, also if it is more now. */
void receiver_resize(struct receiver *r, size_t queue_bytes);
/* No more will come: sends what is there, each once, until the deadline. */
void receiver_drain(struct receiver *r, uint64_t deadline_ns);
/* Waits for its thread until then. False: it is stuck, in a system call of its disk or its
 * name server; it must then not be freed. */
bool receiver_ended(struct receiver *r, uint64_t deadline_ns);
/* Profiles that did not come through so far; of one that has ended or is stuck also those
 * that are queued. */
uint64_t receiver_lost(const struct receiver *r);
void receiver_free(struct receiver *r); /* takes NULL; after receiver_ended() */

/* For its thread. */

/* What has become of an entry: removes it, or keeps it for later. status, text: what the
 * receiver said; 0, NULL: nothing. */
void receiver_settle(struct receiver *r, struct breaker *b, struct entry *e, enum fate fate,
		     long status, const char *text, uint64_t retry_after_s);
/* The next to be sent, marked as taken; NULL: none yet. *wait_ms: for how long there is
 * nothing to do, unless something comes. Drops what has become too old. */
struct entry *receiver_take(struct receiver *r, const struct breaker *b, uint32_t under_way,
			    int *wait_ms);
/* All is sent that will be. past: the deadline; what is left must be dropped. */
bool receiver_done(struct receiver *r, bool *past);
/* Waits for something to come. Not for threads that have a waker. */
void receiver_wait(struct receiver *r, int ms);
/* Drops what is left in the queue. */
void receiver_give_up(struct receiver *r);
void receiver_waker(struct receiver *r, void (*wake)(void *arg), void *arg);

extern const struct receiver_kind files_kind;
extern const struct receiver_kind otlp_kind;
extern const struct receiver_kind parca_kind;
extern const struct receiver_kind pyroscope_kind;

/* The loop of all HTTP kinds. */
void http_run(struct receiver *r);
/* Can libcurl be loaded? To be called before the thread is started. */
bool http_load(const char **why);
/* The URL of requests; the caller frees it. */
char *http_url(const struct receiver_kind *k, const char *to);
