/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree_by_hand.h"

#include "output/writer.h"

static char *folded(struct tree *t, bool annotate)
{
	struct writer_options o = { .annotate = annotate };
	struct view v = hand_view(hand_done(t));
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(folded_writer.write(&v, &o, out), 0);
	fclose(out);
	hand_release(&v);
	return text;
}

static void expect_folded(struct tree *t, const char *want)
{
	char *text = folded(t, false);

	cr_expect_str_eq(text, want);
	free(text);
}

static struct tree *small(void)
{
	struct tree *t = hand_tree();
	uint32_t g = hand_group(t, 0, "goroutine 18 main.worker", 1);
	uint32_t worker = hand_node(t, g, "main.worker", FRAME_GO, 1);
	uint32_t write = hand_node(t, worker, "os.(*File).Write", FRAME_GO, 2);
	uint32_t tiny = hand_node(t, worker, "main.tiny", FRAME_GO, 3);

	t->nodes[tiny].inlined = 1;
	hand_node(t, write, "ksys_write", FRAME_KERNEL, 4);
	return t;
}

Test(folded, one_line_for_each_node_with_weight_of_its_own)
{
	expect_folded(
		small(),
		"goroutine 18 main.worker;main.worker 1\n"
		"goroutine 18 main.worker;main.worker;os.(*File).Write 2\n"
		"goroutine 18 main.worker;main.worker;main.tiny 3\n"
		"goroutine 18 main.worker;main.worker;os.(*File).Write;ksys_write_[k] 4\n");
}

/* The number of samples says little about waits: one may last a microsecond or an hour. */
Test(folded, counts_weight_when_each_event_has_its_own)
{
	struct writer_options o = { 0 };
	struct tree *t = hand_tree();
	struct view v;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	hand_node(t, 0, "main.wait", FRAME_GO, 2);
	t->nodes[1].self = 12345678901;
	v = hand_view(hand_done(t));
	hand_kind(&v, "off-cpu", UNIT_NS, 0);
	cr_assert_eq(folded_writer.write(&v, &o, out), 0);
	fclose(out);
	cr_expect_str_eq(text, "main.wait 12345678901\n");
	free(text);
	hand_release(&v);
}

Test(folded, annotate_marks_inlined_frames_only)
{
	char *text = folded(small(), true);

	cr_expect(strstr(text, ";main.tiny_[i] 3\n"));
	cr_expect(strstr(text, ";ksys_write_[k] 4\n"));
	cr_expect(strstr(text, ";os.(*File).Write 2\n"));
	free(text);
}

Test(folded, no_name_forges_a_line_or_a_frame)
{
	struct tree *t = hand_tree();

	hand_node(t, 0, "main.F[struct { a int; b int }]", FRAME_GO, 1);
	hand_node(t, 0, "evil 99\nroot;admin 7", FRAME_GO, 2);
	hand_node(t, 0,
		  "\033]0;title\a\x9b"
		  "31m\xc2\x9b"
		  "A\r\t\x7f",
		  FRAME_GO, 3);
	hand_node(t, 0, "line\xe2\x80\xa8separator\xe2\x80\xae", FRAME_GO, 4);
	hand_node(t, 0, "main.\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80", FRAME_GO, 5);
	expect_folded(t, "main.F[struct { a int: b int }] 1\n"
			 "evil 99\xef\xbf\xbdroot:admin 7 2\n"
			 "\xef\xbf\xbd]0:title\xef\xbf\xbd\xef\xbf\xbd"
			 "31m\xef\xbf\xbd"
			 "A\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 3\n"
			 "line\xef\xbf\xbdseparator\xef\xbf\xbd 4\n"
			 "main.\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80 5\n");
}

Test(folded, broken_utf8_does_not_swallow_what_follows)
{
	struct tree *t = hand_tree();

	hand_node(t, 0, "a\xe4\xb8;b", FRAME_GO, 1); /* cut short */
	hand_node(t, 0,
		  "a\xc0\xbb"
		  "b\xff",
		  FRAME_GO, 1); /* ';' in two bytes */
	hand_node(t, 0,
		  "a\xed\xa0\x80"
		  "b",
		  FRAME_GO, 1);                            /* a surrogate */
	hand_node(t, 0, "a\xf4\x90\x80\x80", FRAME_GO, 1); /* past U+10FFFF */
	hand_node(t, 0, "a\xf0\x9f\x98", FRAME_GO, 1);     /* the string ends first */
	expect_folded(t, "a\xef\xbf\xbd\xef\xbf\xbd:b 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd"
			 "b\xef\xbf\xbd 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			 "b 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 1\n"
			 "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd 1\n");
}

Test(folded, a_stack_is_never_silently_short)
{
	struct tree *t = hand_tree();
	uint32_t n = hand_node(t, 0, "[cut]", FRAME_CUT, 0);

	n = hand_node(t, n, "main.b", FRAME_GO, 0);
	n = hand_node(t, n, "[cut]", FRAME_CUT, 0);
	hand_node(t, n, "f", FRAME_NATIVE, 2);
	expect_folded(t, "[cut];main.b;[cut];f 2\n");
}

Test(folded, empty_stacks_and_names_are_unknown)
{
	struct tree *t = hand_tree();

	t->nodes[0].self_samples = 7;
	hand_node(t, 0, "", FRAME_UNNAMED, 1);
	expect_folded(t, "[unknown] 7\n[unknown] 1\n");
}

Test(folded, deep_recursion_arrives_whole)
{
	struct tree *t = hand_tree();
	uint32_t id = 0, frames = 1;
	char *text;

	for (int i = 0; i < 20000; i++)
		id = hand_node(t, id, "main.down", FRAME_GO, i == 19999);
	text = folded(t, false);
	for (char *s = text; *s; s++)
		frames += *s == ';';
	cr_expect_eq(frames, 20000);
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
	cr_expect_null(writer_for_path("folded"));
	cr_expect_null(writer_for_path(".folded"));
	cr_expect_null(writer_for_path("b.gsr"));
}
