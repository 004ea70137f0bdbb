/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/goroutines.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/goruntime/goroutines_private.h"

enum {
	LIST_PART = 4096,       /* elements of allgs that are read at a time */
	LIST_MAX = 64 << 20,    /* goroutines */
	GOROUTINE_BYTES = 2400, /* a g and the smallest stack take at least that */
	RETRIES = 4,
};

/* What is to be done with a g of a batch. */
enum turn { TURN_SKIP, TURN_HEAD, TURN_STACK, TURN_AGAIN };

struct item {
	struct goroutine_seen s;
	enum turn turn;
	bool twice;             /* its stack is read twice */
	uint64_t *first, *copy; /* both readings of it */
};

/* One reading of some goroutines. */
struct batch {
	struct goroutines *r;
	struct item items[BATCH];
	uint32_t n, first; /* first: row of the first of them */
	unsigned what;
};

int goroutines_open(struct goroutines **ret, struct space *space,
		    const struct go_runtime *runtime, struct memory *memory,
		    const char **why)
{
	struct goroutines *r = mem_zalloc(sizeof(*r));
	int err;

	r->m = memory;
	r->space = space;
	r->runtime = *runtime;
	r->words = mem_realloc(NULL, POOL_WORDS, sizeof(*r->words));
	r->again = mem_realloc(NULL, POOL_WORDS, sizeof(*r->again));
	err = goroutines_find(r, why);
	if (!err) {
		*ret = r;
		return 0;
	}
	goroutines_close(r);
	return err;
}

void goroutines_close(struct goroutines *r)
{
	if (!r)
		return;
	free(r->gs);
	free(r->words);
	free(r->again);
	free(r);
}

const struct goroutines_counts *goroutines_counts(const struct goroutines *r)
{
	return &r->counts;
}

bool goroutines_counted(const struct goroutines *r)
{
	return r->f.seq;
}

bool goroutines_list_damaged(const struct goroutines *r)
{
	return r->damaged;
}

/* The list. */

struct go_slice {
	uint64_t ptr, len, cap;
};

/* The header of allgs, which is written while it is read: the same twice is what it was. */
static bool list_header(struct goroutines *r, struct go_slice *ret)
{
	struct go_slice again;

	for (int i = 0; i < RETRIES; i++) {
		if (!memory_copy(r->m, r->allgs, ret, sizeof(*ret)) ||
		    !memory_copy(r->m, r->allgs, &again, sizeof(again)))
			return false;
		if (!memcmp(ret, &again, sizeof(again)) && ret->len <= ret->cap)
			return true;
	}
	return false;
}

static bool is_g(uint64_t addr)
{
	return addr && addr % 8 == 0 && addr >> 47 == 0;
}

const uint64_t *goroutines_list(struct goroutines *r, uint32_t *n)
{
	uint64_t part[LIST_PART], most = LIST_MAX;
	struct go_slice list = { 0 };

	if (r->m->bytes && r->m->bytes / GOROUTINE_BYTES < most)
		most = r->m->bytes / GOROUTINE_BYTES;
	r->damaged = !list_header(r, &list);
	if (r->damaged)
		list.len = 0;
	r->damaged |= list.len > most;
	list.len = list.len < most ? list.len : most;
	for (bool ends = false; r->n < list.len && !ends; r->damaged |= ends) {
		uint64_t left = list.len - r->n, some = left < LIST_PART ? left : LIST_PART;

		ends = !memory_copy(r->m, list.ptr + r->n * 8ull, part, (uint32_t)some * 8);
		for (uint64_t i = 0; i < some && !ends; i++) {
			ends = !is_g(part[i]);
			if (!ends)
				*table_add(r->gs, r->n, r->cap) = part[i];
		}
	}
	*n = r->n;
	return r->gs;
}

/* Reading. */

/* Has it moved between two looks? The GC writes since_ns to a goroutine that stands
 * still. */
static bool is_same(const struct goroutine_header *a, const struct goroutine_header *b)
{
	struct goroutine_header x = *a, y = *b;

	x.since_ns = y.since_ns = 0;
	return !memcmp(&x, &y, sizeof(x));
}

