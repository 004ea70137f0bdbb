/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel side without a kernel: tests say what happens to processes, and the session gets
 * the records that sample.bpf.c would send. The processes themselves are whatever /proc
 * shows under their pids.
 */
#pragma once

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/kernel/collect.h"

/* A row of the map `processes`. */
struct fake_process {
	uint32_t tgid;
	struct process_entry entry;
};

struct fake_published {
	struct exe_key key;
	struct executable exe;
};

struct fake_kernel {
	struct fake_process *processes;
	uint32_t n, cap, max;
	struct fake_published *published;
	uint32_t n_published, cap_published;
	void **queue, **urgent; /* records on their way: samples, and those of `control` */
	uint32_t n_queue, cap_queue, n_urgent, cap_urgent;
	uint64_t settled_ns, counts[COUNT_MAX];
	const struct record_handler *handler;
	const struct probes *probes; /* EVENT_CALLS: attached last, */
	uint32_t attached;           /* and how often */
	uint64_t counted;            /* the function whose calls were added up */
};

static inline struct process_entry *fake_find(const struct fake_kernel *k, uint32_t tgid)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (k->processes[i].tgid == tgid)
			return &k->processes[i].entry;
	return NULL;
}

static inline struct process_entry *fake_row(struct fake_kernel *k, uint32_t tgid)
{
	struct process_entry *p = fake_find(k, tgid);

	if (p)
		return p;
	k->n++;
	if (k->n > k->cap)
		k->processes = mem_realloc(k->processes, k->cap = 2 * k->n,
					   sizeof(*k->processes));
	k->processes[k->n - 1] = (struct fake_process){ .tgid = tgid };
	return &k->processes[k->n - 1].entry;
}

static inline const struct executable *fake_known(const struct fake_kernel *k,
						  const struct exe_key *key)
{
	for (uint32_t i = k->n_published; i--;)
		if (!memcmp(&k->published[i].key, key, sizeof(*key)))
			return &k->published[i].exe;
	return NULL;
}

/* What the session sees. */

static inline int fake_follow(void *self, uint32_t tgid, const struct executable *exe,
			      uint32_t flags)
{
	struct fake_kernel *k = self;

	if (k->max && k->n == k->max)
		return -E2BIG;
	*fake_row(k, tgid) = (struct process_entry){ .executable = *exe, .flags = flags };
	return 0;
}

static inline bool fake_image(void *self, uint32_t tgid, image_id *image)
{
	const struct process_entry *p = fake_find(self, tgid);

	*image = p ? p->image : 0;
	return p;
}

static inline void fake_drop(void *self, uint32_t tgid)
{
	struct fake_kernel *k = self;

	for (uint32_t i = 0; i < k->n; i++)
		if (k->processes[i].tgid == tgid)
			k->processes[i--] = k->processes[--k->n];
}

static inline int fake_executable(void *self, const struct exe_key *key,
				  const struct executable *exe)
{
	struct fake_kernel *k = self;

	*table_add(k->published, k->n_published,
		   k->cap_published) = (struct fake_published){ *key, *exe };
	return 0;
}

static inline int fake_control(void *self)
{
	struct fake_kernel *k = self;

	for (uint32_t i = 0; i < k->n_urgent; i++) {
		void *r = k->urgent[i];

		k->urgent[i] = NULL;
		if (r && *(uint32_t *)r == RECORD_IMAGE)
			k->handler->image(k->handler->arg, r);
		else if (r && *(uint32_t *)r == RECORD_HOT)
			k->handler->hot(k->handler->arg, r);
		else if (r)
			k->handler->exit(k->handler->arg, r);
		free(r);
	}
	k->n_urgent = 0;
	return 0;
}

static inline int fake_poll(void *self, int timeout_ms, const struct record_handler *h)
{
	struct fake_kernel *k = self;

	(void)timeout_ms;
	k->handler = h;
	fake_control(k);
	for (uint32_t i = 0; i < k->n_queue; i++) {
		h->sample(h->arg, k->queue[i]);
		free(k->queue[i]);
	}
	k->n_queue = 0;
	return 0;
}

/* With add_up: as the kernel side adds it up, twice 5 calls by goroutine 7. */
static inline void fake_counts(void *self, const struct record_handler *h)
{
	struct fake_kernel *k = self;
	struct sample s = { .type = RECORD_SAMPLE,
			    .weight = 5,
			    .cpu = ~0u,
			    .call = CALL_SUM,
			    .ip = k->counted,
			    .goid = 7 };

	if (!k->n)
		return;
	s.tgid = k->processes->tgid;
	s.image = k->processes->entry.image;
	h->sample(h->arg, &s);
	h->sample(h->arg, &s);
}

static inline uint64_t fake_settled_ns(void *self)
{
	return ((struct fake_kernel *)self)->settled_ns;
}

static inline void fake_totals(void *self, uint64_t counts[COUNT_MAX],
			       void (*fn)(void *arg, uint32_t tgid, image_id image,
					  uint64_t samples),
			       void *arg)
{
	const struct fake_kernel *k = self;

	memcpy(counts, k->counts, sizeof(k->counts));
	for (uint32_t i = 0; fn && i < k->n; i++)
		if (k->processes[i].entry.unsent)
			fn(arg, k->processes[i].tgid, k->processes[i].entry.image,
			   k->processes[i].entry.unsent);
}

