/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of export -f json; tests/oracle/check-json compares more of it with its
 * schema. */
#include "output/writer.h"
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

static char *exported(struct view *v)
{
	char *text, *version;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(json_writer.write(v, &(struct writer_options){ 0 }, out), 0);
	fclose(out);
	version = strstr(text, "\"version\":\"" GOSTROBE_VERSION "\"");
	cr_assert(version);
	memset(version + 11, 'V', strlen(GOSTROBE_VERSION));
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
			       "\"stack\":0,\"goroutine\":0,\"thread\":0,"
			       "\"class\":\"user\",\"complete\":true}]}\n"),
		  "%s", text);
	free(text);
	view_release(&v);
	profile_free(p);
}
