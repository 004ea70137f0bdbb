/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "output/dump_groups.h"
#include "output/dump_lines.h"
#include "output/json.h"
#include "output/json_meta.h"
#include "output/used.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/view.h"

static void json_object(struct json *j, const struct dump *d, uint32_t row)
{
	static const char *const kinds[OBJECT_KINDS] = {
		[OBJECT_CHAN] = "chan",           [OBJECT_FILE] = "file",
		[OBJECT_MUTEX] = "mutex",         [OBJECT_RWMUTEX] = "rwmutex",
		[OBJECT_WAITGROUP] = "waitgroup", [OBJECT_COND] = "cond",
		[OBJECT_SEMA] = "semaphore",      [OBJECT_SYSCALL] = "syscall",
	};
	const struct wait_object *o = &d->objects[row];
	const struct profile *p = d->profile;
	struct buf text = { 0 };

	dump_object_add(d, row, &text);
	json_line(j);
	json_open(j, NULL, '{');
	json_str(j, "kind", kinds[o->kind]);
	json_str(j, "text", buf_text(&text));
	json_hex(j, "address", o->addr, o->addr);
	json_str_or_null(j, "symbol", profile_string(p, o->symbol));
	json_uint(j, "waiters", o->waiters);
	json_uint_if(j, "len", o->len, o->kind == OBJECT_CHAN);
	json_uint_if(j, "cap", o->cap, o->kind == OBJECT_CHAN);
	if (o->kind == OBJECT_CHAN)
		json_bool(j, "closed", o->closed);
	else
		json_null(j, "closed");
	json_uint_if(j, "state", o->word,
		     o->kind == OBJECT_MUTEX || o->kind == OBJECT_RWMUTEX);
	json_uint_if(j, "counter", o->counter, o->kind == OBJECT_WAITGROUP);
	json_str_or_null(j, "syscall", profile_string(p, o->name));
	json_uint_if(j, "fd", o->fd - 1ull, o->fd);
	json_str_or_null(j, "file", profile_string(p, o->file));
	json_close(j, '}');
	buf_release(&text);
}

static void json_stack(struct json *j, const struct view *v, uint32_t call)
{
	static uint32_t frames[VIEW_MAX_FRAMES];
	uint32_t n = view_stack(v, &(struct event){ .call = call }, frames);

	json_line(j);
	json_open(j, NULL, '[');
	for (uint32_t i = 0; i < n; i++) {
		const struct frame *f = view_frame(v, frames[i]);
		struct buf name = { 0 };

		view_frame_name(v, frames[i], &name);
		json_open(j, NULL, '{');
		json_str(j, "name", buf_text(&name));
		json_str_or_null(j, "function", profile_string(v->profile, f->func));
		json_str_or_null(j, "file", profile_string(v->profile, f->file));
		json_uint_or_null(j, "line", f->line);
		json_bool(j, "inlined", f->inlined);
		json_close(j, '}');
		buf_release(&name);
	}
	json_close(j, ']');
}

static void json_goroutine(struct json *j, const struct dump_groups *gs, struct used *calls,
			   uint32_t row)
{
	const struct dump *d = gs->dump;
	const struct profile *p = d->profile;
	const struct goroutine_state *s = &d->states[row];
	const struct goroutine *g = &p->goroutines[p->events[row].goroutine];
	bool whole;

	json_line(j);
	json_open(j, NULL, '{');
	json_uint(j, "goid", g->goid);
	json_uint_or_null(j, "parent_goid", g->parent_goid);
	json_str(j, "state", profile_string(p, s->state));
	json_str_or_null(j, "start", profile_string(p, g->start));
	json_str_or_null(j, "creator", profile_string(p, g->creator));
	whole = json_labels(j, "labels", profile_string(p, g->labels));
	json_bool(j, "labels_complete", whole);
	json_uint_or_null(j, "tid", s->tid);
	json_bool(j, "locked", s->flags & STATE_LOCKED);
	json_bool(j, "system", s->flags & STATE_SYSTEM);
	json_uint_or_null(j, "blocked_ns", s->since_ns);
	if (d->between_ns)
		json_bool(j, "unmoved", s->flags & STATE_UNMOVED);
	else
		json_null(j, "unmoved");
	json_uint_if(j, "wakes_in_ns", s->until_ns > 0 ? (uint64_t)s->until_ns : 0,
		     s->until_ns != INT64_MIN);
	json_bool(j, "write", s->flags & STATE_WRITE);
	json_column(j, "waits_for", s->n_objects, d->waits[s->objects + i] - 1);
	json_uint(j, "stack", used_place(calls, p->events[row].call));
	json_bool(j, "complete", p->events[row].flags & EVENT_ROOTED);
	json_close(j, '}');
}

static void json_dump_group(struct json *j, const struct dump_groups *gs,
			    struct used *calls, const struct dump_group *g)
{
	const struct profile *p = gs->dump->profile;
	const struct event *e = &p->events[gs->rows[g->first]];

	json_line(j);
	json_open(j, NULL, '{');
	json_str_or_null(j, "name", strtab_get(gs->names, g->name));
	json_str(j, "state", profile_string(p, gs->dump->states[gs->rows[g->first]].state));
	json_uint(j, "count", g->n);
	json_uint_if(j, "unmoved", g->unmoved, gs->dump->between_ns);
	json_uint_or_null(j, "blocked_ns", g->since_ns);
	json_column(j, "goids", g->n,
		    p->goroutines[p->events[gs->rows[g->first + i]].goroutine].goid);
	json_uint(j, "stack", used_place(calls, e->call));
	json_close(j, '}');
}

void dump_write_json(const struct dump_groups *gs, const struct dump_text *o, FILE *out)
{
	const struct dump *d = gs->dump;
	const struct process *pr = &d->profile->processes[d->profile->n_processes > 1];
	struct used calls = used_new(d->profile->n_calls);
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	json_uint(&j, "pid", pr->tgid);
	json_str(&j, "path", profile_string(d->profile, pr->path));
	json_str(&j, "go_version", profile_string(d->profile, pr->go_version));
	json_time(&j, "start", d->profile->start_ns);
	json_uint(&j, "took_ns", d->took_ns);
	json_uint_if(&j, "between_ns", d->between_ns, d->between_ns);
	json_uint(&j, "goroutines_read", d->n);
	json_uint(&j, "goroutines_lost", d->lost);
	json_uint(&j, "system_hidden", o->hidden);
	json_bool(&j, "list_complete", !d->damaged);
	json_each(&j, "groups", gs->n, json_dump_group(&j, gs, &calls, &gs->list[i]));
	json_each(&j, "goroutines", gs->view->n_events,
		  json_goroutine(&j, gs, &calls, gs->view->events[i]));
	json_each(&j, "stacks", calls.n, json_stack(&j, gs->view, calls.rows[i]));
	json_open(&j, "objects", '[');
	for (uint32_t i = 1; i < d->n_objects; i++)
		json_object(&j, d, i);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
	used_release(&calls);
}
