/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/rings.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/kernel/collect.h"
#include "profiler/kernel/turns.h"

enum {
	/* how long one kind of record may keep the others waiting */
	CONTROL_NS = 20000000,
	SAMPLES_NS = 50000000,
	/* a sample is in its ring at most this long after its time_ns */
	SENDING_NS = 10000000,
};

/* The samples of one CPU. */
struct samples {
	struct ring_buffer *ring;
	struct ring_buffer *before; /* its records come first; NULL once it is empty */
	uint32_t size;              /* of the ring, bytes */
	uint64_t taken;             /* bytes, since the ring was empty */
	uint64_t last_ns;           /* time of the last sample */
	uint64_t settled_ns;        /* all earlier samples have been handed over */
};

struct rings {
	int map; /* CPU to ring */
	int n_cpus;
	struct ring_buffer *control; /* its records wake us */
	struct samples *samples;     /* one per CPU */
	struct turns turns;          /* of samples */
	const struct record_handler *handler;
	uint64_t until_ns; /* CLOCK_MONOTONIC: no record is handed over after that */
};

/* -ECANCELED: time is up. This record has been handed over all the same. */
static int on_record(void *arg, void *data, size_t size)
{
	const struct rings *r = arg;
	const struct record_handler *h = r->handler;
	const struct sample *s = data;
	size_t n;

	if (size < sizeof(uint32_t))
		return 0;
	switch (s->type) {
	case RECORD_SAMPLE:
		if (size < sizeof(*s))
			break;
		n = sample_words(s);
		if (size == sizeof(*s) + n * sizeof(s->pcs[0]) &&
		    sample_user_pcs(s) <= MAX_USER_WORDS && s->n_kernel <= MAX_KERNEL_PCS &&
		    s->n_label_bytes <= LABEL_BYTES)
			h->sample(h->arg, s);
		if (s->cpu < (uint32_t)r->n_cpus) {
			r->samples[s->cpu].last_ns = s->time_ns;
			r->samples[s->cpu].taken += size;
		}
		break;
	case RECORD_IMAGE:
		if (size >= sizeof(struct image_record))
			h->image(h->arg, data);
		break;
	case RECORD_EXIT:
		if (size >= sizeof(struct exit_record))
			h->exit(h->arg, data);
		break;
	case RECORD_HOT:
		if (size >= sizeof(struct hot_record))
			h->hot(h->arg, data);
		break;
	}
	return clock_now_ns() < r->until_ns ? 0 : -ECANCELED;
}

/* Hands over what a ring holds. 1: there may be more; or negative errno. */
static int consume(struct rings *r, struct ring_buffer *ring, uint64_t max_ns)
{
	uint64_t before = r->until_ns, until = clock_now_ns() + max_ns;
	int n;

	/* a handler may call this: then its caller's time counts as well */
	r->until_ns = before && before < until ? before : until;
	n = ring_buffer__consume(ring);
	r->until_ns = before;
	if (n == -ECANCELED)
		return 1;
	return n < 0 ? -EIO : 0;
}

/* Gives a CPU its ring, or a new one; the reader has what is in the old one first. */
static int open_ring(struct rings *r, int cpu, uint32_t size)
{
	struct epoll_event wakes = { .events = EPOLLIN | EPOLLET };
	struct samples *s = &r->samples[cpu];
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, size, NULL), err = 0;
	struct ring_buffer *ring;

	if (fd < 0)
		return -errno;
	ring = ring_buffer__new(fd, on_record, r, NULL);
	if (!ring ||
	    epoll_ctl(ring_buffer__epoll_fd(r->control), EPOLL_CTL_ADD, fd, &wakes))
		err = -errno;
	/* the kernel waits here for programs that still write to the old one */
	else if (bpf_map_update_elem(r->map, &cpu, &fd, BPF_ANY))
		err = -errno;
	close(fd); /* the map of maps and our mapping keep the ring */
	if (err) {
		ring_buffer__free(ring);
		return err;
	}
	s->before = s->ring;
	s->ring = ring;
	s->size = size;
	return 0;
}

static void enlarge_ring(struct rings *r, uint32_t cpu)
{
	struct samples *s = &r->samples[cpu];
	int err;

	if (s->taken <= s->size / 2 || s->size >= RING_MAX || s->before)
		return;
	s->taken = 0;
	err = open_ring(r, (int)cpu, s->size * 2);
	if (err)
		log_debug("cpu %u: no larger ring: %s", cpu, strerror(-err));
	else
		log_debug("cpu %u: a ring of %u bytes", cpu, s->size);
}

static int take_samples(void *arg, uint32_t cpu, uint64_t max_ns)
{
	struct rings *r = arg;
	struct samples *s = &r->samples[cpu];
	uint64_t now = clock_now_ns();
	int more = consume(r, s->before ? s->before : s->ring, max_ns);

	if (more < 0)
		return more;
	if (s->before) {
		if (!more) {
			ring_buffer__free(s->before);
			s->before = NULL;
		}
		s->settled_ns = s->last_ns;
		return 1;
	}
	enlarge_ring(r, cpu);
	if (!more)
		s->taken = 0;
	s->settled_ns = more || s->before ? s->last_ns : now - SENDING_NS;
	return more || s->before;
}

uint64_t rings_settled_ns(const struct rings *r)
{
	uint64_t first = UINT64_MAX;

	for (int cpu = 0; cpu < r->n_cpus; cpu++)
		if (r->samples[cpu].settled_ns < first)
			first = r->samples[cpu].settled_ns;
	return first;
}

int rings_open(struct rings **ret, int control, int per_cpu, int n_cpus, uint32_t size)
{
	struct rings *r = *ret = mem_zalloc(sizeof(*r));
	int err = 0;

	r->map = per_cpu;
	r->n_cpus = n_cpus;
	r->samples = mem_zalloc((size_t)n_cpus * sizeof(*r->samples));
	r->turns.n = (uint32_t)n_cpus;
	r->control = ring_buffer__new(control, on_record, r, NULL);
	if (!r->control)
		return -errno;
	for (int cpu = 0; cpu < n_cpus && !err; cpu++)
		err = open_ring(r, cpu, size);
	return err;
}

void rings_free(struct rings *r)
{
	if (!r)
		return;
	ring_buffer__free(r->control);
	for (int cpu = 0; cpu < r->n_cpus; cpu++) {
		ring_buffer__free(r->samples[cpu].before);
		ring_buffer__free(r->samples[cpu].ring);
	}
	free(r->samples);
	free(r);
}

int rings_poll(struct rings *r, int timeout_ms, const struct record_handler *h)
{
	struct epoll_event event;
	int n, more, control;

	r->handler = h;
	n = epoll_wait(ring_buffer__epoll_fd(r->control), &event, 1, timeout_ms);
	if (n < 0 && errno != EINTR)
		return -errno;
	n = n < 0 ? -EINTR : 0;
	/* few samples wake us: there may be some whatever epoll says */
	control = consume(r, r->control, CONTROL_NS);
	more = turns_take(&r->turns, SAMPLES_NS, take_samples, r);
	if (control < 0 || more < 0)
		return -EIO;
	return n ? n : control | more;
}

int rings_control(struct rings *r)
{
	return consume(r, r->control, CONTROL_NS);
}
