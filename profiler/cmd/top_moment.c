/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/cmd/top.h"
#include "profiler/profile/copy.h"

static const struct window *window_of(const struct moment *m)
{
	return m->frozen ? m->frozen : m->live;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return ascending(x->time_ns, y->time_ns);
}

static uint64_t length_of(const struct profile *p)
{
	uint64_t last = p->n_events ? p->events[p->n_events - 1].time_ns + 1 : 0;

	return p->stats.duration_ns > last ? p->stats.duration_ns : last;
}

static uint32_t bar_cell(const struct moment *m, uint64_t ns)
{
	return (uint32_t)((double)(ns - m->start_ns) / (double)(m->end_ns - m->start_ns) *
			  TOP_BAR_CELLS);
}

void moment_of_file(struct moment *m, struct profile *file, const struct filter *filter)
{
	uint8_t kind = profile_find_kind(file, filter->kind);
	uint64_t length;

	m->file = file;
	table_sort(file->events, file->n_events, by_time);
	length = length_of(file);
	m->start_ns = filter->from_ns < length ? filter->from_ns : length;
	m->end_ns = filter->to_ns && filter->to_ns < length ? filter->to_ns : length;
	m->to_ns = m->start_ns + m->window_ns;
	if (m->to_ns > m->end_ns)
		m->to_ns = m->end_ns;
	for (uint32_t i = 0; i < file->n_events; i++) {
		const struct event *e = &file->events[i];

		if (e->kind == kind && e->time_ns >= m->start_ns && e->time_ns < m->end_ns)
			m->bar[bar_cell(m, e->time_ns)] += e->weight;
	}
}

void moment_release(struct moment *m)
{
	window_free(m->live);
	window_free(m->frozen);
	profile_free(m->file);
	*m = (struct moment){ 0 };
}

/* Where the window can begin. */
static uint64_t moment_first(const struct moment *m)
{
	const struct window *w = window_of(m);

	if (m->file)
		return m->start_ns;
	return w && w->n_intervals ? w->intervals[0].from_ns : 0;
}

uint64_t moment_last(const struct moment *m)
{
	const struct window *w = window_of(m);

	return m->file ? m->end_ns : w ? w->end_ns : 0;
}

uint64_t moment_to(const struct moment *m)
{
	return m->file || m->frozen ? m->to_ns : moment_last(m);
}

uint64_t moment_from(const struct moment *m)
{
	uint64_t to = moment_to(m), first = moment_first(m);

	if (!m->file && to == moment_last(m))
		return m->live ? window_from(window_of(m), m->window_ns) : 0;
	return to > first + m->window_ns ? to - m->window_ns : first;
}

/* Of a recording the events that are needed, which are sorted. */
const struct profile *moment_profile(struct moment *m)
{
	const struct profile *p = m->file;
	uint64_t minute, to = moment_to(m);
	uint32_t first, end;

	if (!p)
		return window_of(m) ? window_of(m)->profile : NULL;
	minute = to > BOARD_SPAN_NS ? to - BOARD_SPAN_NS : 0;
	first = table_until(p->n_events, i, p->events[i].time_ns < minute);
	end = table_until(p->n_events, i, p->events[i].time_ns < to);
	m->part = *p;
	m->part.events = p->events + first;
	m->part.n_events = end - first;
	return &m->part;
}

void moment_freeze(struct moment *m, bool still)
{
	if (!m->file && still && !m->frozen) {
		m->to_ns = m->live->end_ns;
		m->frozen = window_copy(m->live);
	} else if (!m->file && !still) {
		window_free(m->frozen);
		m->frozen = NULL;
	}
	m->still = still;
}

void moment_move(struct moment *m, int64_t ns)
{
	uint64_t first = moment_first(m), last = moment_last(m), to;

	if (!m->file)
		moment_freeze(m, true);
	to = m->to_ns;
	if (ns < 0)
		to = to > first + (uint64_t)-ns ? to + (uint64_t)ns : first;
	else
		to = last - to > (uint64_t)ns ? to + (uint64_t)ns : last;
	/* a window of no length shows nothing */
	m->to_ns = to > first + SECOND / 10 || to == last ? to : first + SECOND / 10;
	m->to_ns = m->to_ns < last ? m->to_ns : last;
}

void moment_play(struct moment *m, uint64_t ns)
{
	if (!m->file || m->still)
		return;
	moment_move(m, (int64_t)ns);
	m->still = m->to_ns == m->end_ns;
}

struct profile *moment_cut(struct moment *m)
{
	uint64_t from = moment_from(m), to = moment_to(m);
	struct profile *ret;

	if (!m->file)
		return window_cut(window_of(m), from, to);
	ret = profile_cut(moment_profile(m), from, to);
	/* when it lost what is not known */
	ret->stats = m->file->stats;
	ret->stats.duration_ns = to - from;
	return ret;
}

struct axis moment_axis(const struct moment *m, uint32_t n)
{
	if (m->file)
		return (struct axis){ m->start_ns, m->end_ns - m->start_ns };
	return (struct axis){ board_cells_from(moment_last(m), n), BOARD_SPAN_NS };
}

uint64_t *moment_bar(struct moment *m, uint32_t n)
{
	const struct axis axis = moment_axis(m, n);
	const struct profile *p;
	uint64_t *ret = mem_zalloc(n * sizeof(*ret));

	if (m->file) {
		for (uint32_t i = 0; i < TOP_BAR_CELLS; i++)
			ret[(uint64_t)i * n / TOP_BAR_CELLS] += m->bar[i];
		return ret;
	}
	p = moment_profile(m);
	for (uint32_t i = 0; p && i < p->n_events; i++) {
		uint64_t at = p->events[i].time_ns - axis.from_ns;

		if (p->events[i].time_ns >= axis.from_ns && at / (axis.ns / n) < n)
			ret[at / (axis.ns / n)] += p->events[i].weight;
	}
	return ret;
}
