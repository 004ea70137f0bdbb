/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/dump_groups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/text.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/groups.h"
#include "profiler/profile/view.h"

static int by_size(const void *a, const void *b)
{
	const struct dump_group *x = a, *y = b;

	return x->n != y->n ? descending(x->n, y->n) : ascending(x->first, y->first);
}

/* Adds the names of a group of the view, outermost first. */
static void name_add(const struct groups *groups, uint32_t row, struct buf *to)
{
	if (!row)
		return;
	name_add(groups, groups->rows[row].parent, to);
	if (to->len)
		buf_str(to, ", ");
	buf_str(to, strtab_get(groups->names, groups->rows[row].value));
}

/* The group of each event of the view, as an id. */
static void keys_find(struct dump_groups *g, bool by_state, uint32_t *of)
{
	const struct profile *p = g->dump->profile;
	struct groups groups = { .view = g->view, .names = strtab_new() };
	bool by = g->view->by.n || by_state;
	struct pairs keys = { 0 };
	struct buf name = { 0 };

	for (uint32_t i = 0; i < g->view->n_events; i++) {
		uint32_t row = g->view->events[i], state = g->dump->states[row].state;
		uint32_t group = by ? groups_add(&groups, &p->events[row])
				    : p->events[row].call;

		of[i] = pairs_add(&keys, by && !by_state ? 0 : state, group);
		if (of[i] == g->n) {
			name.len = 0;
			if (by)
				name_add(&groups, group, &name);
			*table_add(g->list, g->n, g->cap) = (struct dump_group){
				.name = strtab_addn(g->names, (char *)name.data, name.len)
			};
		}
	}
	buf_release(&name);
	pairs_release(&keys);
	strtab_free((struct strtab *)groups.names);
	groups_release(&groups);
}

static void group_count(struct dump_group *g, const struct goroutine_state *s)
{
	g->n++;
	g->unmoved += s->flags & STATE_UNMOVED;
	g->known += s->since_ns != 0;
	g->since_ns = s->since_ns > g->since_ns ? s->since_ns : g->since_ns;
}

struct dump_groups dump_groups_new(const struct dump *d, const struct view *v,
				   bool by_state)
{
	struct dump_groups g = { .dump = d, .view = v, .names = strtab_new() };
	uint32_t *of = mem_zalloc((v->n_events + 1ul) * sizeof(*of)), first = 0;

	g.rows = mem_zalloc((v->n_events + 1ul) * sizeof(*g.rows));
	keys_find(&g, by_state, of);
	for (uint32_t i = 0; i < v->n_events; i++)
		group_count(&g.list[of[i]], &d->states[v->events[i]]);
	for (uint32_t i = 0; i < g.n; i++) {
		uint32_t n = g.list[i].n;

		g.list[i].first = first;
		g.list[i].n = 0;
		first += n;
	}
	for (uint32_t i = 0; i < v->n_events; i++) {
		struct dump_group *to = &g.list[of[i]];

		g.rows[to->first + to->n++] = v->events[i];
	}
	free(of);
	table_sort(g.list, g.n, by_size);
	return g;
}

void dump_groups_free(struct dump_groups *g)
{
	strtab_free(g->names);
	free(g->list);
	free(g->rows);
}

/* Shares. */

static int by_share(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return x->n != y->n ? descending(x->n, y->n) : ascending(x->id, y->id);
}

uint32_t dump_shares(const struct dump_groups *gs, const struct dump_group *g,
		     uint32_t (*of)(const struct dump *d, uint32_t row), struct share *ret,
		     uint32_t max)
{
	static struct share all[SHARES_MAX];
	struct pairs ids = { 0 };
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n && n < SHARES_MAX; i++) {
		uint32_t id = of(gs->dump, gs->rows[g->first + i]), row;

		if (!id)
			continue;
		row = pairs_add(&ids, id, 0);
		if (row == n)
			all[n++] = (struct share){ id, 0 };
		all[row].n++;
	}
	pairs_release(&ids);
	table_sort(all, n, by_share);
	memcpy(ret, all, (n < max ? n : max) * sizeof(*ret));
	return n;
}

static const struct goroutine *goroutine_of(const struct dump *d, uint32_t row)
{
	return &d->profile->goroutines[d->profile->events[row].goroutine];
}

uint32_t share_state(const struct dump *d, uint32_t row)
{
	return d->states[row].state;
}

