/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/groups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/match.h"
#include "profiler/profile/view.h"

/* The keys that need a goroutine. */
enum {
	GOROUTINE_KEYS = 1 << BY_GOROUTINE | 1 << BY_START | 1 << BY_CREATOR | 1 << BY_LABEL
};

/* Names. */

static uint32_t text_name(struct groups *gs)
{
	uint32_t len = (uint32_t)gs->text.len;

	gs->text.len = 0;
	return len ? strtab_addn(gs->names, (const char *)gs->text.data, len) : 0;
}

/* name: the start function of a goroutine, or where it was created. */
static void add_go_name(struct groups *gs, const struct goroutine *g, const char *name)
{
	view_go_name(gs->view, g->process, name, &gs->text);
}

/* The start function, or with BY_CREATOR where it was created. */
static const char *go_name_of(const struct groups *gs, enum group_key key,
			      uint32_t goroutine)
{
	const struct view *v = gs->view;

	if (key != BY_CREATOR)
		return profile_string(v->profile, view_runs(v, goroutine));
	if (v->match)
		return v->match->creators[goroutine];
	return profile_string(v->profile, v->profile->goroutines[goroutine].creator);
}

/* Where one function starts in several places, views that match name these. */
static void add_place(struct groups *gs, const struct goroutine *g, uint32_t goroutine)
{
	if (!gs->view->match || !gs->view->match->several[goroutine])
		return;
	buf_str(&gs->text, " (");
	add_go_name(gs, g, gs->view->match->creators[goroutine]);
	buf_u8(&gs->text, ')');
}

/* Adds the value of the label. False: there is no such label. */
static bool add_label_value(struct groups *gs, const char *name, const struct goroutine *g)
{
	struct buf value = { 0 };
	const char *labels = profile_string(gs->view->profile, g->labels);
	enum label_state state = labels_find(labels, name, strcspn(name, ","), &value);

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i])
			buf_u8(&gs->text, value.data[i]);
		else
			buf_str(&gs->text, "\xef\xbf\xbd"); /* U+FFFD: a name has no NULs */
	}
	if (state == LABEL_PART || state == LABEL_LOST)
		buf_str(&gs->text, "…");
	buf_release(&value);
	return state != LABEL_NONE;
}

/* Adds the value of the event's group for the i-th key, but for labels. */
static void add_value(struct groups *gs, enum group_key key, const struct event *e)
{
	const struct profile *p = gs->view->profile;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	const struct thread *t = &p->threads[e->thread];
	const char *name = go_name_of(gs, key, e->goroutine);
	struct buf *to = &gs->text;

	if (key == BY_GOROUTINE) {
		buf_printf(to, "goroutine %" PRIu64 "%s", g->goid, *name ? " " : "");
		add_go_name(gs, g, name);
	} else if (key == BY_START || key == BY_CREATOR) {
		buf_str(to, *name ? "" : "[unknown]");
		add_go_name(gs, g, name);
		if (key == BY_START)
			add_place(gs, g, e->goroutine);
	} else if (key == BY_CLASS) {
		buf_str(to, event_class_names[e->class]);
	} else if (key == BY_THREAD) {
		buf_printf(to, "%" PRIu32 "%s%s", t->tid, t->name ? " " : "",
			   profile_string(p, t->name));
	} else if (key == BY_PROCESS) {
		view_process_name(gs->view, t->process, to);
	} else {
		buf_str(to, profile_string(p, p->processes[t->process].name));
	}
}

/* What a group is called, as ids in gs->names. */
struct group_name {
	uint32_t name, value;
};

/* A label that is set to nothing is another group than none, except where groups are as
 * pprof files have them: they do not tell. */
static struct group_name label_names(struct groups *gs, int i, const struct event *e)
{
	const char *key = gs->view->by.labels[i];
	int len = (int)strcspn(key, ",");
	bool has = add_label_value(gs, key, &gs->view->profile->goroutines[e->goroutine]);
	struct group_name ret;

	if (has && !gs->text.len && !gs->view->labels_only)
		buf_str(&gs->text, "\"\"");
	ret.value = text_name(gs);
	buf_printf(&gs->text, "%.*s=%s", len, key, strtab_get(gs->names, ret.value));
	ret.name = text_name(gs);
	if (!ret.value) {
		buf_printf(&gs->text, "(no %.*s)", len, key);
		ret.value = text_name(gs);
	}
	return ret;
}

