/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/match.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/starts.h"
#include "profiler/profile/tree.h"
#include "symbolizer/gobuildinfo.h"
#include "symbolizer/goname.h"

_Static_assert((int)SIGPROF_CAP <= (int)VIEW_MAX_FRAMES, "");

enum { CHECKED = 0x80 }; /* in addition to the flags of filter_text() */

/* Stacks. */

const struct frame *view_frame(const struct view *v, uint32_t row)
{
	static const struct frame made_up = { .kind = FRAME_GO };

	return row < v->profile->n_frames ? &v->profile->frames[row] : &made_up;
}

void view_frame_name(const struct view *v, uint32_t row, struct buf *to)
{
	const struct profile *p = v->profile;
	const struct frame *f = view_frame(v, row);
	const struct module *m = &p->modules[f->module];
	const char *module = profile_string(p, m->path), *slash = strrchr(module, '/');
	/* a Go program has C functions too */
	int minor = f->kind == FRAME_NATIVE || v->as_pprof ? 0 : m->go_minor;

	if (row >= p->n_frames)
		buf_str(to, sigprof_names[row - p->n_frames]);
	else if (f->func)
		goname_add(to, profile_string(p, f->func), minor);
	else if (f->kind == FRAME_CUT)
		buf_str(to, "[cut]");
	else if (f->kind == FRAME_VDSO)
		buf_str(to, "[vdso]");
	else if (f->kind == FRAME_KERNEL)
		buf_str(to, "[kernel]");
	else if (f->module)
		buf_printf(to, "%s+0x%" PRIx64, slash ? slash + 1 : module, f->addr);
	else
		buf_str(to, "[unknown]");
}

/* Keeps the frames that own_only shows. Returns how many. */
static uint32_t drop_hidden(const struct view *v, uint32_t *frames, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!v->hidden || !v->hidden[frames[i]])
			frames[kept++] = frames[i];
	return kept;
}

int view_call(const struct view *v, uint32_t call, uint32_t frames[2])
{
	const struct profile *p = v->profile;
	uint32_t frame = p->calls[call].frame,
		 caller = p->calls[p->calls[call].parent].frame;
	uint8_t kind = p->frames[frame].kind;
	uint32_t n = 0;

	/* The caller is a wrapper, which was hidden until now: only its callee tells. */
	if ((kind == FRAME_PANIC || kind == FRAME_SIGPANIC) &&
	    p->frames[caller].kind == FRAME_WRAPPER)
		frames[n++] = caller;
	if (kind != FRAME_GOEXIT && kind != FRAME_WRAPPER)
		frames[n++] = frame;
	return (int)drop_hidden(v, frames, n);
}

uint32_t view_stack(const struct view *v, const struct event *e, uint32_t *frames)
{
	uint32_t n = 0, added[2];

	if (v->as_pprof)
		return drop_hidden(v, frames,
				   sigprof_stack(v->profile, v->roles, e, frames));
	for (uint32_t call = e->call; call; call = v->profile->calls[call].parent)
		for (int k = view_call(v, call, added); k--;)
			frames[n++] = added[k];
	return n;
}

static void find_hidden(struct view *v)
{
	uint32_t n = v->profile->n_frames + SIGPROF_MAX;

	if (!v->own_only)
		return;
	v->hidden = mem_zalloc(n * sizeof(*v->hidden));
	for (uint32_t i = 0; i < n; i++)
		v->hidden[i] = origin_of(v->profile, view_frame(v, i)) != ORIGIN_OWN;
}

/* Selecting. */

/* Files and modules are checked only once, not for each frame. */
static uint8_t string_flags(const struct view *v, uint8_t *strings, uint32_t id)
{
	if (!(strings[id] & CHECKED))
		strings[id] = CHECKED |
			      filter_text(&v->filter, profile_string(v->profile, id));
	return strings[id];
}

