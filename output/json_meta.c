/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/json_meta.h"

#include <string.h>
#include <time.h>

#include "output/json.h"
#include "profiler/base/buf.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/view.h"

bool view_is_cpu(const struct view *v)
{
	return !strcmp(profile_string(v->profile, v->profile->kinds[v->kind].name), "cpu");
}

void json_origin(struct json *j, const char *key, uint8_t origin)
{
	static const char *const names[] = {
		[ORIGIN_OWN] = "own",
		[ORIGIN_LIBRARY] = "library",
		[ORIGIN_STANDARD] = "standard",
		[ORIGIN_OTHER] = "other",
	};

	json_str(j, key, names[origin]);
}

/* The latest possible one is of the year 2554. */
void json_time(struct json *j, const char *key, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char date[24], text[48];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	snprintf(text, sizeof(text), "%s.%09uZ", date, (unsigned)(ns % 1000000000));
	json_str(j, key, text);
}

/* Ends a text that may hold NULs, which are shown as bytes that are not UTF-8 are. */
static const char *label_text(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (!b->data[i])
			b->data[i] = 0xff;
	return buf_text(b);
}

bool json_labels(struct json *j, const char *name, const char *set)
{
	struct buf key = { 0 }, value = { 0 };
	enum label_state state;
	bool whole = true;

	json_open(j, name, '{');
	while ((state = labels_next(&set, &key, &value)) != LABEL_NONE) {
		whole &= state == LABEL_WHOLE;
		if (state != LABEL_LOST)
			json_str(j, label_text(&key), label_text(&value));
	}
	json_close(j, '}');
	buf_release(&key);
	buf_release(&value);
	return whole;
}

void json_process(struct json *j, const struct view *v, uint32_t process)
{
	const struct profile *p = v->profile;
	const struct process *pr = &p->processes[process];

	json_open(j, NULL, '{');
	json_uint(j, "pid", pr->tgid);
	json_str(j, "name", profile_string(p, pr->name));
	json_str_or_null(j, "path", profile_string(p, pr->path));
	json_str_or_null(j, "go_version", profile_string(p, pr->go_version));
	json_labels(j, "attributes", profile_string(p, pr->resource));
	json_close(j, '}');
}

void json_recording(struct json *j, const struct view *v)
{
	const struct profile *p = v->profile;
	const struct event_kind *k = &p->kinds[v->kind];

	json_str(j, "version", GOSTROBE_VERSION);
	json_open(j, "target", '{');
	json_str_or_null(j, "command", profile_string(p, p->command));
	json_each(j, "processes", v->n_processes, json_process(j, v, v->processes[i]));
	json_close(j, '}');
	json_time(j, "start", p->start_ns);
	json_uint(j, "start_ns", p->start_ns);
	json_uint(j, "duration_ns", v->duration_ns);
	json_str_or_null(j, "event", profile_string(p, k->source));
	json_uint_or_null(j, "hz", k->freq);
	json_uint_or_null(j, "cpus", p->n_cpus);
}

static void json_by(struct json *j, const struct grouping *by)
{
	json_open(j, "by", '[');
	for (int i = 0; i < by->n; i++) {
		struct buf word = { 0 };

		grouping_word(by, i, &word);
		json_str(j, NULL, buf_text(&word));
		buf_release(&word);
	}
	json_close(j, ']');
}

static void json_wanted(struct json *j, const struct filter *f)
{
	json_open(j, "label", '[');
	for (uint32_t i = 0; i < f->n_labels; i++) {
		struct buf key = { 0 };

		buf_add(&key, f->labels[i].key, f->labels[i].key_len);
		json_open(j, NULL, '{');
		json_str(j, "key", buf_text(&key));
		json_str(j, "value", f->labels[i].value);
		json_close(j, '}');
		buf_release(&key);
	}
	json_close(j, ']');
}

static void json_range(struct json *j, const struct filter *f)
{
	if (!f->from_ns && !f->to_ns) {
		json_null(j, "time");
		return;
	}
	json_open(j, "time", '{');
	json_uint(j, "from_ns", f->from_ns);
	json_uint_or_null(j, "to_ns", f->to_ns);
	json_close(j, '}');
}

void json_selection(struct json *j, const struct view *v, bool report)
{
	const struct filter *f = &v->filter;

	json_open(j, "selection", '{');
	if (report)
		json_by(j, &v->by);
	json_str_or_null(j, "kind", f->kind ? f->kind : "");
	json_column(j, "goid", f->goids.n, f->goids.rows[i]);
	json_column(j, "pid", f->pids.n, f->pids.rows[i]);
	json_range(j, f);
	json_wanted(j, f);
	json_str_or_null(j, "focus", f->focus ? f->focus_text : "");
	json_str_or_null(j, "ignore", f->ignore ? f->ignore_text : "");
	json_bool(j, "as_pprof", v->as_pprof);
	if (report)
		json_bool(j, "own", v->own_only);
	json_close(j, '}');
}

void json_quality(struct json *j, const struct view *v)
{
	const struct quality *q = &v->profile->kinds[v->kind].quality;
	const struct stats *s = &v->profile->stats;

	json_open(j, "truth", '{');
	json_uint(j, "samples", q->samples);
	json_uint(j, "lost", stats_lost(s));
	json_num(j, "with_goroutine", share_of(q->with_goroutine, q->samples));
	json_num(j, "rooted", share_of(q->rooted, q->samples));
	json_num(j, "named", share_of(q->named_frames, q->user_frames));
	json_num(j, "cpu_s", (double)s->cpu_ns / 1e9);
	json_uint(j, "peak_rss_bytes", s->peak_rss);
	json_close(j, '}');
}
