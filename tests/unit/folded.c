/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include <stdlib.h>

#include "output/writer.h"
#include "profiler/profile/view.h"

/* Frees the profile. */
static char *folded(struct profile *p, const char *by, bool annotate)
{
	struct writer_options o = { .annotate = annotate };
	struct view v = { 0 };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_null(grouping_parse(by, &v.by));
	view_select(&v, p);
	cr_assert_eq(folded_writer.write(&v, &o, out), 0);
	fclose(out);
	view_release(&v);
	profile_free(p);
	return text;
}

static void expect_folded(struct profile *p, const char *want)
{
	char *text = folded(p, "none", false);

	cr_expect_str_eq(text, want, "%s", text);
	free(text);
}

/* A frame called by the stack `parent`, and n samples of it. */
static uint32_t samples(struct profile *p, uint32_t parent, const char *name, uint8_t kind,
			int n)
{
	struct frame f = { .func = hand_string(p, name), .kind = kind };
	uint32_t call = profile_call(p, parent, profile_frame(p, &f));

	while (n--)
		hand_event(p, 0, call, 0, 0, CLASS_USER);
	return call;
}

static struct profile *small(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), t = hand_thread(p, pid, 812, "demo");
	uint32_t g = hand_goroutine(p, pid, 18, "main.worker", "", "");
	static const char *const stacks[] = {
		"go:main.worker", "go:main.worker go:os.(*File).Write",
		"go:main.worker inl:main.tiny",
		"go:main.worker go:os.(*File).Write kernel:ksys_write"
	};

	for (int i = 0; i < 4; i++)
		for (int n = 0; n <= i; n++)
			hand_event(p, 0, hand_stack(p, stacks[i]), g, t, CLASS_USER);
	return p;
}

Test(folded, one_line_for_each_node_with_weight_of_its_own)
{
	char *text = folded(small(), "goroutine", false);

	cr_expect_str_eq(
		text,
		"goroutine 18 main.worker;main.worker 1\n"
		"goroutine 18 main.worker;main.worker;os.(*File).Write 2\n"
		"goroutine 18 main.worker;main.worker;main.tiny 3\n"
		"goroutine 18 main.worker;main.worker;os.(*File).Write;ksys_write_[k] 4\n");
	free(text);
}

/* Frames that differ in what is not written, such as their lines, are one. */
Test(folded, stacks_that_read_the_same_are_one_line)
{
	struct profile *p = hand_profile();
	struct frame f = { .func = hand_string(p, "main.f"), .kind = FRAME_GO };

	for (f.line = 1; f.line <= 3; f.line++)
		hand_event(p, 0, profile_call(p, 0, profile_frame(p, &f)), 0, 0, 0);
	expect_folded(p, "main.f 3\n");
}

/* The number of samples says little about waits: one may last a microsecond or an hour. */
Test(folded, counts_weight_when_each_event_has_its_own)
{
	struct profile *p = profile_new();

	profile_kind(p, &(struct event_kind){ .name = hand_string(p, "off-cpu"),
					      .unit = hand_string(p, UNIT_NS) });
	samples(p, 0, "main.wait", FRAME_GO, 2);
	p->events[1].weight = 12335678901;
	expect_folded(p, "main.wait 12345678901\n");
}

Test(folded, annotate_marks_inlined_frames_only)
{
	char *text = folded(small(), "goroutine", true);

	cr_expect(strstr(text, ";main.tiny_[i] 3\n"));
	cr_expect(strstr(text, ";ksys_write_[k] 4\n"));
	cr_expect(strstr(text, ";os.(*File).Write 2\n"));
	free(text);
}

