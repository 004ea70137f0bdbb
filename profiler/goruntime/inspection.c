/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/inspection.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "profiler/base/arena.h"
#include "profiler/base/living.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/classify.h"
#include "symbolizer/symbolizer.h"

enum {
	TRIES = 3, /* a starting thread first has its creator's thread pointer */
	STATUS_SCAN = 0x1000,
};

/* as in runtime2.go */
static const char *const statuses[] = {
	"idle", "runnable", "running",   "syscall",   "waiting", "moribund",
	"dead", "enqueue",  "copystack", "preempted", "leaked",  "deadextra",
};

/* The thread whose memory read_user() reads; its callers have no argument for it. */
static pid_t reading;

static long read_user(void *dst, __u32 size, __u64 addr)
{
	struct iovec local = { dst, size }, remote = { (void *)(uintptr_t)addr, size };

	if (process_vm_readv(reading, &local, 1, &remote, 1, 0) == (ssize_t)size)
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

#include "bpf/goruntime.bpf.h"

static uint64_t word(uint64_t addr)
{
	uint64_t v;

	return addr && !read_user(&v, sizeof(v), addr) ? v : 0;
}

/* Finds out what the thread does, once g is known. Returns the flags of a sample. */
static uint32_t goroutine_probe(const struct golayout *l, struct inspected_thread *t)
{
	struct goroutine_state s = { 0 };
	struct goroutine_scratch tmp;
	uint32_t flags, status;

	if (!t->g)
		return t->kernel.tp ? SAMPLE_NO_G : SAMPLE_STARTING;
	tmp.m_addr = 0;
	flags = thread_read(&l->layout, &tmp, t->g, &s);
	t->m = word(t->g + (uint64_t)l->fields[FIELD_G_M].offset);
	t->curg = word(t->m + l->layout.m_curg);
	if (s.procid != t->kernel.ns_tid)
		return flags | SAMPLE_G_FAULT;
	if (flags & SAMPLE_G_FAULT || !s.goid)
		return flags;
	/* a thread held by a debugger may run, and may have left the goroutine by now */
	if (word(t->curg + (uint64_t)l->fields[FIELD_G_GOID].offset) != s.goid ||
	    !t->curg) {
		t->curg = 0;
		return flags | SAMPLE_G_FAULT;
	}
	t->goid = s.goid;
	t->startpc = s.startpc;
	status = (uint32_t)word(t->curg + (uint64_t)l->fields[FIELD_G_STATUS].offset) &
		 ~(uint32_t)STATUS_SCAN;
	t->status = status < sizeof(statuses) / sizeof(*statuses) ? statuses[status]
								  : "unknown";
	return flags;
}

/* Everything that is done while the thread is stopped. */
static void thread_probe(const struct golayout *l, struct inspected_thread *t)
{
	uint64_t tp = t->why ? t->kernel.tp : t->user.tp;

	t->status = l->layout.ok ? "none" : "unknown";
	if (tp && l->slot_how && l->layout.tls_g) {
		t->slot = tp + (uint64_t)l->layout.tls_g;
		t->g = l->layout.g_in_register ? t->user.x28 : word(t->slot);
	}
	t->flags = l->layout.ok ? goroutine_probe(l, t) : SAMPLE_NO_LAYOUT;
	if (t->kernel.state != 'R')
		t->flags |= SAMPLE_KERNEL;
}

static void thread_name(struct inspection *in, struct inspected_thread *t)
{
	struct frame f[FRAMES_AT_PC];

	if (t->startpc)
		t->start = space_start_function(in->space, t->startpc);
	symbolizer_user(in->symbolizer, in->space, t->why ? t->kernel.ip : t->user.ip, f,
			FRAMES_AT_PC, NULL);
	t->at = f[0].func;
	t->class = classify(t->flags, t->goid, strtab_get(in->strs, t->start), f[0].kind);
}

static int threads_probe(struct inspection *in, struct threads_bpf *threads)
{
	struct thread_state *rows = NULL;
	uint32_t n = 0;
	int err = threads_read(threads, in->pid, &rows, &n);

	free(in->threads);
	in->threads = mem_zalloc((n + 1) * sizeof(*in->threads));
	in->n = n;
	in->differ = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct inspected_thread *t = &in->threads[i];
		uint64_t ns;
		bool stopped;

		t->kernel = rows[i];
		stopped = !tracee_stop(&t->user, (pid_t)rows[i].tid, &t->why);
		thread_probe(&in->layout, t);
		if (!stopped)
			continue;
		ns = tracee_release(&t->user);
		in->longest_ns = ns > in->longest_ns ? ns : in->longest_ns;
		in->differ += t->user.tp != t->kernel.tp;
	}
	free(rows);
	return err;
}

/* Finds the layout: from the file, or from DWARF if a process contradicts that. */
static int layout_probe(struct inspection *in, struct threads_bpf *threads)
{
	struct golayout *l = &in->layout;
	struct thread_state *rows = NULL;
	uint32_t n = 0;
	int err = threads ? threads_read(threads, in->pid, &rows, &n) : 0;

	for (int dwarf = 0; !err && dwarf < 2; dwarf++) {
		if (!golayout_find(l, in->object, dwarf) && threads)
			golayout_check(l, in->space, in->pid, rows, n);
		if (!l->why)
			break;
	}
	free(rows);
	return err;
}

int inspection_run(struct inspection *in, const char **what)
{
	const struct sched_param urgent = { .sched_priority = 1 }, usual = { 0 };
	struct threads_bpf *threads;
	int err;

	*what = NULL;
	if (!in->pid)
		return layout_probe(in, NULL);
	err = threads_open(&threads, what);
	if (err)
		return err;
	*what = NULL;
	reading = living_thread(in->pid);
	err = layout_probe(in, threads);
	/* real-time priority if permitted, to keep the stops short */
	sched_setscheduler(0, SCHED_FIFO, &urgent);
	for (int i = 0; !err && i < TRIES && (!i || in->differ); i++)
		err = threads_probe(in, threads);
	sched_setscheduler(0, SCHED_OTHER, &usual);
	for (uint32_t i = 0; i < in->n; i++)
		thread_name(in, &in->threads[i]);
	threads_close(threads);
	return err;
}

void inspection_release(struct inspection *in)
{
	free(in->threads);
}
