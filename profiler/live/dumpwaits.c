/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/dumpwaits.h"

#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/goroutines.h"
#include "profiler/live/files.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/profile.h"

enum {
	LEAF_FRAMES = 16,  /* package sync is among them, if it waits at all */
	BUBBLE = 1u << 31, /* of sync.WaitGroup's waiters since Go 1.25 */
	PATH_LEN = 256,
	AT = SEMA_BEFORE, /* the semaphore itself in goroutine_wait.sema */
};

static void wait_add(struct dump_waits *w, struct goroutine_state *st,
		     struct wait_object *o)
{
	struct dump *d = w->dump;

	o->process = w->process;
	if (!st->n_objects)
		st->objects = d->n_waits;
	st->n_objects++;
	*table_add(d->waits, d->n_waits, d->cap_waits) = dump_object(d, o);
}

static uint32_t text_id(const struct dump_waits *w, struct buf *b)
{
	uint32_t id = strtab_addn(w->dump->profile->strings, (char *)b->data, b->len);

	buf_release(b);
	return id;
}

/* The innermost function of package sync: whose semaphore it is. */
static const char *sync_function(const struct profile *p, uint32_t call)
{
	for (int i = 0; call && i < LEAF_FRAMES; i++, call = p->calls[call].parent) {
		const char *func = profile_string(p, p->frames[p->calls[call].frame].func);

		func += strncmp(func, "internal/", 9) ? 0 : 9;
		if (!strncmp(func, "sync.(*", 7))
			return func + 5;
	}
	return "";
}

static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/*
 * The layouts of package sync, in words of 32 bits:
 *
 *	Mutex		state, sema
 *	RWMutex		Mutex, writerSem, readerSem, readerCount, readerWait
 *	WaitGroup	waiters, counter, sema; up to Go 1.17 sema comes first if the rest
 *			would not be at a multiple of 8
 */
static void sema_object(struct wait_object *o, const char *func,
			const struct goroutine_wait *w)
{
	const uint32_t *at = &w->sema[AT];
	bool reader = has_prefix(func, "(*RWMutex).RLock");

	o->addr = w->addr;
	o->kind = OBJECT_SEMA;
	if (has_prefix(func, "(*Mutex).")) {
		o->kind = OBJECT_MUTEX;
		o->addr = w->addr - 4;
		o->word = at[-1];
	} else if (reader || has_prefix(func, "(*RWMutex).Lock")) {
		at -= reader ? 3 : 2;
		o->kind = OBJECT_RWMUTEX;
		o->addr = w->addr - (reader ? 12 : 8);
		o->word = at[0];
		o->readers = (int32_t)at[4];
		o->left = (int32_t)at[5];
	} else if (has_prefix(func, "(*WaitGroup).")) {
		o->kind = OBJECT_WAITGROUP;
		o->addr = w->addr % 8 ? w->addr : w->addr - 8;
		o->word = (w->addr % 8 ? at[1] : at[-2]) & ~BUBBLE;
		o->counter = w->addr % 8 ? at[2] : at[-1];
	}
}

/* Adds the path at this address. */
static void path_add(struct dump_waits *w, uint64_t addr, struct buf *to)
{
	char text[PATH_LEN + 1] = "";

	if (!memory_copy(w->memory, addr, text, PATH_LEN)) {
		uint32_t some = PATH_LEN - (uint32_t)((addr + PATH_LEN) % 4096);

		if (some >= PATH_LEN || !memory_copy(w->memory, addr, text, some))
			return;
		text[some] = 0;
	}
	buf_str(to, text);
}

/* The thread may be in another call by now; then nothing is said. */
static void syscall_add(struct dump_waits *w, struct goroutine_state *st,
			const struct goroutine_seen *s)
{
	struct wait_object o = { .kind = OBJECT_SYSCALL, .tid = st->tid };
	struct thread_call c, again;
	struct buf file = { 0 };

	if (!st->tid || !thread_call_read(&c, w->pid, st->tid))
		return;
	if (c.has_fd)
		files_name(w->files, c.fd, &file);
	else if (c.path)
		path_add(w, c.path, &file);
	o.file = text_id(w, &file);
	if (!thread_call_read(&again, w->pid, st->tid) || strcmp(again.number, c.number) ||
	    again.fd != c.fd || again.path != c.path || !goroutines_still(w->reader, s))
		return;
	o.fd = c.has_fd ? c.fd + 1 : 0;
	o.name = c.name ? strtab_add(w->dump->profile->strings, c.name) : 0;
	wait_add(w, st, &o);
}

static void file_add(struct dump_waits *w, struct goroutine_state *st,
		     const struct goroutine_wait *wait)
{
	struct wait_object o = { .kind = OBJECT_FILE,
				 .addr = wait->addr,
				 .fd = wait->fd + 1 };
	struct buf file = { 0 };

	files_name(w->files, wait->fd, &file);
	o.file = text_id(w, &file);
	wait_add(w, st, &o);
}

void dump_waits_add(struct dump_waits *w, struct goroutine_state *st, const struct event *e,
		    const struct goroutine_seen *s)
{
	const struct goroutine_wait *wait = &s->wait;
	struct wait_object o = { 0 };

	if (s->h.status == STATUS_SYSCALL)
		syscall_add(w, st, s);
	switch (wait->kind) {
	case WAIT_CHAN:
	case WAIT_SELECT:
		for (uint32_t i = 0; i < wait->n_chans; i++) {
			o = (struct wait_object){ .kind = OBJECT_CHAN,
						  .addr = wait->chans[i].addr,
						  .closed = wait->chans[i].closed,
						  .len = wait->chans[i].len,
						  .cap = wait->chans[i].cap };
			wait_add(w, st, &o);
		}
		st->cases = (uint16_t)wait->n_cases;
		break;
	case WAIT_POLL: file_add(w, st, wait); break;
	case WAIT_SEMA:
		sema_object(&o, sync_function(w->dump->profile, e->call), wait);
		wait_add(w, st, &o);
		break;
	case WAIT_COND:
		o = (struct wait_object){ .kind = OBJECT_COND, .addr = wait->addr };
		wait_add(w, st, &o);
		break;
	}
}
