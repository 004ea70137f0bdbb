/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

#include <stdlib.h>
#include <time.h>

#include "output/call_lines.h"
#include "output/text.h"
#include "profiler/profile/view.h"

#define LONG "github.com/prometheus/prometheus/tsdb.(*DB).reloadBlocks"

/* The workers, and one with names that fit no line, or would be acted on by a terminal. */
static struct profile *workers(void)
{
	struct profile *p = hand_workers();
	uint32_t g = hand_goroutine(p, 1, 123456, LONG, "main.main demo.go:7",
				    "job=a\033[31m,user=b");
	uint32_t stack = hand_stack(p,
				    "go:" LONG " inl:" LONG ".func1 go:main.\033[31mred");

	p->frames[p->calls[p->calls[stack].parent].frame].line = 7;
	p->frames[p->calls[p->calls[stack].parent].frame].file =
		hand_string(p, "/src/\033/main.go");
	hand_event(p, 800, stack, g, 2, CLASS_USER);
	return p;
}

static char *lines(uint32_t width, bool color, bool stack, bool json)
{
	struct call_lines l = { .width = width, .color = color, .stack = stack };
	struct profile *p = workers();
	struct view v = { 0 };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	uint32_t *rows;

	setenv("TZ", "UTC-1", 1);
	tzset();
	view_select(&v, p);
	rows = view_by_time(&v);
	if (width)
		call_lines_head(&l, out);
	for (uint32_t i = 0; i < v.n_events; i++)
		if (json)
			call_line_json(&v, &p->events[rows[i]], stack, out);
		else
			call_line(&l, &v, &p->events[rows[i]], out);
	fclose(out);
	free(rows);
	view_release(&v);
	profile_free(p);
	return text;
}

static void expect(uint32_t width, bool color, bool stack, bool json, const char *golden)
{
	char *text = lines(width, color, stack, json);

	expect_golden(text, golden);
	free(text);
}

Test(call_lines, text)
{
	expect(0, false, true, false, "tests/unit/golden/calls-piped.txt");
	expect(80, true, true, false, "tests/unit/golden/calls-80-color.txt");
}

Test(call_lines, json)
{
	expect(0, false, true, true, "tests/unit/golden/calls.jsonl");
}

/* No line is longer than the terminal, and none has bytes that it acts on. */
Test(call_lines, fit_the_terminal)
{
	for (uint32_t width = 60; width < 200; width += 7) {
		char *text = lines(width, false, true, false), *rest = text, *line;

		while ((line = strsep(&rest, "\n"))) {
			cr_expect_leq(text_columns(line), width, "%u: %s", width, line);
			cr_expect_null(strchr(line, 033));
		}
		free(text);
	}
}