static inline int fake_probe(void *self, const struct probes *p, bool running)
{
	struct fake_kernel *k = self;

	k->probes = p;
	k->attached += running;
	return 0;
}

static inline int fake_start(void *self, const char **what)
{
	(void)self;
	*what = "fake";
	return 0;
}

static inline void fake_stop(void *self)
{
	(void)self;
}

static inline void fake_close(void *self)
{
	struct fake_kernel *k = self;

	for (uint32_t i = 0; i < k->n_urgent; i++)
		free(k->urgent[i]);
	for (uint32_t i = 0; i < k->n_queue; i++)
		free(k->queue[i]);
	free(k->urgent);
	free(k->queue);
	free(k->processes);
	free(k->published);
}

static inline struct kernel_side fake_kernel_side(struct fake_kernel *k)
{
	return (struct kernel_side){
		.self = k,
		.event_name = "cpu-clock",
		.period_ns = 10000000,
		.probe = fake_probe,
		.start = fake_start,
		.stop = fake_stop,
		.close = fake_close,
		.follow = fake_follow,
		.image = fake_image,
		.drop = fake_drop,
		.executable = fake_executable,
		.poll = fake_poll,
		.control = fake_control,
		.counts = fake_counts,
		.settled_ns = fake_settled_ns,
		.totals = fake_totals,
	};
}

/* What tests say. */

static inline void *fake_copy(const void *record, size_t size)
{
	return memcpy(mem_zalloc(size), record, size);
}

/* Sends a sample of the process at this address, without a stack. goid, call: as of struct
 * sample. */
static inline void fake_sample_of(struct fake_kernel *k, uint32_t tgid, image_id image,
				  uint64_t ip, uint64_t goid, enum sample_call call)
{
	struct sample s = {
		.type = RECORD_SAMPLE,
		.tgid = tgid,
		.tid = tgid,
		.image = image,
		.ip = ip,
		.goid = goid,
		.call = (__u16)call,
		.time_ns = clock_now_ns(),
	};

	*table_add(k->queue, k->n_queue, k->cap_queue) = fake_copy(&s, sizeof(s));
}

/* The first call by goroutine 7 of the function at ip, as add_up sends it. */
static inline void fake_first(struct fake_kernel *k, uint32_t tgid, image_id image,
			      uint64_t ip)
{
	fake_sample_of(k, tgid, image, ip, 7, CALL_FIRST);
}

/* A record that tells of the image that a process has now; also a second time, for new
 * code. */
static inline void fake_tell(struct fake_kernel *k, uint32_t tgid)
{
	struct process_entry *p = fake_row(k, tgid);
	const struct executable *known = fake_known(k, &p->image_key);
	struct image_record r = {
		.type = RECORD_IMAGE,
		.tgid = tgid,
		.image = p->image,
		.exe = p->exe,
		.unsent = p->unsent,
		.start_code = p->start_code,
		.given = p->flags & PROCESS_GIVEN,
		.comm = "fake",
	};

	known = known ? known : fake_known(k, &p->exe);
	if (known)
		p->executable = *known;
	r.executable = p->executable.state;
	p->unsent = 0;
	*table_add(k->urgent, k->n_urgent, k->cap_urgent) = fake_copy(&r, sizeof(r));
}

/* A process is seen for the first time, or runs another program; file 0: which is not
 * known. */
static inline void fake_exec(struct fake_kernel *k, uint32_t tgid, image_id image,
			     uint64_t file)
{
	struct process_entry *p = fake_row(k, tgid);

	if (p->image)
		p->flags &= ~PROCESS_GIVEN;
	if (!(p->flags & PROCESS_GIVEN))
		p->executable.state = EXE_UNKNOWN;
	p->image = image;
	p->image_key = exe_key_image(tgid, image);
	p->exe = (struct exe_key){ .ino = file };
	fake_tell(k, tgid);
}

/* A thread calls the function at ip too often. */
static inline void fake_hot(struct fake_kernel *k, uint64_t ip)
{
	struct hot_record r = {
		.type = RECORD_HOT, .calls = 1001, .ip = ip, .ns = 100000000
	};

	*table_add(k->urgent, k->n_urgent, k->cap_urgent) = fake_copy(&r, sizeof(r));
}

static inline void fake_exit(struct fake_kernel *k, uint32_t tgid)
{
	const struct process_entry *p = fake_row(k, tgid);
	struct exit_record r = {
		.type = RECORD_EXIT,
		.tgid = tgid,
		.image = p->image,
		.unsent = p->unsent,
		.comm = "fake",
	};

	fake_drop(k, tgid);
	*table_add(k->urgent, k->n_urgent, k->cap_urgent) = fake_copy(&r, sizeof(r));
}

/* A sample at this address, without a stack. */
static inline void fake_sample(struct fake_kernel *k, uint32_t tgid, image_id image,
			       uint64_t ip)
{
	fake_sample_of(k, tgid, image, ip, 0, CALL_NONE);
}
