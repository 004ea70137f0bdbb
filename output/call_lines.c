/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/call_lines.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "output/cells.h"
#include "output/json.h"
#include "output/json_meta.h"
#include "output/text.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/view.h"

enum {
	FIXED = 15 + 9 + 9 + 2 + 2, /* columns of time, goroutine, thread and the gaps */
	START_MIN = 14,             /* "start function" */
	START_MAX = 40,             /* longer ones move the function to the right */
};

static uint32_t width_of(const struct call_lines *l)
{
	return l->width && l->width < CELLS_MIN_WIDTH ? CELLS_MIN_WIDTH : l->width;
}

/* The most that the start function may take. */
static uint32_t start_max(const struct call_lines *l)
{
	return l->width ? (width_of(l) - FIXED) * 2 / 5 : UINT32_MAX;
}

/* Ends and writes a line. */
static void line_put(const struct call_lines *l, struct buf *b, const char *style,
		     FILE *out)
{
	struct cells c = { .out = out, .color = l->color, .line = *b };

	line_end(&c, style);
	*b = c.line;
}

void call_lines_head(struct call_lines *l, FILE *out)
{
	struct buf b = { 0 };

	l->start = at_most(START_MIN, start_max(l));
	buf_printf(&b, "%-15s%9s%9s  %-*s  function", "time", "goid", "thread",
		   (int)l->start, "start function");
	line_put(l, &b, STYLE_BOLD, out);
	buf_release(&b);
}

/* "15:04:05.123456" */
static void add_time(struct buf *b, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[16];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &tm));
	buf_printf(b, "%s.%06u", text, (unsigned)(ns % 1000000000 / 1000));
}

/* The function that the goroutine runs, or in brackets why there is no goroutine. */
static void add_start(struct buf *b, const struct view *v, const struct event *e)
{
	const struct profile *p = v->profile;
	uint32_t start = e->goroutine ? view_runs(v, e->goroutine) : 0;

	if (!e->goroutine)
		buf_printf(b, "[%s]", event_class_names[e->class]);
	else if (!start)
		buf_str(b, "[unknown]");
	else
		view_go_name(v, p->goroutines[e->goroutine].process,
			     profile_string(p, start), b);
}

/* The line of the caller that was sampled: "  main.caller main.go:40". */
static void add_caller(struct buf *b, const struct view *v, uint32_t row)
{
	const struct frame *f = view_frame(v, row);
	const char *file = profile_string(v->profile, f->file);

	view_frame_name(v, row, b);
	if (f->line)
		buf_printf(b, " %s:%" PRIu32, basename(file), f->line);
}

void call_line(struct call_lines *l, const struct view *v, const struct event *e, FILE *out)
{
	const struct profile *p = v->profile;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	uint32_t frames[VIEW_MAX_FRAMES], n = view_stack(v, e, frames), width = width_of(l),
					  taken;
	struct buf b = { 0 }, name = { 0 };

	add_time(&b, p->start_ns + e->time_ns);
	if (e->goroutine)
		buf_printf(&b, "%9" PRIu64, g->goid);
	else
		buf_printf(&b, "%9s", "-");
	buf_printf(&b, "%9" PRIu32 "  ", p->threads[e->thread].tid);
	add_start(&name, v, e);
	taken = text_columns(buf_text(&name));
	l->start = l->start < START_MIN ? START_MIN : l->start;
	l->start = taken > l->start ? at_most(taken, START_MAX) : l->start;
	l->start = at_most(l->start, start_max(l));
	taken = text_fit(&b, buf_text(&name), l->width ? l->start : UINT32_MAX);
	buf_printf(&b, "%*s  ", taken < l->start ? (int)(l->start - taken) : 0, "");
	name.len = 0;
	if (n)
		view_frame_name(v, frames[0], &name);
	text_fit(&b, buf_text(&name), width ? width - FIXED - l->start : UINT32_MAX);
	line_put(l, &b,
		 n ? style_of((uint8_t)origin_of(p, view_frame(v, frames[0]))) : NULL, out);
	for (uint32_t i = 1; l->stack && i < n; i++) {
		name.len = 0;
		add_caller(&name, v, frames[i]);
		buf_str(&b, "        ");
		text_fit(&b, buf_text(&name), width ? width - 8 : UINT32_MAX);
		line_put(l, &b, NULL, out);
	}
	buf_release(&b);
	buf_release(&name);
}

/* JSON. */

/* Ends the text and empties it; it is valid until the next one is begun. */
static const char *text_end(struct buf *b)
{
	const char *ret = buf_text(b);

	b->len = 0;
	return ret;
}

static void json_frame(struct json *j, const struct view *v, uint32_t row, struct buf *text)
{
	const struct frame *f = view_frame(v, row);

	view_frame_name(v, row, text);
	json_str(j, "function", text_end(text));
	json_str_or_null(j, "file", profile_string(v->profile, f->file));
	json_uint_or_null(j, "line", f->line);
}

static void json_goroutine(struct json *j, const struct view *v, const struct event *e,
			   struct buf *text)
{
	const struct profile *p = v->profile;
	const struct goroutine *g = &p->goroutines[e->goroutine];
	bool whole;

	json_uint_or_null(j, "goid", g->goid);
	json_uint_or_null(j, "parent_goid", g->parent_goid);
	if (e->goroutine)
		view_go_name(v, g->process, profile_string(p, view_runs(v, e->goroutine)),
			     text);
	json_str_or_null(j, "start", text_end(text));
	view_go_name(v, g->process, profile_string(p, g->creator), text);
	json_str_or_null(j, "creator", text_end(text));
	json_str(j, "class", event_class_names[e->class]);
	whole = json_labels(j, "labels", profile_string(p, g->labels));
	json_bool(j, "labels_complete", whole);
}

void call_line_json(const struct view *v, const struct event *e, bool stack, FILE *out)
{
	const struct profile *p = v->profile;
	const struct thread *t = &p->threads[e->thread];
	uint32_t frames[VIEW_MAX_FRAMES], n = view_stack(v, e, frames);
	struct json j = { .out = out };
	struct buf text = { 0 };

	json_open(&j, NULL, '{');
	json_time(&j, "time", p->start_ns + e->time_ns);
	json_uint(&j, "time_ns", p->start_ns + e->time_ns);
	json_goroutine(&j, v, e, &text);
	json_uint(&j, "pid", p->processes[t->process].tgid);
	json_uint(&j, "tid", t->tid);
	json_str_or_null(&j, "thread", profile_string(p, t->name));
	if (n)
		json_frame(&j, v, frames[0], &text);
	if (stack) {
		json_open(&j, "callers", '[');
		for (uint32_t i = 1; i < n; i++) {
			json_open(&j, NULL, '{');
			json_frame(&j, v, frames[i], &text);
			json_bool(&j, "inlined", view_frame(v, frames[i])->inlined);
			json_close(&j, '}');
		}
		json_close(&j, ']');
		json_bool(&j, "complete", e->flags & EVENT_ROOTED);
	}
	json_close(&j, '}');
	fputc('\n', out);
	buf_release(&text);
}
