/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golayout_check(): compares a layout with a running process. Threads run on while they are
 * read, so each is read twice; if the results differ they mean nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/living.h"
#include "profiler/goruntime/golayout.h"
#include "profiler/kernel/threads.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

enum {
	TRIES = 8,
	ATTEMPTS = 3,
	THREADS_MAX = 256, /* more would reveal nothing new */
	STATUS_MAX = 11,   /* _Gdeadextra of Go 1.26 */
	STATUS_SCAN = 0x1000,
	SLOT_MAX = 64 << 10,
};

struct process {
	const struct golayout *l;
	struct space *space;
	uint64_t bias;
	pid_t thread; /* the one whose memory is read */
};

/* What the slot of a thread leads to. */
struct reading {
	uint64_t g, m, curg;
	uint64_t g0, g0_m, procid, gsignal;
	uint64_t lo, hi, goid, goid_g0, startpc, gopc; /* of curg, except goid_g0 */
	uint32_t status;
};

static bool peek(const struct process *p, uint64_t addr, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)(uintptr_t)addr, n };

	return process_vm_readv(p->thread, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

/* A wrong layout leads anywhere: what is unreadable is 0 and fails its check. */
static uint64_t word(const struct process *p, uint64_t addr)
{
	uint64_t v = 0;

	return peek(p, addr, &v, sizeof(v)) ? v : 0;
}

/* False: no g there. */
static bool thread_read(const struct process *p, const struct thread_state *t,
			struct reading *r)
{
	const struct layout *l = &p->l->layout;

	memset(r, 0, sizeof(*r));
	r->g = t->tp ? word(p, t->tp + (uint64_t)l->tls_g) : 0;
	if (!r->g)
		return false;
	r->m = word(p, r->g + (uint64_t)p->l->fields[FIELD_G_M].offset);
	r->curg = word(p, r->m + l->m_curg);
	r->g0 = word(p, r->m);
	r->procid = word(p, r->m + l->m_procid);
	r->gsignal = word(p, r->m + l->m_procid + 8);
	r->g0_m = word(p, r->g0 + (uint64_t)p->l->fields[FIELD_G_M].offset);
	r->goid_g0 = word(p, r->g0 + l->g_goid);
	if (r->curg) {
		r->lo = word(p, r->curg);
		r->hi = word(p, r->curg + 8);
		r->goid = word(p, r->curg + l->g_goid);
		r->startpc = word(p, r->curg + l->g_startpc);
		r->gopc = word(p, r->curg + l->g_gopc);
		r->status = (uint32_t)word(p, r->curg + l->g_goid - 8);
	}
	return true;
}

static bool thread_read_stable(const struct process *p, const struct thread_state *t,
			       struct reading *r)
{
	struct reading again;

	for (int i = 0; i < TRIES; i++) {
		if (!thread_read(p, t, r))
			return false;
		if (thread_read(p, t, &again) && !memcmp(r, &again, sizeof(again)))
			return true;
	}
	return false;
}

static void result(struct golayout *l, enum layout_check check, bool ok)
{
	l->checks[check].ok = ok && (l->checks[check].ok || !l->checks[check].ran);
	l->checks[check].ran = true;
}

/* A goroutine that the runtime makes for a C thread has no go statement. */
static bool start_is_right(const struct process *p, const struct reading *r)
{
	struct go_pc f;

	if (!r->startpc)
		return !r->gopc;
	space_go_pc(p->space, r->startpc, &f);
	return f.entry == r->startpc;
}

static void thread_check(struct golayout *l, const struct process *p,
			 const struct thread_state *t, const struct reading *r)
{
	result(l, CHECK_G0, r->g0_m == r->m);
	result(l, CHECK_PROCID, r->procid == t->ns_tid || r->procid == t->tid);
	result(l, CHECK_CURG, r->g == r->curg || r->g == r->g0 || r->g == r->gsignal);
	if (!r->curg)
		return;
	result(l, CHECK_STACK, r->lo < r->hi);
	result(l, CHECK_STATUS, (r->status & ~(uint32_t)STATUS_SCAN) <= STATUS_MAX);
	result(l, CHECK_GOID, r->goid && !r->goid_g0);
	result(l, CHECK_START, start_is_right(p, r));
}

struct goroutine_seen {
	uint64_t goid, g;
};

static int seen_cmp(const void *a, const void *b)
{
	const struct goroutine_seen *x = a, *y = b;

	return ascending(x->goid, y->goid);
}

/* A goroutine seen on two threads has moved; its g is the same. */
static void check_unique(struct golayout *l, struct goroutine_seen *seen, uint32_t n)
{
	table_sort(seen, n, seen_cmp);
	for (uint32_t i = 1; i < n; i++)
		if (seen[i].goid == seen[i - 1].goid && seen[i].g != seen[i - 1].g)
			result(l, CHECK_GOID, false);
}

static const char *verdict(const struct golayout *l)
{
	for (int i = 0; i < CHECKS; i++)
		if (l->checks[i].ran && !l->checks[i].ok)
			return layout_checks[i].why;
	return NULL;
}

/* Reads what only the process knows about the slot. -EAGAIN: not loaded yet. */
static int slot_read(struct golayout *l, const struct process *p)
{
	uint8_t iscgo = 1;
	int64_t offset;

	if (l->got) {
		if (!peek(p, l->got + p->bias, &offset, sizeof(offset)))
			return -errno;
		if (offset % 8 || offset > SLOT_MAX || offset < -SLOT_MAX)
			return -ENOTSUP;
		if (!offset)
			return -EAGAIN;
		l->layout.tls_g = offset;
	}
	if (l->iscgo) {
		if (!peek(p, l->iscgo + p->bias, &iscgo, 1))
			return -errno;
		l->layout.g_in_register = !iscgo;
	}
	return 0;
}

static void threads_check(struct golayout *l, const struct process *p,
			  const struct thread_state *threads, uint32_t n)
{
	struct goroutine_seen seen[THREADS_MAX];
	uint32_t n_seen = 0, n_named = 0, n_nameless = 0;
	struct reading r;

	for (uint32_t i = 0; i < n && i < THREADS_MAX; i++) {
		if (!thread_read_stable(p, &threads[i], &r))
			continue;
		/* a thread that has just started has a g before its m has its id; but not
		 * several threads */
		n_nameless += !r.procid;
		n_named += r.procid != 0;
		if (!r.procid)
			continue;
		thread_check(l, p, &threads[i], &r);
		if (r.curg && r.goid)
			seen[n_seen++] = (struct goroutine_seen){ r.goid, r.curg };
	}
	if (!n_named && n_nameless > 1)
		result(l, CHECK_PROCID, false);
	check_unique(l, seen, n_seen);
}

int golayout_check(struct golayout *l, struct space *space, pid_t pid,
		   const struct thread_state *threads, uint32_t n)
{
	struct process p = { l, space, 0, living_thread(pid) };
	struct golayout fresh;
	int err;

	l->layout.ok = 0;
	space_go(space, &p.bias);
	err = slot_read(l, &p);
	if (err) {
		l->why = "the slot of g could not be read from the process";
		return err;
	}
	fresh = *l;
	/* what is wrong stays wrong; what was only in transition does not */
	for (int i = 0; i < ATTEMPTS; i++) {
		*l = fresh;
		if (!l->layout.g_in_register) /* else there is no slot to start from */
			threads_check(l, &p, threads, n);
		l->why = verdict(l);
		if (!l->why)
			break;
		usleep(1000);
	}
	if (l->why)
		return -ENOTSUP;
	if (l->unproved && !l->checks[CHECK_GOID].ran) {
		l->why =
			"its Go version is unknown, and it was idle: no goroutine to check";
		return -EAGAIN;
	}
	l->layout.ok = 1;
	return 0;
}
