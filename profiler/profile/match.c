/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/match.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/number.h"
#include "profiler/base/pairs.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/view.h"

/* A go statement. */
struct site {
	uint32_t place;   /* function and file: id in names */
	uint32_t line;    /* 0: not known */
	uint32_t creator; /* string of the profile */
};

struct sites {
	struct site *rows; /* owned; sorted by place, then line */
	uint32_t n, cap;
};

struct matching {
	const struct view *views[2]; /* old, new */
	struct sites sites[2];
	struct strtab *names;
	uint32_t *name_of[2]; /* owned; per string that is a creator: id in names */
};

/* "main.(*Pool).run pool.go:41" without the line, which goes to *line. */
static size_t place_len(const char *creator, uint32_t *line)
{
	const char *colon = strrchr(creator, ':');
	uint64_t n;

	*line = 0;
	if (!colon || number_parse(colon + 1, 1, UINT32_MAX, &n))
		return strlen(creator);
	*line = (uint32_t)n;
	return (size_t)(colon - creator);
}

static int by_place(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return ascending(x->place, y->place) ?: ascending(x->line, y->line);
}

static void sites_find(struct matching *m, int side)
{
	const struct profile *p = m->views[side]->profile;
	struct sites *s = &m->sites[side];
	bool *seen = mem_zalloc(strtab_count(p->strings));

	for (uint32_t i = 1; i < p->n_goroutines; i++) {
		uint32_t id = p->goroutines[i].creator, line;
		const char *creator = profile_string(p, id);
		size_t len = place_len(creator, &line);

		if (!id || seen[id])
			continue;
		seen[id] = true;
		*table_add(s->rows, s->n, s->cap) = (struct site){
			.place = strtab_addn(m->names, creator, len),
			.line = line,
			.creator = id,
		};
	}
	table_sort(s->rows, s->n, by_place);
	free(seen);
}

/* The sites of one place: rows [*first, end) of one side. */
static uint32_t place_end(const struct sites *s, uint32_t place, uint32_t *first)
{
	*first = table_until(s->n, i, s->rows[i].place < place);
	return table_until(s->n, i, s->rows[i].place <= place);
}

/* Are all lines of a among those of b? */
static bool lines_within(const struct site *a, uint32_t n_a, const struct site *b,
			 uint32_t n_b)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < n_b && i < n_a; k++)
		i += a[i].line == b[k].line;
	return i == n_a;
}

/* The name of the k-th site of a place, which is rows `own` on its side. */
static uint32_t site_name(struct matching *m, const struct site *own, uint32_t n_own,
			  uint32_t k, const struct site *other, uint32_t n_other,
			  bool is_new)
{
	const char *place = strtab_get(m->names, own[k].place);
	uint32_t line = own[k].line, id;
	struct buf text = { 0 };

	if (!lines_within(own, n_own, other, n_other) &&
	    !lines_within(other, n_other, own, n_own)) {
		line = 0;
		if (n_own == n_other)
			line = is_new ? own[k].line : other[k].line;
	}
	if (!line)
		return own[k].place;
	buf_printf(&text, "%s:%" PRIu32, place, line);
	id = strtab_add(m->names, buf_text(&text));
	buf_release(&text);
	return id;
}

static void sites_name(struct matching *m, int side)
{
	const struct sites *own = &m->sites[side], *other = &m->sites[!side];

	m->name_of[side] = mem_zalloc(strtab_count(m->views[side]->profile->strings) *
				      sizeof(uint32_t));
	for (uint32_t i = 0; i < own->n; i++) {
		uint32_t a, a_end = place_end(own, own->rows[i].place, &a);
		uint32_t b, b_end = place_end(other, own->rows[i].place, &b);

		m->name_of[side][own->rows[i].creator] =
			site_name(m, own->rows + a, a_end - a, i - a, other->rows + b,
				  b_end - b, side);
	}
}

/* Over both sides: which start functions have several creators. Bits per id in names. */
static bool *starts_with_several(struct matching *m)
{
	struct pairs set = { 0 };
	bool *seen, *several;

	for (int side = 0; side < 2; side++) {
		const struct view *v = m->views[side];

		for (uint32_t i = 1; i < v->profile->n_goroutines; i++) {
			uint32_t creator = v->profile->goroutines[i].creator;

			if (creator)
				pairs_add(&set,
					  strtab_add(m->names,
						     profile_string(v->profile,
								    view_runs(v, i))),
					  m->name_of[side][creator]);
		}
	}
	seen = mem_zalloc(strtab_count(m->names));
	several = mem_zalloc(strtab_count(m->names));
	for (uint32_t i = 0; i < set.n; i++) {
		several[set.rows[i].a] |= seen[set.rows[i].a];
		seen[set.rows[i].a] = true;
	}
	free(seen);
	pairs_release(&set);
	return several;
}

/* One side has several programs. With one on each side their names do not matter: a new
 * version may have another one. */
static bool programs_differ(struct matching *m)
{
	for (int side = 0; side < 2; side++) {
		const struct view *v = m->views[side];
		const char *first = NULL;

		for (uint32_t i = 0; i < v->n_processes; i++) {
			const struct process *pr = &v->profile->processes[v->processes[i]];
			const char *name = profile_string(v->profile, pr->name);

			if (first && strcmp(first, name))
				return true;
			first = name;
		}
	}
	return false;
}

static struct match *match_new(struct matching *m, int side, const bool *several)
{
	const struct view *v = m->views[side];
	const struct profile *p = v->profile;
	struct match *ret = mem_zalloc(sizeof(*ret));

	ret->names = strtab_new();
	ret->creators = mem_zalloc(p->n_goroutines * sizeof(*ret->creators));
	ret->several = mem_zalloc(p->n_goroutines);
	for (uint32_t i = 0; i < p->n_goroutines; i++) {
		uint32_t creator = p->goroutines[i].creator;
		const char *name = strtab_get(m->names, m->name_of[side][creator]);
		const char *start = profile_string(p, view_runs(v, i));

		ret->creators[i] = strtab_get(ret->names, strtab_add(ret->names, name));
		ret->several[i] = creator && several[strtab_add(m->names, start)];
	}
	return ret;
}

void match_views(struct view *old, struct view *new)
{
	struct matching m = { .views = { old, new }, .names = strtab_new() };
	bool programs, *several;

	sites_find(&m, 0);
	sites_find(&m, 1);
	sites_name(&m, 0);
	sites_name(&m, 1);
	several = starts_with_several(&m);
	programs = programs_differ(&m);
	old->match = match_new(&m, 0, several);
	new->match = match_new(&m, 1, several);
	old->match->programs = new->match->programs = programs;
	free(several);
	for (int side = 0; side < 2; side++) {
		free(m.sites[side].rows);
		free(m.name_of[side]);
	}
	strtab_free(m.names);
}

void match_free(struct match *m)
{
	if (!m)
		return;
	strtab_free(m->names);
	free(m->creators);
	free(m->several);
	free(m);
}
