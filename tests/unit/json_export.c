/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of export -f json, and of report --json for a profile with everything.
 * tests/oracle/check-json compares more of both with their schemas. */
#include "output/table.h"
#include "output/writer.h"
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

static char *exported(struct view *v)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(json_writer.write(v, &(struct writer_options){ 0 }, out), 0);
	fclose(out);
	hide_version(text);
	return text;
}

static struct profile *hostile_workers(void)
{
	struct profile *p = hand_workers();
	uint32_t pid = hand_process(p, 900, "ev\033il");
	uint32_t t = hand_thread(p, pid, 901, "\xff");
	uint32_t g = hand_goroutine(p, pid, 18, "main.F[go.shape.int]", "main.\"q\" q.go:1",
				    "job=a\\00b,user=42\\+");
	uint32_t frame;
	struct frame f = { .addr = 0x2f0, .kind = FRAME_UNNAMED };

	p->processes[1].go_version = hand_string(p, "go1.22.3");
	p->processes[1].resource = hand_string(p, "a.b=c\\2cd,service.name=web");
	p->command = hand_string(p, "all Go processes");
	p->n_cpus = 4;
	f.module = profile_module(
		p, &(struct module){ .path = hand_string(p, "/lib/libc.so.6") });
	frame = profile_frame(p, &f);
	hand_event(p, 800, profile_call(p, 0, frame), g, t, CLASS_CGO);
	/* Only the wrapper differs, which is hidden. */
	hand_event(p, 900, hand_stack(p, "go:main.worker go:main.work"), g, t, CLASS_USER);
	hand_event(p, 950, hand_stack(p, "go:main.worker wrapper:main.w go:main.work"), g,
		   t, CLASS_USER);
	hand_event(p, 960, 0, 0, t, CLASS_UNKNOWN);
	return p;
}

Test(json_export, is_tables_that_refer_to_each_other)
{
	struct profile *p = hostile_workers();
	struct view v = { 0 };
	char *text;

	view_select(&v, p);
	text = exported(&v);
	expect_golden(text, "tests/unit/golden/export.json");
	free(text);
	view_release(&v);
	profile_free(p);
}

Test(json_export, has_only_what_is_selected)
{
	struct profile *p = hostile_workers();
	struct view v = { 0 };
	char *text;

	cr_assert_null(filter_goids("19", &v.filter));
	cr_assert_null(filter_time("400ms-", &v.filter));
	cr_assert_null(filter_label("job=x", &v.filter));
	cr_assert_null(filter_focus("wor[k]", &v.filter));
	view_select(&v, p);
	text = exported(&v);
	cr_expect(strstr(text, "\"selection\":{\"kind\":null,\"goid\":[19],\"pid\":[],"
			       "\"time\":{\"from_ns\":400000000,\"to_ns\":null},"
			       "\"label\":[{\"key\":\"job\",\"value\":\"x\"}],"
			       "\"focus\":\"wor[k]\",\"ignore\":null,\"as_pprof\":false},\n"
			       "\"stacks\":[\n[0,1]],\n"),
		  "%s", text);
	cr_expect(strstr(text, "\"events\":[\n{\"time_ns\":400000000,\"weight\":10000000,"
			       "\"stack\":0,\"goroutine\":0,\"thread\":0,\"cpu\":null,"
			       "\"class\":\"user\",\"complete\":true}]}\n"),
		  "%s", text);
	free(text);
	view_release(&v);
	profile_free(p);
}

static char *reported(struct view *v)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(table_write_json(v, out), 0);
	fclose(out);
	hide_version(text);
	return text;
}

Test(report_json, names_groups_by_their_keys)
{
	struct profile *p = hostile_workers();
	struct view v = { 0 };
	char *text;

	cr_assert_null(grouping_parse("label:job,goroutine", &v.by));
	view_select(&v, p);
	text = reported(&v);
	expect_golden(text, "tests/unit/golden/report-keys.json");
	free(text);
	view_release(&v);
	profile_free(p);
}

/* A process has a goroutine, and samples without one; a program may have goroutines of
 * equal ids. */
Test(report_json, a_group_is_a_goroutine_only_if_all_of_it_is)
{
	struct profile *p = hand_profile();
	uint32_t one = hand_process(p, 812, "demo"), two = hand_process(p, 813, "demo");
	uint32_t t1 = hand_thread(p, one, 812, ""), t2 = hand_thread(p, two, 813, "");
	uint32_t a = hand_goroutine(p, one, 18, "main.a", "", "");
	uint32_t b = hand_goroutine(p, two, 18, "main.a", "", "");
	uint32_t stack = hand_stack(p, "go:main.a");
	struct view v = { 0 };
	char *text;

	hand_event(p, 1, stack, a, t1, CLASS_USER);
	hand_event(p, 2, stack, 0, t1, CLASS_SCHEDULER);
	hand_event(p, 3, stack, b, t2, CLASS_USER);
	cr_assert_null(grouping_parse("process", &v.by));
	view_select(&v, p);
	text = reported(&v);
	cr_expect(strstr(text, "\"keys\":[{\"by\":\"process\",\"value\":\"demo-812\"}],"
			       "\"goid\":null,\"goroutines\":1,\"largest\":{\"pid\":812,"
			       "\"goid\":18,\"cpu_ns\":10000000,\"share\":0.5},"),
		  "%s", text);
	cr_expect(strstr(text, "\"keys\":[{\"by\":\"process\",\"value\":\"demo-813\"}],"
			       "\"goid\":18,\"goroutines\":1,\"largest\":{\"pid\":813,"),
		  "%s", text);
	free(text);
	view_release(&v);
	profile_free(p);
}