/* The names of the event's group for the i-th key. */
static struct group_name group_names(struct groups *gs, int i, const struct event *e)
{
	static const char *const prefixes[BY_MAX] = {
		[BY_GOROUTINE] = "",       [BY_START] = "start ",
		[BY_CREATOR] = "go ",      [BY_CLASS] = "class ",
		[BY_THREAD] = "thread ",   [BY_PROCESS] = "process ",
		[BY_PROGRAM] = "program ",
	};
	enum group_key key = gs->view->by.keys[i];
	struct group_name ret;

	if (!e->goroutine && 1 << key & GOROUTINE_KEYS && !gs->view->labels_only) {
		buf_printf(&gs->text, "[%s]", event_class_names[e->class]);
		ret.name = ret.value = text_name(gs);
		return ret;
	}
	if (key == BY_LABEL)
		return label_names(gs, i, e);
	add_value(gs, key, e);
	ret.value = text_name(gs);
	buf_printf(&gs->text, "%s%s", prefixes[key], strtab_get(gs->names, ret.value));
	ret.name = text_name(gs);
	return ret;
}

/* Groups. */

static uint32_t add_level(struct groups *gs, uint32_t parent, struct group_name names,
			  int level)
{
	uint32_t id = 1 + pairs_add(&gs->children, parent, names.name);

	if (id == gs->n)
		*table_add(gs->rows, gs->n, gs->cap) = (struct group_level){
			.parent = parent,
			.name = names.name,
			.value = names.value,
			.level = (uint8_t)level,
		};
	return id;
}

/* Before other groups; views that match leave out its pid. */
static uint32_t add_process(struct groups *gs, uint32_t process)
{
	const struct profile *p = gs->view->profile;
	struct group_name names;

	if (gs->view->match)
		buf_str(&gs->text, profile_string(p, p->processes[process].name));
	else
		view_process_name(gs->view, process, &gs->text);
	names.name = names.value = text_name(gs);
	return add_level(gs, 0, names, 0);
}

static uint32_t add_levels(struct groups *gs, const struct event *e)
{
	const struct view *v = gs->view;
	const struct grouping *by = &v->by;
	bool prefix = !v->labels_only &&
		      (v->match ? v->match->programs : v->n_processes > 1);
	uint32_t group = 0;

	for (int i = 0; i < by->n; i++) {
		if (by->keys[i] == BY_NONE)
			continue;
		if (prefix && by->keys[i] != BY_PROCESS && by->keys[i] != BY_PROGRAM)
			group = add_process(gs, v->profile->threads[e->thread].process);
		prefix = false;
		group = add_level(gs, group, group_names(gs, i, e), i + 1);
	}
	return group;
}

static void begin(struct groups *gs)
{
	*table_add(gs->rows, gs->n, gs->cap) = (struct group_level){ 0 };
	for (int i = 0; i < gs->view->by.n; i++)
		gs->keys |= 1u << gs->view->by.keys[i];
}

uint32_t groups_add(struct groups *gs, const struct event *e)
{
	uint32_t thread, group, id;
	bool class;

	if (!gs->n)
		begin(gs);
	thread = gs->keys & 1 << BY_THREAD ? e->thread
					   : gs->view->profile->threads[e->thread].process;
	class = gs->keys & 1 << BY_CLASS || (gs->keys & GOROUTINE_KEYS && !e->goroutine);
	id = pairs_add(&gs->selectors, (uint64_t)e->goroutine << 32 | thread,
		       class ? e->class : CLASS_MAX);
	if (id < gs->n_of_selector)
		return gs->of_selector[id];
	group = add_levels(gs, e);
	*table_add(gs->of_selector, gs->n_of_selector, gs->cap_of_selector) = group;
	return group;
}

void groups_release(struct groups *gs)
{
	pairs_release(&gs->selectors);
	pairs_release(&gs->children);
	free(gs->of_selector);
	free(gs->rows);
	buf_release(&gs->text);
	*gs = (struct groups){ 0 };
}