/* The first look. Decides what else there is to read. */
static void item_begin(struct goroutines *r, struct item *it, const uint8_t *head)
{
	struct goroutine_header *h = &it->s.h;
	bool syscall;

	goroutine_parse(&r->f, head, h);
	syscall = h->status == STATUS_SYSCALL;
	it->turn = TURN_HEAD;
	if (h->status == STATUS_DEAD || h->status == STATUS_IDLE ||
	    h->status == STATUS_DEADEXTRA || !h->goid) {
		it->turn = TURN_SKIP;
		r->counts.dead++;
		return;
	}
	if (h->status == STATUS_RUNNING || (syscall && !h->syscallsp))
		return;
	it->s.sp = syscall ? h->syscallsp : h->sp;
	it->s.pc = syscall ? h->syscallpc : h->pc;
	it->twice = syscall || !r->f.seq;
	it->turn = TURN_STACK;
	if (h->scan || h->status > STATUS_LEAKED || h->status == STATUS_COPYSTACK ||
	    !it->s.pc || it->s.sp % 8 || it->s.sp <= h->lo || it->s.sp > h->hi)
		it->turn = TURN_AGAIN;
	else if (it->s.pc != h->startpc || h->status != STATUS_RUNNABLE)
		it->s.pc--; /* a return address, unless it has never run */
}

static void heads_read(struct batch *b, struct memory_part *parts)
{
	for (uint32_t i = 0; i < b->n; i++)
		parts[i] = (struct memory_part){ b->items[i].s.g, b->r->heads[i],
						 b->r->f.head, false };
	b->r->m->read(b->r->m, parts, b->n);
}

/* Gives each stack room for its words. What does not fit is left to the next batch. */
static void pool_share(struct batch *b)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];
		uint64_t words = (it->s.h.hi - it->s.sp) / 8;

		if (it->turn != TURN_STACK)
			continue;
		it->s.cut = words > STACK_WORDS;
		it->s.n_words = it->s.cut ? STACK_WORDS : (uint32_t)words;
		if (used + it->s.n_words > POOL_WORDS) {
			b->n = i;
			return;
		}
		it->s.words = it->first = b->r->words + used;
		it->copy = b->r->again + used;
		used += it->s.n_words;
	}
}

/* again: the second reading, of those that need it. */
static void stacks_read(struct batch *b, bool again)
{
	struct memory_part parts[BATCH];
	uint32_t of[BATCH], n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		if (it->turn != TURN_STACK || (again && !it->twice) || !it->s.n_words)
			continue;
		of[n] = i;
		parts[n++] = (struct memory_part){ it->s.sp, again ? it->copy : it->first,
						   it->s.n_words * 8, false };
	}
	b->r->m->read(b->r->m, parts, n);
	for (uint32_t i = 0; i < n; i++) {
		struct item *it = &b->items[of[i]];

		if (!parts[i].ok ||
		    (again && memcmp(it->copy, it->s.words, it->s.n_words * 8ul)))
			it->turn = TURN_AGAIN;
	}
}

static void waits_read(struct batch *b)
{
	struct goroutine_seen *chans[BATCH];
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct goroutine_seen *s = &b->items[i].s;

		if (b->items[i].turn != TURN_STACK || s->h.status != STATUS_WAITING ||
		    s->h.reason >= b->r->n_reasons)
			continue;
		if (b->r->reason_waits[s->h.reason] != WAIT_CHAN)
			goroutine_wait_read(b->r, s);
		else if (s->h.waiting)
			chans[n++] = s;
	}
	if (n)
		goroutine_chans_read(b->r, chans, n);
}

/* The second look. */
static void items_compare(struct batch *b)
{
	struct memory_part parts[BATCH];
	struct goroutine_header h;

	heads_read(b, parts);
	for (uint32_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		if (it->turn == TURN_SKIP || it->turn == TURN_AGAIN)
			continue;
		if (parts[i].ok)
			goroutine_parse(&b->r->f, b->r->heads[i], &h);
		/* what runs changes all the time, but stays the same goroutine */
		if (parts[i].ok && it->turn == TURN_HEAD &&
		    it->s.h.status == STATUS_RUNNING && h.status == STATUS_RUNNING &&
		    h.goid == it->s.h.goid && h.startpc == it->s.h.startpc)
			continue;
		if (!parts[i].ok || !is_same(&h, &it->s.h))
			it->turn = TURN_AGAIN;
	}
}

static void item_visit(struct batch *b, struct item *it, goroutine_visit visit, void *arg)
{
	struct goroutine_seen *s = &it->s;

	b->r->counts.seen++;
	if (it->turn == TURN_HEAD)
		s->pc = s->sp = 0;
	visit(arg, s);
}

