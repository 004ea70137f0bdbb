/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a goroutine waits for. For channels g.waiting leads to it. For the rest nothing in g
 * does, but functions of the runtime have its address on the goroutine's stack, near SP, in
 * a place that depends on the version only; the object says that it is the right one,
 * because it refers to the g.
 */
#include <string.h>

#include "profiler/goruntime/goroutines_private.h"

enum {
	SUDOG_BYTES = 104,
	HCHAN_BYTES = 32,
	POLL_BYTES = 144,
	COND_BYTES = 48,
	OBJECT_MAX = POLL_BYTES,
	SCAN_WORDS = 64,
	CASES_MAX = 1024, /* of a select: a longer list may be a cycle */
	COND_MAX = 1024,  /* waiters of a Cond that are looked at */
	/* offsets in sync.Cond: of notifyList.head and .tail */
	COND_HEAD = 32,
	COND_TAIL = 40,
};

static uint64_t word_at(const uint8_t *bytes, uint32_t offset)
{
	uint64_t v;

	memcpy(&v, bytes + offset, sizeof(v));
	return v;
}

static struct wait_chan chan_of(uint64_t addr, const uint8_t *bytes)
{
	uint32_t closed;

	memcpy(&closed, bytes + 28, sizeof(closed));
	return (struct wait_chan){ addr, word_at(bytes, 0), word_at(bytes, 8), closed };
}

void goroutine_chans_read(struct goroutines *r, struct goroutine_seen *const *s, uint32_t n)
{
	static uint8_t sudogs[BATCH][SUDOG_BYTES], chans[BATCH][HCHAN_BYTES];
	struct memory_part parts[BATCH];
	uint32_t of[BATCH], n_chans = 0;

	for (uint32_t i = 0; i < n; i++)
		parts[i] = (struct memory_part){ s[i]->h.waiting, sudogs[i],
						 (uint32_t)r->f.sudog_c + 8, false };
	r->m->read(r->m, parts, n);
	for (uint32_t i = 0; i < n; i++) {
		bool ours = parts[i].ok && word_at(sudogs[i], 0) == s[i]->g;
		uint64_t addr = ours ? word_at(sudogs[i], r->f.sudog_c) : 0;

		/* goroutines that were created together often wait for the same one */
		if (!n_chans || parts[n_chans - 1].addr != addr) {
			parts[n_chans] = (struct memory_part){ addr, chans[n_chans],
							       HCHAN_BYTES, false };
			n_chans++;
		}
		of[i] = n_chans - 1;
	}
	r->m->read(r->m, parts, n_chans);
	for (uint32_t i = 0; i < n; i++) {
		struct goroutine_wait *w = &s[i]->wait;
		const struct memory_part *p = &parts[of[i]];

		if (!p->ok || !p->addr)
			continue;
		w->kind = WAIT_CHAN;
		w->chans[0] = chan_of(p->addr, p->to);
		w->n_chans = w->n_cases = 1;
	}
}

/* May another link of this list be followed, after n? */
static bool may_follow(struct goroutines *r, uint32_t n)
{
	if (n < LINKS_EACH)
		return true;
	r->spare_links -= r->spare_links > 0;
	return r->spare_links;
}

static void select_read(struct goroutines *r, struct goroutine_seen *s)
{
	struct goroutine_wait *w = &s->wait;
	uint8_t sudog[SUDOG_BYTES], chan[HCHAN_BYTES];

	for (uint64_t at = s->h.waiting;
	     at && w->n_cases < CASES_MAX && may_follow(r, w->n_cases); w->n_cases++) {
		uint64_t c;

		if (!memory_copy(r->m, at, sudog, (uint32_t)r->f.sudog_c + 8) ||
		    word_at(sudog, 0) != s->g)
			break;
		c = word_at(sudog, r->f.sudog_c);
		if (w->n_chans < WAIT_CHANS && memory_copy(r->m, c, chan, HCHAN_BYTES))
			w->chans[w->n_chans++] = chan_of(c, chan);
		at = word_at(sudog, r->f.sudog_waitlink);
	}
	if (w->n_chans)
		w->kind = WAIT_SELECT;
}

/* Is the object at addr what the goroutine waits for? Fills in s->wait if it is. */
typedef bool (*wait_test)(struct goroutines *r, struct goroutine_seen *s, uint64_t addr,
			  const uint8_t *bytes);