/* As in go tool pprof, a frame matches by its name, its file or its module. */
static uint8_t frame_flags(const struct view *v, uint32_t row, uint8_t *strings,
			   struct buf *name)
{
	const struct frame *f = view_frame(v, row);

	name->len = 0;
	view_frame_name(v, row, name);
	return (uint8_t)(filter_text(&v->filter, buf_text(name)) |
			 string_flags(v, strings, f->file) |
			 string_flags(v, strings, v->profile->modules[f->module].path));
}

static void fill_flags(struct view *v)
{
	const struct profile *p = v->profile;
	uint32_t added[2], n_frames = p->n_frames + SIGPROF_MAX;
	struct buf name = { 0 };
	uint8_t *strings;

	if (!v->filter.focus && !v->filter.ignore)
		return;
	strings = mem_zalloc(strtab_count(p->strings));
	v->frame_flags = mem_zalloc(n_frames);
	for (uint32_t i = 1; i < n_frames; i++)
		v->frame_flags[i] = frame_flags(v, i, strings, &name);
	v->call_flags = mem_zalloc(p->n_calls);
	for (uint32_t i = 1; i < p->n_calls; i++) {
		v->call_flags[i] = v->call_flags[p->calls[i].parent];
		for (int n = view_call(v, i, added); n--;)
			v->call_flags[i] |= v->frame_flags[added[n]];
	}
	buf_release(&name);
	free(strings);
}

static uint8_t event_flags(const struct view *v, const struct event *e)
{
	uint32_t frames[SIGPROF_CAP];
	uint8_t flags = 0;

	if (!v->as_pprof)
		return v->call_flags[e->call];
	for (uint32_t n = sigprof_stack(v->profile, v->roles, e, frames); n--;)
		flags |= v->frame_flags[frames[n]];
	return flags;
}

static bool matches(const struct view *v, const struct event *e)
{
	return e->kind == v->kind && filter_match(&v->filter, v->profile, e) &&
	       (!v->frame_flags || filter_stack(&v->filter, event_flags(v, e)));
}

static void select_events(struct view *v)
{
	const struct profile *p = v->profile;
	bool *seen = mem_zalloc(p->n_processes * sizeof(*seen));
	uint64_t last_ns = 0;

	v->events = mem_zalloc(p->n_events * sizeof(*v->events));
	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];
		uint32_t process = p->threads[e->thread].process;

		last_ns = e->time_ns > last_ns ? e->time_ns : last_ns;
		if (!matches(v, e))
			continue;
		if (!seen[process])
			*table_add(v->processes, v->n_processes,
				   v->cap_processes) = process;
		seen[process] = true;
		if (v->as_pprof && !sigprof_counts(p, v->roles, e))
			v->pprof_skips++;
		else
			v->events[v->n_events++] = i;
	}
	free(seen);
	/* a truncated recording does not tell */
	v->duration_ns = p->stats.duration_ns ? p->stats.duration_ns : last_ns;
}

uint64_t view_selected_ns(const struct view *v)
{
	uint64_t from = v->filter.from_ns, to = v->filter.to_ns;

	if (!to || to > v->duration_ns)
		to = v->duration_ns;
	return to > from ? to - from : 0;
}

static int compare_times(const void *a, const void *b, void *events)
{
	const struct event *all = events;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = all[i].time_ns, y = all[k].time_ns;

	return ascending(x, y) ?: ascending(i, k);
}

uint32_t *view_by_time(const struct view *v)
{
	uint32_t *ret = mem_zalloc((v->n_events + 1) * sizeof(*ret));
	struct event *all = v->profile->events;
	bool sorted = true;

	for (uint32_t i = 0; i < v->n_events; i++) {
		ret[i] = v->events[i];
		sorted &= !i || all[ret[i - 1]].time_ns <= all[ret[i]].time_ns;
	}
	if (!sorted)
		qsort_r(ret, v->n_events, sizeof(*ret), compare_times, all);
	return ret;
}

/* Texts. */

