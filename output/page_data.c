/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/page_data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/page_events.h"
#include "output/palette.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/index.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/match.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

struct func {
	uint32_t name, file, module, line, kind;
};

struct page_frame {
	uint32_t func, line, inlined;
};

/* Rows without padding, each once. */
struct set {
	void *rows; /* owned */
	uint32_t n, cap;
	struct index index;
};

struct page {
	struct strtab *strings;
	struct func *funcs; /* owned */
	uint32_t n_funcs, cap_funcs;
	struct set func_keys; /* what tells functions apart, by row of funcs */
	struct set frames;    /* of struct page_frame */
	struct buf body;      /* of the section being written */
	struct buf text;
	struct buf *out;
	const char *prefix; /* of the names of sections */
	bool compares;      /* two views */
};

static uint32_t set_get(struct set *s, const void *row, size_t size)
{
	uint32_t id = index_row(&s->index, s->rows, size, row, size, s->n);

	if (id < s->n)
		return id;
	s->rows = table_room(s->rows, size, s->n, &s->cap);
	memcpy((char *)s->rows + s->n++ * size, row, size);
	return id;
}

static void set_release(struct set *s)
{
	free(s->rows);
	index_release(&s->index);
}

/* Sections. */

/* The bytes of the body become a section; then it is empty. */
static void section_of(struct page *p, const char *name, struct buf *body)
{
	buf_str(p->out, p->prefix);
	buf_add(p->out, name, strlen(name) + 1);
	buf_uvarint(p->out, body->len);
	buf_add(p->out, body->data, body->len);
	body->len = 0;
}

static void section(struct page *p, const char *name)
{
	section_of(p, name, &p->body);
}

/* A section of n numbers: the value is an expression over the row i. */
#define column(p, name, n, value) \
	do { \
		for (uint32_t i = 0; i < (n); i++) \
			buf_uvarint(&(p)->body, value); \
		section(p, name); \
	} while (0)

static uint32_t string(struct page *p, const char *s)
{
	return strtab_add(p->strings, s);
}

/* The text that was made in p->text. */
static uint32_t text(struct page *p)
{
	uint32_t ret = strtab_addn(p->strings, (const char *)p->text.data, p->text.len);

	p->text.len = 0;
	return ret;
}

static uint64_t millionths(double v)
{
	return v > 0 ? (uint64_t)(v * 1e6 + 0.5) : 0;
}

static void put_quality(struct page *p, const struct view *v)
{
	const struct quality *q = &v->profile->kinds[v->kind].quality;
	const struct stats *s = &v->profile->stats;
	uint64_t figures[] = {
		q->samples,
		stats_lost(s),
		q->with_class,
		millionths(share_of(q->with_goroutine, q->samples)),
		millionths(share_of(q->rooted, q->samples)),
		millionths(share_of(q->named_frames, q->user_frames)),
		millionths((double)s->cpu_ns / 1e9),
		s->peak_rss,
	};

	column(p, "quality", sizeof(figures) / sizeof(*figures), figures[i]);
}

static void put_meta(struct page *p, const struct view *v, bool shares)
{
	const struct profile *profile = v->profile;
	const struct event_kind *k = &profile->kinds[v->kind];
	uint64_t meta[] = { string(p, v->title),
			    profile->start_ns,
			    k->period,
			    profile_is_time(profile, v->kind),
			    string(p, profile_string(profile, k->name)),
			    v->duration_ns,
			    v->filter.from_ns,
			    v->filter.from_ns + view_selected_ns(v),
			    profile->n_cpus,
			    page_cell_ns(v),
			    string(p, GOSTROBE_VERSION),
			    shares };

	column(p, "meta", sizeof(meta) / sizeof(*meta), meta[i]);
}

