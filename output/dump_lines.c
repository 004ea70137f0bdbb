/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/dump_lines.h"

#include <inttypes.h>
#include <string.h>

#include "output/dump_groups.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/view.h"

enum { SHARES = 3, INDENT = 8 };

struct lines {
	const struct dump_groups *gs;
	const struct dump *d;
	const struct profile *p;
	const struct view *v;
	const struct dump_text *o;
	FILE *out;
	struct buf b;
};

static void bold(struct lines *l, bool on)
{
	if (l->o->color)
		buf_str(&l->b, on ? "\033[1m" : "\033[0m");
}

/* "chan receive"; for several states those, with how many. */
static void states_add(struct lines *l, const struct dump_group *g)
{
	struct share s[SHARES];
	uint32_t n = dump_shares(l->gs, g, share_state, s, SHARES);

	for (uint32_t i = 0; i < n && i < SHARES; i++) {
		buf_str(&l->b, i ? ", " : "");
		if (n > 1) {
			text_count(&l->b, s[i].n);
			buf_u8(&l->b, ' ');
		}
		text_fit(&l->b, profile_string(l->p, s[i].id), UINT32_MAX);
	}
	if (n > SHARES)
		buf_str(&l->b, " …");
}

/* What is known of how long they wait. */
static void since_add(struct lines *l, uint32_t n, uint32_t unmoved, uint64_t since_ns)
{
	double between = (double)l->d->between_ns / 1e9;

	if (since_ns) {
		buf_str(&l->b, " · ");
		dump_time_add(&l->b, since_ns);
		buf_str(&l->b, " or more");
	}
	if (!l->d->between_ns || !unmoved)
		return;
	buf_str(&l->b, " · ");
	if (n == 1)
		buf_str(&l->b, "has");
	else if (n == unmoved)
		buf_str(&l->b, "none has");
	else
		text_count(&l->b, unmoved);
	buf_str(&l->b, n == 1         ? " not run for "
		       : n == unmoved ? " run for "
				      : " have not run for ");
	buf_printf(&l->b, "%.1f s", between);
}

static void head_add(struct lines *l, const struct dump_group *g)
{
	bold(l, true);
	buf_printf(&l->b, "%*s", g->n < 1000 ? 4 : 0, "");
	if (g->n < 1000)
		l->b.len -= g->n >= 100 ? 3 : g->n >= 10 ? 2 : 1;
	text_count(&l->b, g->n);
	buf_str(&l->b, "  ");
	if (g->name) {
		text_fit(&l->b, strtab_get(l->gs->names, g->name), UINT32_MAX);
		buf_str(&l->b, " · ");
	}
	states_add(l, g);
	bold(l, false);
	since_add(l, g->n, g->unmoved, g->since_ns);
	buf_u8(&l->b, '\n');
}

static void indent(struct lines *l)
{
	buf_printf(&l->b, "%*s", INDENT, "");
}

/* A line for each of the largest shares. */
static void shares_add(struct lines *l, const struct dump_group *g, const char *what,
		       uint32_t (*of)(const struct dump *d, uint32_t row),
		       void (*add)(struct lines *l, uint32_t id))
{
	struct share s[SHARES];
	uint32_t n = dump_shares(l->gs, g, of, s, SHARES);

	for (uint32_t i = 0; i < n && i < SHARES; i++) {
		indent(l);
		buf_printf(&l->b, "%s ", what);
		add(l, s[i].id);
		if (s[i].n < g->n) {
			buf_str(&l->b, " (");
			text_count(&l->b, s[i].n);
			buf_str(&l->b, " of these)");
		}
		buf_u8(&l->b, '\n');
	}
	if (n > SHARES) {
		indent(l);
		buf_printf(&l->b, "… %s%" PRIu32 " more\n",
			   n >= SHARES_MAX ? "at least " : "", n - SHARES);
	}
}

static void object_add(struct lines *l, uint32_t id)
{
	dump_object_add(l->d, id, &l->b);
}

static void go_name_add(struct lines *l, uint32_t process, uint32_t id)
{
	struct buf name = { 0 };

	view_go_name(l->v, process, profile_string(l->p, id), &name);
	text_fit(&l->b, buf_text(&name), UINT32_MAX);
	buf_release(&name);
}

static void creator_add(struct lines *l, uint32_t id)
{
	go_name_add(l, 1, id);
}

/* "job=encode, user=42" */
static void labels_add(struct lines *l, uint32_t id)
{
	const char *set = profile_string(l->p, id), *before = "";
	struct buf key = { 0 }, value = { 0 };
	enum label_state state;

	while ((state = labels_next(&set, &key, &value)) != LABEL_NONE) {
		buf_str(&l->b, before);
		before = ", ";
		if (state != LABEL_LOST) {
			text_fit(&l->b, buf_text(&key), UINT32_MAX);
			buf_u8(&l->b, '=');
			text_fit(&l->b, buf_text(&value), UINT32_MAX);
		}
		if (state != LABEL_WHOLE)
			buf_str(&l->b, "…");
		key.len = value.len = 0;
	}
	buf_release(&key);
	buf_release(&value);
}

