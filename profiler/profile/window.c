/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/window.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/copy.h"

enum { SPARE_EVENTS = 512 }; /* fewer old ones are not worth freeing */

struct window *window_new(const struct profile *p, uint64_t kept_ns)
{
	struct window *w = mem_zalloc(sizeof(*w));

	w->profile = profile_new_like(p);
	w->profile->start_ns = p->start_ns;
	w->kept_ns = kept_ns > WINDOW_MINUTE ? kept_ns : WINDOW_MINUTE;
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	profile_free(w->profile);
	free(w->intervals);
	free(w);
}

static uint64_t kept_from(const struct window *w)
{
	return w->end_ns > w->kept_ns ? w->end_ns - w->kept_ns : 0;
}

static void copy_not_go(struct profile *to, const struct profile *from)
{
	to->not_go_names = strtab_add(to->strings,
				      profile_string(from, from->not_go_names));
}

/* A profile that has only what is kept. */
static struct profile *kept_profile(const struct window *w)
{
	struct profile *ret = profile_new_like(w->profile);

	ret->start_ns = w->profile->start_ns;
	ret->stats = w->profile->stats;
	copy_not_go(ret, w->profile);
	profile_copy_events(ret, w->profile, kept_from(w), UINT64_MAX, 0);
	return ret;
}

static void renew(struct window *w)
{
	struct profile *old = w->profile;

	w->profile = kept_profile(w);
	profile_free(old);
}

static void let_go(struct window *w)
{
	const struct profile *p = w->profile;
	uint64_t from = kept_from(w);
	uint32_t kept = 0, old = 0;

	for (uint32_t i = 0; i < p->n_events; i++)
		kept += p->events[i].time_ns >= from;
	if (p->n_events > 2 * kept + SPARE_EVENTS)
		renew(w);
	while (old < w->n_intervals && w->intervals[old].to_ns <= from)
		old++;
	w->n_intervals -= old;
	memmove(w->intervals, w->intervals + old, w->n_intervals * sizeof(*w->intervals));
}

void window_add(struct window *w, const struct profile *interval)
{
	const struct stats *s = &interval->stats;
	struct window_interval *i = table_add(w->intervals, w->n_intervals,
					      w->cap_intervals);

	i->from_ns = w->end_ns;
	i->to_ns = w->end_ns + s->duration_ns;
	i->stats = *s;
	profile_copy_events(w->profile, interval, 0, UINT64_MAX, (int64_t)w->end_ns);
	w->end_ns = i->to_ns;
	w->profile->stats.duration_ns = w->end_ns;
	if (s->not_go_samples)
		copy_not_go(w->profile, interval);
	let_go(w);
}

uint64_t window_from(const struct window *w, uint64_t length_ns)
{
	uint64_t from = w->end_ns > length_ns ? w->end_ns - length_ns : 0, ret = w->end_ns;

	for (uint32_t i = w->n_intervals; i--;) {
		const struct window_interval *in = &w->intervals[i];

		if (ret < w->end_ns && from > in->from_ns + (in->to_ns - in->from_ns) / 2)
			break;
		ret = in->from_ns;
	}
	return ret;
}

struct stats window_stats(const struct window *w, uint64_t from_ns, uint64_t to_ns)
{
	struct stats ret = { .duration_ns = to_ns - from_ns };

	for (uint32_t i = 0; i < w->n_intervals; i++) {
		const struct window_interval *in = &w->intervals[i];
		const struct stats *s = &in->stats;

		if (in->from_ns < from_ns || in->from_ns >= to_ns)
			continue;
		ret.lost_ring_full += s->lost_ring_full;
		ret.lost_table_full += s->lost_table_full;
		ret.stack_faults += s->stack_faults;
		ret.g_faults += s->g_faults;
		ret.labels_cut += s->labels_cut;
		ret.not_go_samples += s->not_go_samples;
		ret.cpu_ns += s->cpu_ns;
		ret.peak_rss = s->peak_rss > ret.peak_rss ? s->peak_rss : ret.peak_rss;
	}
	return ret;
}

struct profile *window_cut(const struct window *w, uint64_t from_ns, uint64_t to_ns)
{
	struct profile *ret = profile_cut(w->profile, from_ns, to_ns);

	ret->stats = window_stats(w, from_ns, to_ns);
	if (ret->stats.not_go_samples)
		copy_not_go(ret, w->profile);
	return ret;
}

struct window *window_copy(const struct window *w)
{
	struct window *ret = mem_zalloc(sizeof(*ret));

	ret->profile = kept_profile(w);
	ret->kept_ns = w->kept_ns;
	ret->end_ns = w->end_ns;
	for (uint32_t i = 0; i < w->n_intervals; i++)
		*table_add(ret->intervals, ret->n_intervals,
			   ret->cap_intervals) = w->intervals[i];
	return ret;
}
