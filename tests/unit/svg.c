/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

#include "output/writer.h"

/* What is between two marks, which both stay, becomes nothing. */
static void cut(char *text, const char *from, const char *to)
{
	char *start = strstr(text, from), *end = start ? strstr(start, to) : NULL;

	cr_assert(end, "%s … %s", from, to);
	start += strlen(from);
	memmove(start, end, strlen(end) + 1);
}

/* The picture of a view without its style and its script. */
static char *svg_of(struct view *v)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(svg_writer.write(v, &(struct writer_options){ 0 }, out), 0);
	fclose(out);
	cut(text, "<style>", "</style>");
	cut(text, "<![CDATA[", "]]></script>");
	return text;
}

static char *svg(struct tree *t)
{
	struct view v = hand_view(hand_done(t));
	char *text = svg_of(&v);

	hand_release(&v);
	return text;
}

Test(svg, golden)
{
	struct profile *p = hand_workers();
	struct view v = { .by = { .keys = { BY_START }, .n = 1 } };
	char *text;

	view_select(&v, p);
	text = svg_of(&v);
	expect_golden(text, "tests/unit/golden/graph.svg");
	free(text);
	view_release(&v);
	profile_free(p);
}

/* The method is what remains, with its closures. */
Test(svg, narrow_boxes_keep_the_method)
{
	struct tree *t = hand_tree();
	char *text;

	hand_node(t, 0, "example.com/shop.(*pool).worker", FRAME_GO, 80);
	hand_node(t, 0, "example.com/shop.(*pool).encode.func2.1", FRAME_GO, 15);
	hand_node(t, 0, "example.com/shop.Sum[go.shape.int]", FRAME_GO, 5);
	text = svg(t);
	cr_expect(strstr(text, ">example.com/shop.(*pool).worker</text>"), "%s", text);
	cr_expect(strstr(text, ">encode.func2.1</text>"));
	cr_expect(strstr(text, ">Sum…nt]</text>"));
	free(text);
}

Test(svg, counts_what_is_too_narrow_to_draw)
{
	struct tree *t = hand_tree();
	char *text;

	hand_node(t, 0, "main.wide", FRAME_GO, 100000);
	hand_node(t, 0, "main.narrow", FRAME_GO, 1);
	hand_node(t, 0, "main.narrower", FRAME_GO, 1);
	text = svg(t);
	cr_expect(strstr(text, "main.wide"));
	cr_expect_null(strstr(text, "main.narrow"));
	cr_expect(strstr(text, " · 2 boxes are too narrow to draw<"), "%s", text);
	free(text);
}

Test(svg, no_name_becomes_markup)
{
	struct tree *t = hand_tree();
	char *text;

	hand_node(t, 0, "</title><script>alert(1)</script>]]>&amp;\"\033\xff\xe2\x80\xae",
		  FRAME_GO, 1);
	text = svg(t);
	cr_expect_null(strstr(text, "alert(1)</script"), "%s", text);
	cr_expect(strstr(text,
			 "&#60;/title&#62;&#60;script&#62;alert(1)&#60;/script&#62;]]&#62;"
			 "&#38;amp;&#34;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n"),
		  "%s", text);
	free(text);
}

Test(svg, nothing_is_a_picture_too)
{
	char *text = svg(hand_tree());

	cr_expect(strstr(text, "<title>all\n"), "%s", text);
	cr_expect(strstr(text, "</svg>"));
	free(text);
}