/* The frames that are shown, leaf first; all of them if there is none. */
static uint32_t frames_of(const struct view *v, const struct event *e, bool runtime,
			  uint32_t frames[VIEW_MAX_FRAMES])
{
	uint32_t n = view_stack(v, e, frames), shown = 0;

	for (uint32_t i = 0; i < n && !runtime; i++) {
		const struct frame *f = view_frame(v, frames[i]);

		if (!f->func || f->kind == FRAME_NATIVE ||
		    dump_shows(profile_string(v->profile, f->func), !i))
			frames[shown++] = frames[i];
	}
	return shown ? shown : n;
}

/* times: a recursion, which is one line. */
static void frame_add(struct lines *l, uint32_t row, uint32_t times)
{
	const struct frame *f = view_frame(l->v, row);
	struct buf name = { 0 };

	indent(l);
	buf_str(&l->b, "    ");
	view_frame_name(l->v, row, &name);
	text_fit(&l->b, buf_text(&name), UINT32_MAX);
	buf_release(&name);
	if (f->file) {
		buf_u8(&l->b, ' ');
		text_fit(&l->b, profile_string(l->p, f->file), UINT32_MAX);
		buf_printf(&l->b, ":%u", f->line);
	}
	if (times > 1)
		buf_printf(&l->b, " (%u times)", times);
	buf_u8(&l->b, '\n');
}

static void stack_add(struct lines *l, uint32_t row)
{
	static uint32_t frames[VIEW_MAX_FRAMES];
	const struct event *e = &l->p->events[row];
	uint32_t n = frames_of(l->v, e, l->o->runtime, frames);

	if (!e->call || !strcmp(profile_string(l->p, l->d->states[row].state), "running")) {
		indent(l);
		buf_str(&l->b, "    (no stack: it changes while it runs; see record)\n");
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t times = 1;

		while (i + 1 < n && frames[i + 1] == frames[i]) {
			times++;
			i++;
		}
		frame_add(l, frames[i], times);
	}
}

/* Each goroutine of a group. */
static void each_add(struct lines *l, const struct dump_group *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t row = l->gs->rows[g->first + i];
		const struct goroutine_state *s = &l->d->states[row];
		const struct goroutine *gr = &l->p->goroutines[l->p->events[row].goroutine];

		indent(l);
		buf_printf(&l->b, "goroutine %" PRIu64, gr->goid);
		if (gr->parent_goid)
			buf_printf(&l->b, ", created by %" PRIu64, gr->parent_goid);
		if (s->tid)
			buf_printf(&l->b, ", thread %u", s->tid);
		if (s->flags & STATE_LOCKED)
			buf_str(&l->b, ", locked to its thread");
		if (s->until_ns > 0) {
			buf_str(&l->b, ", wakes in ");
			dump_time_add(&l->b, (uint64_t)s->until_ns);
		}
		since_add(l, 1, !!(s->flags & STATE_UNMOVED), s->since_ns);
		for (uint32_t k = 0; k < s->n_objects; k++) {
			buf_str(&l->b, k ? ", " : ": ");
			dump_object_add(l->d, l->d->waits[s->objects + k], &l->b);
		}
		buf_u8(&l->b, '\n');
		buf_write(&l->b, l->out);
	}
}

/* How long the sleepers of a group still sleep. */
static void sleep_add(struct lines *l, const struct dump_group *g)
{
	int64_t first = INT64_MAX, last = INT64_MIN;

	for (uint32_t i = 0; i < g->n; i++) {
		int64_t t = l->d->states[l->gs->rows[g->first + i]].until_ns;

		if (t == INT64_MIN)
			continue;
		first = t < first ? t : first;
		last = t > last ? t : last;
	}
	if (last == INT64_MIN)
		return;
	indent(l);
	buf_str(&l->b, "wakes in ");
	dump_time_add(&l->b, first > 0 ? (uint64_t)first : 0);
	if (last / 10000000 > first / 10000000) {
		buf_str(&l->b, " to ");
		dump_time_add(&l->b, last > 0 ? (uint64_t)last : 0);
	}
	buf_u8(&l->b, '\n');
}

/* A select waits for several channels, and the line before names one. */
static void select_add(struct lines *l, const struct dump_group *g)
{
	uint32_t n = l->d->states[l->gs->rows[g->first]].cases;

	if (n < 2)
		return;
	indent(l);
	buf_printf(&l->b, "and for %u more of its select (-v)\n", n - 1);
}