Test(folded, no_name_forges_a_line_or_a_frame)
{
	struct profile *p = hand_profile();

	samples(p, 0, "main.F[struct { a int; b int }]", FRAME_GO, 1);
	samples(p, 0, "evil 99\nroot;admin 7", FRAME_GO, 2);
	samples(p, 0,
		"\033]0;title\a\x9b"
		"31m\xc2\x9b"
		"A\r\t\x7f",
		FRAME_GO, 3);
	samples(p, 0, "line\xe2\x80\xa8separator\xe2\x80\xae", FRAME_GO, 4);
	samples(p, 0, "main.\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80", FRAME_GO, 5);
	expect_folded(p, "main.F[struct { a int: b int }] 1\n"
			 "evil 99\xef\xbf\xbdroot:admin 7 2\n"
			 "\xef\xbf\xbd]0:title\xef\xbf\xbd\xef\xbf\xbd"
			 "31m\xef\xbf\xbd"
			 "A\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 3\n"
			 "line\xef\xbf\xbdseparator\xef\xbf\xbd 4\n"
			 "main.\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80 5\n");
}

Test(folded, broken_utf8_does_not_swallow_what_follows)
{
	struct profile *p = hand_profile();

	samples(p, 0, "a\xe4\xb8;b", FRAME_GO, 1); /* cut short */
	samples(p, 0,
		"a\xc0\xbb"
		"b\xff",
		FRAME_GO, 1); /* ';' in two bytes */
	samples(p, 0,
		"a\xed\xa0\x80"
		"b",
		FRAME_GO, 1);                            /* a surrogate */
	samples(p, 0, "a\xf4\x90\x80\x80", FRAME_GO, 1); /* past U+10FFFF */
	samples(p, 0, "a\xf0\x9f\x98", FRAME_GO, 1);     /* the string ends first */
	expect_folded(p, "a\xef\xbf\xbd\xef\xbf\xbd:b 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd"
			 "b\xef\xbf\xbd 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			 "b 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 1\n");
}

Test(folded, a_stack_is_never_silently_short)
{
	struct profile *p = hand_profile();
	uint32_t n = samples(p, 0, "", FRAME_CUT, 0);

	n = samples(p, n, "main.b", FRAME_GO, 0);
	n = samples(p, n, "", FRAME_CUT, 0);
	samples(p, n, "f", FRAME_NATIVE, 2);
	expect_folded(p, "[cut];main.b;[cut];f 2\n");
}

Test(folded, empty_stacks_and_names_are_unknown)
{
	struct profile *p = hand_profile();

	for (int i = 0; i < 7; i++)
		hand_event(p, 0, 0, 0, 0, CLASS_USER);
	samples(p, 0, "", FRAME_UNNAMED, 1);
	expect_folded(p, "[unknown] 7\n[unknown] 1\n");
}

Test(folded, deep_recursion_arrives_whole)
{
	struct profile *p = hand_profile();
	uint32_t id = 0, frames = 1;
	char *text;

	for (int i = 0; i < 4000; i++)
		id = samples(p, id, "main.down", FRAME_GO, i == 3999);
	text = folded(p, "none", false);
	for (char *s = text; *s; s++)
		frames += *s == ';';
	cr_expect_eq(frames, 4000);
	cr_expect_str_eq(text + strlen(text) - 12, "main.down 1\n");
	free(text);
}

Test(writer, is_found_by_name_and_by_the_ending_of_a_path)
{
	cr_expect_eq(writer_find("folded"), &folded_writer);
	cr_expect_eq(writer_find("html"), &html_writer);
	cr_expect_null(writer_find("fold"));
	cr_expect_eq(writer_for_path("a/b.folded"), &folded_writer);
	cr_expect_eq(writer_for_path("b.folded.html"), &html_writer);
	cr_expect_eq(writer_for_path("b.json"), &json_writer);
	cr_expect_eq(writer_for_path("b.json"), &json_writer);
	cr_expect_eq(writer_for_path("b.speedscope.json"), &speedscope_writer);
	cr_expect_null(writer_for_path("folded"));
	cr_expect_null(writer_for_path(".folded"));
	cr_expect_null(writer_for_path("b.gsr"));
}