static void put_by(struct page *p, const struct view *v)
{
	for (int i = 0; i < v->by.n; i++) {
		if (v->by.keys[i] == BY_NONE)
			continue;
		grouping_word(&v->by, i, &p->text);
		buf_uvarint(&p->body, text(p));
	}
	section(p, "by");
	column(p, "kind.name", PALETTE_MAX, string(p, palette_names[i]));
	column(p, "class.name", CLASS_MAX, string(p, event_class_names[i]));
}

/* The text in p->text becomes an option. */
static void put_option(struct page *p)
{
	buf_uvarint(&p->body, text(p));
}

static void put_numbers(struct page *p, const char *option, const struct numbers *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		buf_printf(&p->text, "%s%" PRIu64, i ? "," : option, list->rows[i]);
	if (list->n)
		put_option(p);
}

static void put_word(struct page *p, const char *option, const char *value)
{
	if (!value)
		return;
	buf_printf(&p->text, "%s%s", option, value);
	put_option(p);
}

static void put_time(struct page *p, const struct filter *f)
{
	if (!f->from_ns && !f->to_ns)
		return;
	buf_printf(&p->text, "--time %.9gs-", (double)f->from_ns / 1e9);
	if (f->to_ns)
		buf_printf(&p->text, "%.9gs", (double)f->to_ns / 1e9);
	put_option(p);
}

/* What was left out when the page was made. */
static void put_options(struct page *p, const struct view *v)
{
	const struct filter *f = &v->filter;

	put_numbers(p, "--pid ", &f->pids);
	put_numbers(p, "--goid ", &f->goids);
	put_time(p, f);
	put_word(p, "--kind ", f->kind);
	for (uint32_t i = 0; i < f->n_labels; i++) /* the value ends the argument */
		put_word(p, "--label ", f->labels[i].key);
	put_word(p, "--focus ", f->focus_text);
	put_word(p, "--ignore ", f->ignore_text);
	put_word(p, "", v->as_pprof ? "--as-pprof" : NULL);
	section(p, "options");
}

/* Stacks. */

/* Two recordings may be of two builds, in which a function has another file, line or
 * module: between them the name counts. */
static uint32_t page_func(struct page *p, const struct func *f)
{
	struct func key = *f;
	uint32_t id;

	if (p->compares)
		key.file = key.module = key.line = 0;
	id = set_get(&p->func_keys, &key, sizeof(key));
	if (id == p->n_funcs)
		*table_add(p->funcs, p->n_funcs, p->cap_funcs) = *f;
	return id;
}

static struct page_frame page_frame_of(struct page *p, const struct view *v, uint32_t row)
{
	const struct profile *profile = v->profile;
	const struct frame *f = view_frame(v, row);
	struct func func = { 0, string(p, profile_string(profile, f->file)),
			     string(p, profile_string(profile,
						      profile->modules[f->module].path)),
			     f->start_line, palette_of(v, row) };

	view_frame_name(v, row, &p->text);
	func.name = text(p);
	return (struct page_frame){ page_func(p, &func), f->line, f->inlined };
}

/* Which frames of the profile the page does not tell apart: names, lines and modules are
 * what counts, addresses are not. */
static uint32_t *alike_frames(const struct view *v)
{
	uint32_t n = v->profile->n_frames + SIGPROF_MAX;
	uint32_t *ret = mem_zalloc(n * sizeof(*ret)), *first = NULL, cap = 0, n_first = 0;
	struct strtab *names = strtab_new();
	uint32_t *name = frame_names(v, names);
	struct set set = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const struct frame *f = view_frame(v, i);
		uint32_t row[] = { name[i], f->file, f->module,  f->start_line,
				   f->line, f->kind, f->inlined, f->func };
		uint32_t id = set_get(&set, row, sizeof(row));

		if (id == n_first)
			*table_add(first, n_first, cap) = i;
		ret[i] = first[id];
	}
	set_release(&set);
	strtab_free(names);
	free(first);
	free(name);
	return ret;
}

