/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * speedscope's own format: a sampled profile for each group of the view, the largest first.
 * Its samples are in time order, which is what speedscope's "Time Order" shows; their
 * weights are those of the events, so the axis is CPU time and has no gaps.
 */
#include "output/frames.h"
#include "output/json.h"
#include "output/palette.h"
#include "output/tracks.h"
#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"

enum { MAX_PROFILES = 200, BUF_BYTES = 1 << 16 };

struct speedscope {
	const struct view *view;
	struct json j;
	struct frames frames;
	struct tracks tracks;
	struct buf buf;
	uint32_t path[VIEW_MAX_FRAMES];
};

/* speedscope gives frames of one file similar colours, so a module is better than
 * nothing. */
static const char *file_of(const struct profile *p, const struct shown_frame *f)
{
	return profile_string(p, f->file ? f->file : p->modules[f->module].path);
}

static void write_frames(struct speedscope *s)
{
	const struct profile *p = s->view->profile;
	struct json *j = &s->j;

	json_open(j, "shared", '{');
	json_open(j, "frames", '[');
	for (uint32_t i = 0; i < s->frames.n; i++) {
		const struct shown_frame *f = &s->frames.rows[i];

		json_line(j);
		json_open(j, NULL, '{');
		json_str(j, "name", strtab_get(s->frames.names, f->name));
		if (f->palette == PALETTE_KERNEL)
			json_str(j, "file", "[kernel]");
		else if (f->file || f->module)
			json_str(j, "file", file_of(p, f));
		if (f->line)
			json_uint(j, "line", f->line);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

/* Adds "[1,2,3]", root first. */
static void add_stack(struct speedscope *s, uint32_t stack)
{
	uint32_t n = 0;

	for (; stack; stack = s->frames.stacks[stack].parent)
		s->path[n++] = s->frames.stacks[stack].frame;
	buf_u8(&s->buf, '[');
	while (n--) {
		buf_decimal(&s->buf, s->path[n]);
		if (n)
			buf_u8(&s->buf, ',');
	}
	buf_u8(&s->buf, ']');
}

static void write_samples(struct speedscope *s, const struct track *t)
{
	const struct profile *p = s->view->profile;

	json_open(&s->j, "samples", '[');
	for (uint32_t i = 0; i < t->n_events; i++) {
		buf_str(&s->buf, i ? ",\n" : "");
		add_stack(s, s->frames.stack_of[t->events[i]]);
		if (s->buf.len > BUF_BYTES)
			buf_write(&s->buf, s->j.out);
	}
	buf_write(&s->buf, s->j.out);
	json_close(&s->j, ']');
	json_open(&s->j, "weights", '[');
	for (uint32_t i = 0; i < t->n_events; i++) {
		buf_str(&s->buf, i ? "," : "");
		buf_decimal(&s->buf, p->events[t->events[i]].weight);
		if (s->buf.len > BUF_BYTES)
			buf_write(&s->buf, s->j.out);
	}
	buf_write(&s->buf, s->j.out);
	json_close(&s->j, ']');
}

static void write_profile(struct speedscope *s, const struct track *t)
{
	bool time = profile_is_time(s->view->profile, s->view->kind);
	struct json *j = &s->j;

	json_line(j);
	json_open(j, NULL, '{');
	json_str(j, "type", "sampled");
	json_str(j, "name", *t->name ? t->name : s->view->title);
	json_str(j, "unit", time ? "nanoseconds" : "none");
	json_uint(j, "startValue", 0);
	json_uint(j, "endValue", t->weight);
	write_samples(s, t);
	json_close(j, '}');
}

static int speedscope_write(struct view *v, const struct writer_options *o, FILE *out)
{
	struct speedscope s = { .view = v, .j = { .out = out } };
	struct json *j = &s.j;

	(void)o;
	s.frames.view = s.tracks.view = v;
	s.tracks.max = MAX_PROFILES;
	frames_make(&s.frames);
	tracks_make(&s.tracks);
	json_open(j, NULL, '{');
	json_str(j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_str(j, "exporter", "gostrobe@" GOSTROBE_VERSION);
	json_str(j, "name", v->title);
	json_uint(j, "activeProfileIndex", 0);
	write_frames(&s);
	json_open(j, "profiles", '[');
	for (uint32_t i = 0; i < s.tracks.n && !ferror(out); i++)
		write_profile(&s, &s.tracks.rows[i]);
	json_close(j, ']');
	json_close(j, '}');
	fputc('\n', out);
	frames_release(&s.frames);
	tracks_release(&s.tracks);
	buf_release(&s.buf);
	return 0;
}

const struct writer speedscope_writer = {
	.name = "speedscope",
	.ending = ".speedscope.json",
	.help = "for speedscope.app: a profile for each of the 200 largest groups, samples in "
		"time order",
	.by = BY_START,
	.write = speedscope_write,
};