static void group_add(struct lines *l, const struct dump_group *g)
{
	head_add(l, g);
	shares_add(l, g, "waits for", share_object, object_add);
	select_add(l, g);
	sleep_add(l, g);
	shares_add(l, g, "created by", share_creator, creator_add);
	shares_add(l, g, "labels", share_labels, labels_add);
	if (l->o->each)
		each_add(l, g);
	stack_add(l, l->gs->rows[g->first]);
	buf_u8(&l->b, '\n');
	buf_write(&l->b, l->out);
}

static void title_add(struct lines *l)
{
	uint32_t process = l->p->n_processes > 1 ? 1 : 0;
	struct buf name = { 0 };

	view_process_name(l->v, process, &name);
	text_fit(&l->b, buf_text(&name), UINT32_MAX);
	buf_release(&name);
	buf_str(&l->b, ", ");
	text_fit(&l->b, profile_string(l->p, l->p->processes[process].go_version),
		 UINT32_MAX);
	buf_str(&l->b, ": ");
	text_count_of(&l->b, l->v->n_events, "goroutine");
	if (l->o->hidden) {
		buf_str(&l->b, ", and ");
		text_count(&l->b, l->o->hidden);
		buf_str(&l->b, " of the runtime itself (--system)");
	}
	buf_str(&l->b, "\n\n");
}

void dump_write(const struct dump_groups *gs, const struct dump_text *o, FILE *out)
{
	struct lines l = { .gs = gs,
			   .d = gs->dump,
			   .p = gs->dump->profile,
			   .v = gs->view,
			   .o = o,
			   .out = out };

	title_add(&l);
	for (uint32_t i = 0; i < gs->n && (!o->rows || i < o->rows); i++)
		group_add(&l, &gs->list[i]);
	if (o->rows && gs->n > o->rows)
		buf_printf(&l.b, "… %" PRIu32 " more groups (-n 0 shows all)\n",
			   gs->n - o->rows);
	buf_write(&l.b, out);
	buf_release(&l.b);
}

/* The form of tracebacks. */

static void trace_frame(struct lines *l, uint32_t row)
{
	const struct frame *f = view_frame(l->v, row);
	struct buf name = { 0 };

	view_frame_name(l->v, row, &name);
	if (!strcmp(buf_text(&name), "runtime.gopanic"))
		buf_str(&l->b, "panic");
	else
		text_fit(&l->b, buf_text(&name), UINT32_MAX);
	buf_release(&name);
	buf_str(&l->b, "(...)\n\t");
	text_fit(&l->b, f->file ? profile_string(l->p, f->file) : "??", UINT32_MAX);
	buf_printf(&l->b, ":%u\n", f->line);
}

static void trace_add(struct lines *l, uint32_t row)
{
	static uint32_t frames[VIEW_MAX_FRAMES];
	const struct goroutine_state *s = &l->d->states[row];
	const struct event *e = &l->p->events[row];
	const struct goroutine *g = &l->p->goroutines[e->goroutine];
	const struct frame *made = &l->p->frames[s->created];
	const char *state = profile_string(l->p, s->state);
	uint32_t n = frames_of(l->v, e, l->o->runtime, frames);

	buf_printf(&l->b, "goroutine %" PRIu64 " [%s%s", g->goid, state,
		   s->flags & STATE_SCAN ? " (scan)" : "");
	if (s->since_ns >= 60000000000)
		buf_printf(&l->b, ", %" PRIu64 " minutes", s->since_ns / 60000000000);
	buf_printf(&l->b, "%s]:\n", s->flags & STATE_LOCKED ? ", locked to thread" : "");
	if (!strcmp(state, "running"))
		buf_str(&l->b, "\tgoroutine running on other thread; stack unavailable\n");
	else
		for (uint32_t i = 0; i < n; i++)
			trace_frame(l, frames[i]);
	if (s->created && dump_shows(profile_string(l->p, made->func), false)) {
		buf_str(&l->b, "created by ");
		go_name_add(l, l->p->threads[e->thread].process, made->func);
		if (g->parent_goid)
			buf_printf(&l->b, " in goroutine %" PRIu64, g->parent_goid);
		buf_str(&l->b, "\n\t");
		text_fit(&l->b, profile_string(l->p, made->file), UINT32_MAX);
		buf_printf(&l->b, ":%u\n", made->line);
	}
	buf_u8(&l->b, '\n');
	buf_write(&l->b, l->out);
}

void dump_trace(const struct dump *d, const struct view *v, const struct dump_text *o,
		FILE *out)
{
	struct lines l = { .d = d, .p = d->profile, .v = v, .o = o, .out = out };

	for (uint32_t i = 0; i < v->n_events; i++)
		trace_add(&l, v->events[i]);
	buf_release(&l.b);
}