static void put_stacks(struct page *p, const struct stacks *s)
{
	uint32_t n = s->n ? s->n : 1; /* the empty stack is always there */
	uint32_t *of = mem_zalloc((s->view->profile->n_frames + SIGPROF_MAX) * sizeof(*of));

	column(p, "stack.up", n, i ? i - s->rows[i].parent : 0);
	buf_uvarint(&p->body, 0);
	for (uint32_t i = 1; i < n; i++) {
		uint32_t *place = &of[s->rows[i].frame];

		if (!*place) {
			struct page_frame f = page_frame_of(p, s->view, s->rows[i].frame);

			*place = set_get(&p->frames, &f, sizeof(f)) + 1;
		}
		buf_uvarint(&p->body, *place - 1);
	}
	section(p, "stack.frame");
	free(of);
}

static void put_frames(struct page *p)
{
	const struct func *funcs = p->funcs;
	const struct page_frame *frames = p->frames.rows;

	column(p, "func.name", p->n_funcs, funcs[i].name);
	column(p, "func.file", p->n_funcs, funcs[i].file);
	column(p, "func.module", p->n_funcs, funcs[i].module);
	column(p, "func.line", p->n_funcs, funcs[i].line);
	column(p, "func.kind", p->n_funcs, funcs[i].kind);
	column(p, "frame.func", p->frames.n, frames[i].func);
	column(p, "frame.line", p->frames.n, frames[i].line);
	column(p, "frame.inlined", p->frames.n, frames[i].inlined);
}

/* Who the samples belong to. */

static void put_processes(struct page *p, const struct view *v, const struct used *u)
{
	const struct process *processes = v->profile->processes;

	for (uint32_t i = 0; i < u->n; i++) {
		view_process_name(v, u->rows[i], &p->text);
		buf_uvarint(&p->body, text(p));
	}
	section(p, "process.name");
	column(p, "process.tgid", u->n, processes[u->rows[i]].tgid);
	column(p, "process.program", u->n,
	       string(p, profile_string(v->profile, processes[u->rows[i]].name)));
}

static void put_threads(struct page *p, const struct view *v, struct page_events *e)
{
	const struct used *u = &e->threads;
	const struct thread *threads = v->profile->threads;

	column(p, "thread.process", u->n,
	       used_place(&e->processes, threads[u->rows[i]].process));
	column(p, "thread.tid", u->n, threads[u->rows[i]].tid);
	column(p, "thread.name", u->n,
	       string(p, profile_string(v->profile, threads[u->rows[i]].name)));
}

static uint32_t creator_of(struct page *p, const struct view *v, uint32_t row)
{
	const struct goroutine *g = &v->profile->goroutines[row];

	view_go_name(v, g->process,
		     v->match ? v->match->creators[row]
			      : profile_string(v->profile, g->creator),
		     &p->text);
	return text(p);
}

/* Views that match name the place too, where one function starts in several. */
static uint32_t start_of(struct page *p, const struct view *v, uint32_t row)
{
	const struct goroutine *g = &v->profile->goroutines[row];

	view_go_name(v, g->process, profile_string(v->profile, view_runs(v, row)),
		     &p->text);
	if (v->match && v->match->several[row]) {
		buf_str(&p->text, " (");
		view_go_name(v, g->process, v->match->creators[row], &p->text);
		buf_u8(&p->text, ')');
	}
	return text(p);
}

/* A NUL in a label is shown as other bytes that are no text. */
static uint32_t label_string(struct page *p, struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (!b->data[i])
			b->data[i] = 0xff;
	return strtab_addn(p->strings, (const char *)b->data, b->len);
}

/* Stores the labels of the i-th goroutine as three numbers each. Returns whether some could
 * not be read. */
static bool add_labels(struct page *p, const char *set, uint32_t i, uint32_t *last,
		       struct buf columns[3])
{
	struct buf key = { 0 }, value = { 0 };
	enum label_state state;
	bool lost = false;

