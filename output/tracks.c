/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/tracks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/groups.h"

#define NO_TRACK UINT32_MAX

/* A way to group the events that have no track yet. */
struct level {
	struct view view; /* a copy, with the grouping of this level */
	struct groups groups;
	uint32_t *of_event; /* row of groups, per event in `events` */
	struct sum *sums;   /* per row of groups */
	uint32_t n_sums, cap_sums;
};

struct sum {
	uint64_t weight;
	uint32_t n_events;
	uint32_t track;
};

struct sorting {
	struct tracks *t;
	uint32_t *events;   /* by time */
	uint32_t *track_of; /* per event in `events` */
	uint32_t *group_of; /* the same: row of the view's own groups */
	uint32_t n;
};

static const struct event *event_at(const struct sorting *s, uint32_t i)
{
	return &s->t->view->profile->events[s->events[i]];
}

static int compare_weights(const void *a, const void *b, void *of)
{
	const struct sum *sums = of;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

	return descending(sums[i].weight, sums[k].weight) ?: ascending(i, k);
}

/* The names of a group and of those that it is in. */
static void add_names(const struct level *l, uint32_t group, bool no_process,
		      struct buf *to)
{
	const struct group_level *g = &l->groups.rows[group];
	bool start = g->level && l->view.by.keys[g->level - 1] == BY_START;

	if (!group || (!g->level && no_process))
		return;
	add_names(l, g->parent, no_process, to);
	buf_str(to, to->len ? ": " : "");
	buf_str(to, strtab_get(l->groups.names, start ? g->value : g->name));
}

static void add_track(struct tracks *t, const struct level *l, uint32_t group)
{
	struct buf name = { 0 };
	struct track *row = table_add(t->rows, t->n, t->cap);

	add_names(l, group, t->no_process, &name);
	row->name = strtab_get(t->names, strtab_add(t->names, buf_text(&name)));
	buf_release(&name);
}

/* The largest groups of this level become tracks. */
static void choose(struct sorting *s, struct level *l, uint32_t max)
{
	uint32_t *groups = mem_zalloc((l->n_sums + 1) * sizeof(*groups)), n = 0;

	for (uint32_t i = 0; i < l->n_sums; i++) {
		l->sums[i].track = NO_TRACK;
		if (l->sums[i].n_events)
			groups[n++] = i;
	}
	qsort_r(groups, n, sizeof(*groups), compare_weights, l->sums);
	for (uint32_t i = 0; i < n && i < max; i++) {
		l->sums[groups[i]].track = s->t->n;
		add_track(s->t, l, groups[i]);
	}
	free(groups);
}

static void fill_level(struct sorting *s, struct level *l)
{
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t group;

		if (s->track_of[i] != NO_TRACK)
			continue;
		group = groups_add(&l->groups, event_at(s, i));
		while (l->n_sums <= group)
			table_add(l->sums, l->n_sums, l->cap_sums);
		l->sums[group].weight += event_at(s, i)->weight;
		l->sums[group].n_events++;
		l->of_event[i] = group;
	}
}

/* Gives tracks to events that have none: one for each of the largest groups, at most max.
 * Returns how many events still have none. */
static uint32_t add_level(struct sorting *s, const struct grouping *by, uint32_t max)
{
	struct level l = { .view = *s->t->view };
	uint32_t left = 0;

	l.view.by = *by;
	l.groups = (struct groups){ .view = &l.view, .names = s->t->names };
	l.of_event = s->group_of ? mem_zalloc(s->n * sizeof(*l.of_event))
				 : (s->group_of = mem_zalloc(s->n * sizeof(*l.of_event)));
	fill_level(s, &l);
	choose(s, &l, max);
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->track_of[i] != NO_TRACK)
			continue;
		s->track_of[i] = l.sums[l.of_event[i]].track;
		left += s->track_of[i] == NO_TRACK;
	}
	groups_release(&l.groups);
	free(l.sums);
	if (l.of_event != s->group_of)
		free(l.of_event);
	return left;
}

/* Sorts the events by track, and adds them up. */
static void fill_tracks(struct sorting *s)
{
	struct tracks *t = s->t;
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->n; i++)
		t->rows[s->track_of[i]].n_events++;
	for (uint32_t i = 0; i < t->n; i++) {
		t->rows[i].events = t->events + at;
		at += t->rows[i].n_events;
		t->rows[i].n_events = 0;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		struct track *row = &t->rows[s->track_of[i]];
		const struct event *e = event_at(s, i);

		if (!row->n_events)
			row->process = t->view->profile->threads[e->thread].process;
		t->events[row->events - t->events + row->n_events++] = s->events[i];
		row->weight += e->weight;
	}
}

/* Counts the groups of each track, and says it in the names of those that have several. */
static void count_groups(struct sorting *s, uint32_t n_own)
{
	struct tracks *t = s->t;
	struct pairs seen = { 0 };
	struct buf name = { 0 };

	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t before = seen.n;

		pairs_add(&seen, s->track_of[i], s->group_of[i]);
		t->rows[s->track_of[i]].n_groups += seen.n - before;
	}
	for (uint32_t i = n_own; i < t->n; i++) {
		struct track *row = &t->rows[i];

		name.len = 0;
		buf_printf(&name, "%s%s(%" PRIu32 " more)", row->name,
			   *row->name ? " " : "", row->n_groups);
		row->name = strtab_get(t->names, strtab_add(t->names, buf_text(&name)));
	}
	pairs_release(&seen);
	buf_release(&name);
}

void tracks_make(struct tracks *t)
{
	const struct grouping none = { 0 };
	struct sorting s = { .t = t, .n = t->view->n_events };
	uint32_t n_own, left;

	t->names = strtab_new();
	t->events = mem_zalloc((s.n + 1) * sizeof(*t->events));
	s.events = view_by_time(t->view);
	s.track_of = mem_realloc(NULL, s.n + 1, sizeof(*s.track_of));
	for (uint32_t i = 0; i < s.n; i++)
		s.track_of[i] = NO_TRACK;
	left = add_level(&s, &t->view->by, t->max);
	n_own = t->n;
	for (uint32_t i = 0; i < t->n_rest && left; i++)
		left = add_level(&s, &t->rest[i], t->max);
	if (left)
		add_level(&s, &none, 1);
	fill_tracks(&s);
	count_groups(&s, n_own);
	free(s.events);
	free(s.track_of);
	free(s.group_of);
}

void tracks_release(struct tracks *t)
{
	free(t->rows);
	free(t->events);
	strtab_free(t->names);
	*t = (struct tracks){ 0 };
}
