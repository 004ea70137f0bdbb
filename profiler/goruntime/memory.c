/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "profiler/base/file.h"
#include "profiler/base/living.h"

enum {
	PARTS_MAX = 128, /* of one system call */
	/* The kernel pins a page for each range, so parts that are this near to each other
	 * are read as one, with what lies between them. */
	GAP_MAX = 4096,
};

/* The parts of one system call as it wants them: ours with gaps, theirs without. */
struct request {
	struct iovec local[2 * PARTS_MAX], remote[PARTS_MAX];
	uint32_t n_local, n_remote;
	uint64_t bytes;
};

static uint8_t between[GAP_MAX]; /* what nobody wants */

static void request_fill(struct request *r, const struct memory_part *parts, uint32_t n)
{
	uint64_t end = 0;

	r->n_local = r->n_remote = 0;
	r->bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct memory_part *p = &parts[i];
		uint64_t gap = p->addr - end;

		if (r->n_remote && p->addr >= end && gap <= GAP_MAX) {
			if (gap)
				r->local[r->n_local++] = (struct iovec){ between, gap };
			r->remote[r->n_remote - 1].iov_len += gap + p->len;
			r->bytes += gap;
		} else {
			r->remote[r->n_remote++] =
				(struct iovec){ (void *)(uintptr_t)p->addr, p->len };
		}
		r->local[r->n_local++] = (struct iovec){ p->to, p->len };
		r->bytes += p->len;
		end = p->addr + p->len;
	}
}

static ssize_t request_send(struct memory *m, struct request *r)
{
	ssize_t got = process_vm_readv(m->thread, r->local, r->n_local, r->remote,
				       r->n_remote, 0);

	if (got < 0 && (errno == ESRCH || errno == EPERM))
		m->err = -errno;
	return got;
}

/* Part by part: the kernel stops at the first that it cannot read. */
static void read_singly(struct memory *m, struct memory_part *parts, uint32_t n)
{
	struct request r;

	for (uint32_t i = 0; i < n && !m->err; i++) {
		request_fill(&r, &parts[i], 1);
		parts[i].ok = request_send(m, &r) == (ssize_t)r.bytes;
	}
}

static void process_read(struct memory *m, struct memory_part *parts, uint32_t n)
{
	struct request r;

	for (uint32_t i = 0; i < n; i++)
		parts[i].ok = false;
	for (uint32_t i = 0; i < n && !m->err; i += PARTS_MAX) {
		uint32_t some = n - i < PARTS_MAX ? n - i : PARTS_MAX;

		request_fill(&r, &parts[i], some);
		if (request_send(m, &r) == (ssize_t)r.bytes)
			for (uint32_t k = 0; k < some; k++)
				parts[i + k].ok = true;
		else
			read_singly(m, &parts[i], some);
	}
}

struct memory memory_of_process(pid_t pid)
{
	struct memory m = { .read = process_read, .thread = living_thread(pid) };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", m.thread);
	m.bytes = file_line_bytes("\nVmSize:", path);
	return m;
}

bool memory_copy(struct memory *m, uint64_t addr, void *to, uint32_t len)
{
	struct memory_part part = { .addr = addr, .to = to, .len = len };

	m->read(m, &part, 1);
	return part.ok;
}

uint64_t memory_word(struct memory *m, uint64_t addr)
{
	uint64_t v = 0;

	return memory_copy(m, addr, &v, sizeof(v)) ? v : 0;
}