uint32_t share_creator(const struct dump *d, uint32_t row)
{
	return d->states[row].created ? goroutine_of(d, row)->creator : 0;
}

uint32_t share_labels(const struct dump *d, uint32_t row)
{
	return goroutine_of(d, row)->labels;
}

uint32_t share_object(const struct dump *d, uint32_t row)
{
	const struct goroutine_state *s = &d->states[row];

	return s->n_objects ? d->waits[s->objects] : 0;
}

/* Words. */

void dump_time_add(struct buf *to, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (s >= 3 * 24 * 3600)
		buf_printf(to, "%" PRIu64 " days", s / (24 * 3600));
	else if (s >= 3 * 3600)
		buf_printf(to, "%" PRIu64 " hours", s / 3600);
	else if (s >= 120)
		buf_printf(to, "%" PRIu64 " minutes", s / 60);
	else if (s >= 10)
		buf_printf(to, "%" PRIu64 " s", s);
	else
		buf_printf(to, "%.3f s", (double)ns / 1e9);
}

static void waiters_add(const struct wait_object *o, struct buf *to)
{
	buf_str(to, ", ");
	text_count(to, o->waiters);
	buf_str(to, " waiting");
}

static void chan_add(const struct wait_object *o, struct buf *to)
{
	if (o->closed)
		buf_str(to, ", closed");
	if (o->cap) {
		buf_str(to, ", ");
		text_count(to, o->len);
		buf_str(to, " of ");
		text_count(to, o->cap);
		buf_str(to, " used");
	} else {
		buf_str(to, ", unbuffered");
	}
}

static void mutex_add(const struct wait_object *o, struct buf *to)
{
	buf_printf(to, ", state %#x: %s%s", o->word, o->word & 1 ? "locked" : "unlocked",
		   o->word & 4 ? ", starving" : "");
}

/* readerCount is 2^30 less while a writer waits or writes. */
static void rwmutex_add(const struct wait_object *o, struct buf *to)
{
	bool writer = o->readers < 0;

	buf_printf(to, ", readers in it or waiting: %d%s",
		   writer ? o->readers + (1 << 30) : o->readers,
		   writer ? ", and a writer" : "");
	if (o->left)
		buf_printf(to, " that waits for %d of them", o->left);
}

static void file_add(const struct profile *p, const struct wait_object *o, struct buf *to)
{
	if (o->fd)
		buf_printf(to, "%sfd %u", to->len ? " " : "", o->fd - 1);
	if (o->file) {
		buf_str(to, to->len ? " " : "");
		text_fit(to, profile_string(p, o->file), UINT32_MAX);
	}
}

void dump_object_add(const struct dump *d, uint32_t object, struct buf *to)
{
	static const char *const names[OBJECT_KINDS] = {
		[OBJECT_CHAN] = "chan",
		[OBJECT_MUTEX] = "sync.Mutex",
		[OBJECT_RWMUTEX] = "sync.RWMutex",
		[OBJECT_WAITGROUP] = "sync.WaitGroup",
		[OBJECT_COND] = "sync.Cond",
		[OBJECT_SEMA] = "semaphore",
	};
	const struct wait_object *o = &d->objects[object];
	const struct profile *p = d->profile;
	struct buf b = { 0 };

	if (o->kind == OBJECT_SYSCALL) {
		buf_str(&b, o->name ? profile_string(p, o->name) : "on a CPU, or in C");
		file_add(p, o, &b);
	} else if (o->kind == OBJECT_FILE) {
		file_add(p, o, &b);
	} else {
		buf_printf(&b, "%s %#" PRIx64, names[o->kind], o->addr);
		if (o->symbol) {
			buf_str(&b, " ");
			text_fit(&b, profile_string(p, o->symbol), UINT32_MAX);
		}
	}
	if (o->kind == OBJECT_CHAN)
		chan_add(o, &b);
	else if (o->kind == OBJECT_MUTEX)
		mutex_add(o, &b);
	else if (o->kind == OBJECT_RWMUTEX)
		rwmutex_add(o, &b);
	else if (o->kind == OBJECT_WAITGROUP)
		buf_printf(&b, ", counter %u", o->counter);
	if (o->kind != OBJECT_SYSCALL && o->kind != OBJECT_FILE)
		waiters_add(o, &b);
	else if (o->tid)
		buf_printf(&b, ", thread %u", o->tid);
	buf_add(to, b.data, b.len);
	buf_release(&b);
}