static bool poll_test(struct goroutines *r, struct goroutine_seen *s, uint64_t addr,
		      const uint8_t *bytes)
{
	s->wait.write = word_at(bytes, r->f.poll_wg) == s->g;
	if (!s->wait.write && word_at(bytes, r->f.poll_rg) != s->g)
		return false;
	s->wait.addr = addr;
	s->wait.fd = (uint32_t)word_at(bytes, r->f.poll_fd);
	return true;
}

/* A sudog that is not in use any more has no elem. */
static bool sema_test(struct goroutines *r, struct goroutine_seen *s, uint64_t addr,
		      const uint8_t *bytes)
{
	uint64_t sema = word_at(bytes, r->f.sudog_elem);

	(void)addr;
	if (word_at(bytes, 0) != s->g || !sema || sema % 4 ||
	    !memory_copy(r->m, sema - SEMA_BEFORE * 4, s->wait.sema, sizeof(s->wait.sema)))
		return false;
	s->wait.addr = sema;
	return true;
}

/* The list of a Cond has the goroutine. */
static bool cond_test(struct goroutines *r, struct goroutine_seen *s, uint64_t addr,
		      const uint8_t *bytes)
{
	uint64_t at = word_at(bytes, COND_HEAD);
	uint8_t sudog[SUDOG_BYTES];

	if (!at || !word_at(bytes, COND_TAIL))
		return false;
	for (uint32_t i = 0; at && i < COND_MAX && may_follow(r, i); i++) {
		if (at % 8 || !memory_copy(r->m, at, sudog, r->f.sudog_next + 8u))
			return false;
		if (word_at(sudog, 0) == s->g) {
			s->wait.addr = addr;
			return true;
		}
		at = word_at(sudog, r->f.sudog_next);
	}
	return false;
}

static bool may_point(const struct goroutine_seen *s, uint64_t v)
{
	return v >= 1 << 16 && v >> 47 == 0 && v % 8 == 0 && (v < s->h.lo || v >= s->h.hi);
}

/* Searches the words at SP, the one that had it last time first. */
static void scan(struct goroutines *r, struct goroutine_seen *s, enum wait_kind kind,
		 wait_test test, uint32_t size)
{
	static uint8_t objects[SCAN_WORDS][OBJECT_MAX];
	uint32_t n = s->n_words < SCAN_WORDS ? s->n_words : SCAN_WORDS, n_parts = 0;
	uint32_t *hint = &r->hints[kind], of[SCAN_WORDS];
	struct memory_part parts[SCAN_WORDS];

	if (*hint < n && may_point(s, s->words[*hint]) &&
	    memory_copy(r->m, s->words[*hint], objects[0], size) &&
	    test(r, s, s->words[*hint], objects[0])) {
		s->wait.kind = (uint8_t)kind;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!may_point(s, s->words[i]))
			continue;
		of[n_parts] = i;
		parts[n_parts] = (struct memory_part){ s->words[i], objects[n_parts], size,
						       false };
		n_parts++;
	}
	r->m->read(r->m, parts, n_parts);
	for (uint32_t i = 0; i < n_parts; i++) {
		if (!parts[i].ok || !test(r, s, parts[i].addr, objects[i]))
			continue;
		*hint = of[i];
		s->wait.kind = (uint8_t)kind;
		return;
	}
}

static void sleep_read(struct goroutines *r, struct goroutine_seen *s)
{
	s->wait.until_ns = s->h.wake;
	if (r->f.timer_when)
		s->wait.until_ns = s->h.wake
					   ? memory_word(r->m, s->h.wake + r->f.timer_when)
					   : 0;
	if (s->wait.until_ns)
		s->wait.kind = WAIT_SLEEP;
}

void goroutine_wait_read(struct goroutines *r, struct goroutine_seen *s)
{
	switch (r->reason_waits[s->h.reason]) {
	case WAIT_SELECT: select_read(r, s); break;
	case WAIT_POLL: scan(r, s, WAIT_POLL, poll_test, r->f.poll_wg + 8u); break;
	case WAIT_SEMA: scan(r, s, WAIT_SEMA, sema_test, r->f.sudog_elem + 8u); break;
	case WAIT_COND: scan(r, s, WAIT_COND, cond_test, COND_BYTES); break;
	case WAIT_SLEEP: sleep_read(r, s); break;
	}
}