	while ((state = labels_next(&set, &key, &value)) != LABEL_NONE) {
		lost |= state == LABEL_LOST;
		if (state != LABEL_LOST) {
			if (state == LABEL_PART)
				buf_str(&value, "…");
			buf_uvarint(&columns[0], i - *last);
			buf_uvarint(&columns[1], label_string(p, &key));
			buf_uvarint(&columns[2], label_string(p, &value));
			*last = i;
		}
	}
	buf_release(&key);
	buf_release(&value);
	return lost;
}

static void put_labels(struct page *p, const struct view *v, const struct used *u)
{
	static const char *const names[] = { "label.goroutine", "label.key",
					     "label.value" };
	const struct goroutine *g = v->profile->goroutines;
	struct buf columns[3] = { 0 };
	uint32_t last = 0;

	column(p, "goroutine.lost", u->n,
	       add_labels(p, profile_string(v->profile, g[u->rows[i]].labels), i, &last,
			  columns));
	for (int i = 0; i < 3; i++) {
		section_of(p, names[i], &columns[i]);
		buf_release(&columns[i]);
	}
}

static void put_goroutines(struct page *p, const struct view *v, struct page_events *e)
{
	const struct used *u = &e->goroutines;
	const struct goroutine *g = v->profile->goroutines;

	column(p, "goroutine.goid", u->n, g[u->rows[i]].goid);
	column(p, "goroutine.parent", u->n, g[u->rows[i]].parent_goid);
	column(p, "goroutine.process", u->n,
	       u->rows[i] ? used_place(&e->processes, g[u->rows[i]].process) : 0);
	column(p, "goroutine.start", u->n, start_of(p, v, u->rows[i]));
	column(p, "goroutine.creator", u->n, creator_of(p, v, u->rows[i]));
	column(p, "goroutine.labels", u->n,
	       string(p, profile_string(v->profile, g[u->rows[i]].labels)));
	put_labels(p, v, u);
}

/* Events. */

static void put_events(struct page *p, const struct page_events *e)
{
	const struct page_event *rows = e->rows;

	column(p, "event.time", e->n, rows[i].time - (i ? rows[i - 1].time : 0));
	column(p, "event.stack", e->n, rows[i].stack);
	column(p, "event.goroutine", e->n, rows[i].goroutine);
	column(p, "event.thread", e->n, rows[i].thread);
	column(p, "event.class", e->n, rows[i].class);
	column(p, "event.count", e->n, rows[i].count - 1);
	for (uint32_t i = 0; i < e->n; i++)
		buf_svarint(&p->body, rows[i].extra);
	section(p, "event.extra");
}

static void put_view(struct page *p, const struct view *v)
{
	struct stacks stacks = { .view = v };
	struct page_events events = { 0 };
	uint32_t *alike = alike_frames(v);

	stacks.alike = alike;
	page_events_init(&events, v, &stacks);
	put_quality(p, v);
	put_stacks(p, &stacks);
	put_threads(p, v, &events);
	put_goroutines(p, v, &events);
	put_processes(p, v, &events.processes);
	put_events(p, &events);
	page_events_release(&events);
	stacks_release(&stacks);
	free(alike);
}

static void put_strings(struct page *p)
{
	for (uint32_t i = 0; i < strtab_count(p->strings); i++) {
		plain_add(&p->body, strtab_get(p->strings, i));
		buf_u8(&p->body, 0);
	}
	section(p, "strings");
}

void page_data_add(const struct view *v, const struct view *old, bool shares,
		   struct buf *ret)
{
	struct page p = {
		.strings = strtab_new(), .out = ret, .prefix = "", .compares = old
	};

	put_meta(&p, v, shares);
	put_by(&p, v);
	put_options(&p, v);
	put_view(&p, v);
	if (old) {
		p.prefix = "old.";
		put_meta(&p, old, shares);
		put_view(&p, old);
		p.prefix = "";
	}
	put_frames(&p);
	put_strings(&p);
	free(p.funcs);
	set_release(&p.func_keys);
	set_release(&p.frames);
	buf_release(&p.body);
	buf_release(&p.text);
	strtab_free(p.strings);
}