/* Labels are read last, one by one, and only count if the goroutine still has them. */
static bool labels_read_of(struct batch *b, struct item *it)
{
	struct goroutine_seen *s = &it->s;
	uint64_t labels = 0;

	if (!(b->what & READ_LABELS) || !s->h.labels)
		return true;
	s->label_bytes = goroutine_labels_read(b->r->m, s->h.labels, b->r->f.labels_list,
					       &s->n_label_bytes, &s->more_labels);
	return memory_copy(b->r->m, s->g + b->r->f.labels, &labels, sizeof(labels)) &&
	       labels == s->h.labels &&
	       memory_word(b->r->m, s->g + b->r->f.goid) == s->h.goid;
}

/* Reads the first of these. Returns how many; the bits of `again` are those that moved. */
static uint32_t batch_read(struct batch *b, const uint64_t *gs, uint32_t n,
			   goroutine_visit visit, void *arg, uint64_t *again)
{
	struct memory_part parts[BATCH];

	b->n = n < BATCH ? n : BATCH;
	for (uint32_t i = 0; i < b->n; i++)
		b->items[i] = (struct item){ .s.g = gs[i], .s.row = b->first + i };
	heads_read(b, parts);
	for (uint32_t i = 0; i < b->n; i++)
		if (parts[i].ok)
			item_begin(b->r, &b->items[i], b->r->heads[i]);
		else
			b->items[i].turn = TURN_AGAIN;
	if (b->what & READ_STACKS) {
		pool_share(b);
		stacks_read(b, false);
		if (b->what & READ_WAITS)
			waits_read(b);
		stacks_read(b, true);
	}
	if (b->what)
		items_compare(b);
	*again = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		if (it->turn == TURN_AGAIN ||
		    (it->turn != TURN_SKIP && !labels_read_of(b, it)))
			*again |= 1ull << i;
		else if (it->turn != TURN_SKIP)
			item_visit(b, it, visit, arg);
	}
	return b->n;
}

void goroutines_read(struct goroutines *r, const uint64_t *gs, uint32_t n, unsigned what,
		     goroutine_visit visit, void *arg)
{
	struct batch *b = mem_zalloc(sizeof(*b));
	uint32_t some;

	b->r = r;
	b->what = what;
	r->spare_links = LINKS_SPARE;
	for (uint32_t i = 0; i < n && !r->m->err; i += some) {
		uint64_t again, still;

		b->first = i;
		some = batch_read(b, gs + i, n - i, visit, arg, &again);
		for (uint32_t k = 0; k < some; k++) {
			still = again >> k & 1;
			r->counts.again += still;
			b->first = i + k;
			for (int t = 0; t < RETRIES && still; t++)
				batch_read(b, gs + i + k, 1, visit, arg, &still);
			r->counts.lost += still;
		}
	}
	free(b);
}

bool goroutines_still(struct goroutines *r, const struct goroutine_seen *s)
{
	struct goroutine_header h;

	if (!memory_copy(r->m, s->g, r->heads[0], r->f.head))
		return false;
	goroutine_parse(&r->f, r->heads[0], &h);
	return is_same(&h, &s->h);
}

const char *goroutines_state(const struct goroutines *r, const struct goroutine_header *h)
{
	static const char *const names[] = {
		[STATUS_IDLE] = "idle",           [STATUS_RUNNABLE] = "runnable",
		[STATUS_RUNNING] = "running",     [STATUS_SYSCALL] = "syscall",
		[STATUS_WAITING] = "waiting",     [STATUS_DEAD] = "dead",
		[STATUS_COPYSTACK] = "copystack", [STATUS_PREEMPTED] = "preempted",
		[STATUS_LEAKED] = "leaked",
	};
	bool waits = h->status == STATUS_WAITING || h->status == STATUS_LEAKED;

	if (waits && h->reason && h->reason < r->n_reasons)
		return r->reasons[h->reason];
	return h->status <= STATUS_LEAKED && names[h->status] ? names[h->status]
							      : "unknown";
}

uint32_t goroutines_thread(struct goroutines *r, const struct goroutine_header *h)
{
	if (!h->m || (h->status != STATUS_RUNNING && h->status != STATUS_SYSCALL))
		return 0;
	return (uint32_t)memory_word(r->m, h->m + r->f.m_procid);
}