void view_process_name(const struct view *v, uint32_t process, struct buf *to)
{
	const struct process *pr = &v->profile->processes[process];

	buf_str(to, profile_string(v->profile, pr->name));
	if (pr->tgid)
		buf_printf(to, "-%" PRIu32, pr->tgid);
}

void view_go_name(const struct view *v, uint32_t process, const char *name, struct buf *to)
{
	const struct profile *p = v->profile;
	const char *version = profile_string(p, p->processes[process].go_version);

	goname_add(to, name, gobuildinfo_minor(version));
}

static void add_title(const struct view *v, struct buf *to)
{
	const struct profile *p = v->profile;
	const struct event_kind *k = &p->kinds[v->kind];
	uint32_t n = v->n_processes;

	if (n > 2 && p->command)
		buf_printf(to, "%s: ", profile_string(p, p->command));
	if (n > 2)
		buf_printf(to, "%" PRIu32 " processes", n);
	else if (!n)
		buf_str(to, p->command ? profile_string(p, p->command) : "gostrobe");
	for (uint32_t i = 0; i < n && n <= 2; i++) {
		buf_str(to, i ? " and " : "");
		view_process_name(v, v->processes[i], to);
	}
	if (v->other_kinds)
		buf_printf(to, ", %s", profile_string(p, k->name));
	buf_printf(to, ", %.1fs", (double)v->duration_ns / 1e9);
	if (k->freq)
		buf_printf(to, " at %" PRIu32 " Hz", k->freq);
	if (k->source)
		buf_printf(to, ", %s", profile_string(p, k->source));
}

uint32_t view_runs(const struct view *v, uint32_t goroutine)
{
	struct starts *own = NULL;

	if (!*v->runs) {
		own = v->starts ? NULL : starts_new(&v->profile, 1);
		*v->runs = starts_of(own ? own : v->starts, v->profile);
		starts_free(own);
	}
	return (*v->runs)[goroutine];
}

static bool has_other_kinds(const struct profile *p, uint8_t kind)
{
	for (uint32_t i = 1; i < p->n_kinds; i++)
		if (i != kind && p->kinds[i].name && p->kinds[i].quality.samples)
			return true;
	return false;
}

void view_select(struct view *v, const struct profile *p)
{
	struct buf text = { 0 };

	v->profile = p;
	v->runs = mem_zalloc(sizeof(*v->runs));
	if (v->as_pprof)
		v->roles = sigprof_roles(p);
	find_hidden(v);
	v->kind = profile_find_kind(p, v->filter.kind);
	v->other_kinds = has_other_kinds(p, v->kind);
	filter_prepare(&v->filter, p);
	fill_flags(v);
	select_events(v);
	add_title(v, &text);
	v->title = arena_strndup(&v->arena, (const char *)text.data, text.len);
	text.len = 0;
	grouping_title(&v->by, &text);
	v->key = arena_strndup(&v->arena, (const char *)text.data, text.len);
	buf_release(&text);
}

struct view view_part(const struct view *of, const struct grouping *by, uint32_t *events,
		      uint32_t n_events)
{
	struct view part = *of;

	part.by = *by;
	part.events = events;
	part.n_events = n_events;
	part.tree = NULL;
	return part;
}

void view_part_release(struct view *part)
{
	tree_free(part->tree);
	free(part->events);
	*part = (struct view){ 0 };
}

const struct tree *view_tree(struct view *v)
{
	if (!v->tree)
		v->tree = tree_build(v);
	return v->tree;
}

void view_release(struct view *v)
{
	tree_free(v->tree);
	match_free(v->match);
	filter_release(&v->filter);
	free(v->events);
	free(v->processes);
	free(v->runs ? *v->runs : NULL);
	free(v->runs);
	free(v->frame_flags);
	free(v->call_flags);
	free(v->hidden);
	free(v->roles);
	arena_release(&v->arena);
	*v = (struct view){ 0 };
}
