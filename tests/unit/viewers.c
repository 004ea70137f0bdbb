/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of the formats for other viewers. tests/e2e/viewers has these read them. */
#include <zlib.h>

#include "output/tracks.h"
#include "output/writer.h"
#include "profiler/profile/view.h"
#include "tests/unit/hard_by_hand.h"
#include "tests/unit/tree_by_hand.h"

/* The text that is in a gzip stream. Frees it. */
static char *unzipped(char *data, size_t len)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)len };
	struct buf text = { 0 };

	cr_assert_eq(inflateInit2(&z, 31), Z_OK);
	z.next_out = buf_room(&text, 1 << 20);
	z.avail_out = 1 << 20;
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_assert_eq(z.avail_in, 0);
	text.data[z.total_out] = 0;
	inflateEnd(&z);
	free(data);
	return (char *)text.data;
}

static char *exported(const struct writer *w, struct view *v)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(w->write(v, &(struct writer_options){ 0 }, out), 0);
	fclose(out);
	return w == &firefox_writer ? unzipped(text, len) : text;
}

static void expect_text(const struct writer *w, const char *by, const char *path)
{
	struct profile *p = hard_workers();
	struct view v = { 0 };
	char *text, *version;

	cr_assert_null(grouping_parse(by, &v.by));
	view_select(&v, p);
	text = exported(w, &v);
	version = strstr(text, w == &firefox_writer ? "gostrobe " GOSTROBE_VERSION
						    : "gostrobe@" GOSTROBE_VERSION);
	if (version)
		memset(version + 9, 'V', strlen(GOSTROBE_VERSION));
	expect_golden(text, path);
	free(text);
	view_release(&v);
	profile_free(p);
}

Test(viewers, perf_script_has_threads)
{
	expect_text(&perf_script_writer, "none", "tests/unit/golden/perf-script.txt");
}

Test(viewers, perf_script_by_goroutine_has_goroutines_in_their_place)
{
	expect_text(&perf_script_writer, "goroutine",
		    "tests/unit/golden/perf-script-goroutines.txt");
}

Test(viewers, speedscope_has_a_profile_per_group)
{
	expect_text(&speedscope_writer, "start", "tests/unit/golden/start.speedscope.json");
}

Test(viewers, firefox_has_a_thread_per_goroutine)
{
	expect_text(&firefox_writer, "goroutine",
		    "tests/unit/golden/goroutines.firefox.json");
}

/* 300 goroutines of 3 functions; the i-th has i + 1 samples, the last ones at the start. */
static struct profile *many_goroutines(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), t = hand_thread(p, pid, 812, "demo");
	uint32_t work = hand_stack(p, "go:main.work");
	char start[] = "main.f0";

	for (uint32_t i = 0; i < 300; i++) {
		uint32_t g;

		start[6] = (char)('0' + i % 3);
		g = hand_goroutine(p, pid, i + 1, start, "", "");
		for (uint32_t k = 0; k <= i; k++)
			hand_event(p, 1000 - i + k, work, g, t, CLASS_USER);
	}
	return p;
}

static uint64_t sum_of(const struct tracks *t, bool *sorted)
{
	const struct event *events = t->view->profile->events;
	uint64_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		for (uint32_t k = 0; k < t->rows[i].n_events; k++) {
			const uint32_t *e = &t->rows[i].events[k];

			n += events[*e].weight;
			*sorted &= !k || events[e[-1]].time_ns <= events[*e].time_ns;
		}
	return n;
}

Test(tracks, are_the_largest_groups_and_what_is_left)
{
	struct profile *p = many_goroutines();
	struct view v = { 0 };
	struct tracks t = { .view = &v, .max = 200 };
	struct grouping rest;
	bool sorted = true;

	cr_assert_null(grouping_parse("goroutine", &v.by));
	view_select(&v, p);
	tracks_make(&t);
	cr_assert_eq(t.n, 201);
	cr_expect_str_eq(t.rows[0].name, "goroutine 300 main.f2");
	cr_expect_eq(t.rows[0].weight, 3000000000);
	cr_expect_str_eq(t.rows[199].name, "goroutine 101 main.f1");
	cr_expect_str_eq(t.rows[200].name, "(100 more)");
	cr_expect_eq(sum_of(&t, &sorted), 300ull * 301 / 2 * 10000000);
	cr_expect(sorted);
	tracks_release(&t);

	cr_assert_null(grouping_parse("start", &rest));
	t = (struct tracks){ .view = &v, .max = 200, .rest = &rest, .n_rest = 1 };
	tracks_make(&t);
	cr_assert_eq(t.n, 203);
	cr_expect_str_eq(t.rows[200].name, "main.f0 (34 more)");
	cr_expect_eq(sum_of(&t, &sorted), 300ull * 301 / 2 * 10000000);
	tracks_release(&t);

	t = (struct tracks){ .view = &v, .max = 2, .rest = &rest, .n_rest = 1 };
	tracks_make(&t);
	cr_assert_eq(t.n, 5);
	cr_expect_str_eq(t.rows[4].name, "(99 more)");
	cr_expect_eq(sum_of(&t, &sorted), 300ull * 301 / 2 * 10000000);
	tracks_release(&t);
	view_release(&v);
	profile_free(p);
}
