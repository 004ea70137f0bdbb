/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of the report that are made from a profile's events. */
#include "tests/unit/profile_by_hand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/table.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/view.h"

/* A frame with a line; kinds as in hand_stack(). */
static uint32_t at(struct profile *p, uint32_t caller, const char *func, const char *file,
		   uint32_t line, uint8_t kind)
{
	return profile_call(p, caller,
			    profile_frame(p, &(struct frame){ .addr = 0x1000 + line,
							      .func = hand_string(p, func),
							      .file = hand_string(p, file),
							      .line = line,
							      .kind = kind }));
}

/* Two handlers of a server: get() computes in its line 20, and reads in line 21; set()
 * takes a library's line. */
static struct profile *server(void)
{
	static const char file[] = "/src/app/store/store.go";
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), t = hand_thread(p, pid, 812, "");
	uint32_t a = hand_goroutine(p, pid, 7, "main.serve", "", "handler=get,tenant=a");
	uint32_t b = hand_goroutine(p, pid, 8, "main.serve", "", "handler=set,tenant=b");
	uint32_t c = hand_goroutine(p, pid, 9, "main.serve", "", "");
	uint32_t root = hand_stack(p, "goexit:runtime.goexit"), serve, get, read, set;

	serve = at(p, root, "main.serve", "/src/app/main.go", 10, FRAME_GO);
	get = at(p, serve, "main.get", file, 20, FRAME_GO);
	read = at(p, serve, "main.get", file, 21, FRAME_GO);
	read = at(p, read, "os.(*File).Read", "/go/src/os/file.go", 5, FRAME_GO);
	read = at(p, read, "vfs_read", "", 0, FRAME_KERNEL);
	set = at(p, root, "main.serve", "/src/app/main.go", 12, FRAME_GO);
	set = at(p, set, "main.set", file, 30, FRAME_GO);
	set = at(p, set, "example.com/lib.Sort", "/lib/sort.go", 7, FRAME_GO);
	p->stats.duration_ns = 2000000000;
	p->n_cpus = 4;
	for (int i = 0; i < 50; i++)
		hand_event(p, 1, get, a, t, CLASS_USER);
	for (int i = 0; i < 30; i++)
		hand_event(p, 1, read, a, t, CLASS_KERNEL);
	for (int i = 0; i < 15; i++)
		hand_event(p, 1, set, b, t, CLASS_USER);
	for (int i = 0; i < 5; i++)
		hand_event(p, 1, serve, c, t, CLASS_USER);
	return p;
}

static char *report_of(struct profile *p, struct view v, struct table_options o, int err)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!v.by.n)
		grouping_parse("start", &v.by);
	view_select(&v, p);
	cr_expect_eq(table_write(&v, &o, out), err);
	fclose(out);
	view_release(&v);
	profile_free(p);
	return text;
}

static void expect_report(struct view v, struct table_options o, const char *want)
{
	char *text = report_of(server(), v, o, 0);

	cr_expect_str_eq(text, want, "%s", text);
	free(text);
}

#define TITLE \
	"demo-812, 2.0s at 100 Hz, cpu-clock\n" \
	"1.00s of CPU in 2.0s = 0.50 of 4 CPUs, 100 samples\n\n"
#define GROUPS \
	"      CPU    share  goroutines  largest, share  start function  hottest path\n" \
	"    1.00s   100.0%           3        7  80.0%  main.serve      " \
	"main.serve › get\n" \
	"    800ms    80.0%  - goroutine 7\n" \
	"    150ms    15.0%  - goroutine 8\n\n"
#define LABELS "labels: handler (2), tenant (2) · --by label:handler\n"

Test(report, first_screen)
{
	expect_report((struct view){ 0 }, (struct table_options){ .rows = 30 },
		      TITLE GROUPS
		      "     flat    flat%        cum     cum%  function\n"
		      "    500ms    50.0%      800ms    80.0%  main.get\n"
		      "    300ms    30.0%      300ms    30.0%  vfs_read_[k]\n"
		      "    150ms    15.0%      150ms    15.0%  example.com/lib.Sort\n"
		      "     50ms     5.0%      1.00s   100.0%  main.serve\n"
		      "        0     0.0%      300ms    30.0%  os.(*File).Read\n"
		      "        0     0.0%      150ms    15.0%  main.set\n\n"
		      "      CPU    share  hottest lines of own code\n"
		      "    500ms    50.0%  store/store.go:20  main.get\n"
		      "    300ms    30.0%  store/store.go:21  main.get\n"
		      "    150ms    15.0%  store/store.go:30  main.set\n"
		      "     50ms     5.0%  app/main.go:10  main.serve\n\n" LABELS);
}

Test(report, sorted_by_cum_and_small_rows_left_out)
{
	expect_report((struct view){ 0 },
		      (struct table_options){ .by_cum = true, .min_share = 30 },
		      TITLE GROUPS
		      "     flat    flat%        cum     cum%  function\n"
		      "     50ms     5.0%      1.00s   100.0%  main.serve\n"
		      "    500ms    50.0%      800ms    80.0%  main.get\n"
		      "    300ms    30.0%      300ms    30.0%  vfs_read_[k]\n"
		      "        0     0.0%      300ms    30.0%  os.(*File).Read\n"
		      "  … 2 more rows, 15.0% (-n 0 shows all)\n\n"
		      "      CPU    share  hottest lines of own code\n"
		      "    500ms    50.0%  store/store.go:20  main.get\n"
		      "    300ms    30.0%  store/store.go:21  main.get\n\n" LABELS);
}

Test(report, lines_as_pprof_lists_them)
{
	expect_report((struct view){ 0 },
		      (struct table_options){ .lines = true, .limit = 3 },
		      TITLE GROUPS
		      "     flat    flat%        cum     cum%  line\n"
		      "    500ms    50.0%      500ms    50.0%  /src/app/store/store.go:20"
		      "  main.get\n"
		      "    300ms    30.0%      300ms    30.0%  /go/src/os/file.go:5"
		      "  os.(*File).Read\n"
		      "    150ms    15.0%      150ms    15.0%  /lib/sort.go:7"
		      "  example.com/lib.Sort\n"
		      "  … 4 more rows, 5.0% (-n 0 shows all)\n\n" LABELS);
}

Test(report, own_code_only)
{
	expect_report((struct view){ .own_only = true },
		      (struct table_options){ .lines = true },
		      TITLE GROUPS
		      "     flat    flat%        cum     cum%  line\n"
		      "    500ms    50.0%      500ms    50.0%  /src/app/store/store.go:20"
		      "  main.get\n"
		      "    300ms    30.0%      300ms    30.0%  /src/app/store/store.go:21"
		      "  main.get\n"
		      "    150ms    15.0%      150ms    15.0%  /src/app/store/store.go:30"
		      "  main.set\n"
		      "     50ms     5.0%      850ms    85.0%  /src/app/main.go:10"
		      "  main.serve\n"
		      "        0     0.0%      150ms    15.0%  /src/app/main.go:12"
		      "  main.serve\n\n" LABELS);
}

Test(report, tree_of_calls)
{
	expect_report((struct view){ 0 },
		      (struct table_options){ .tree = true, .min_share = 20 },
		      TITLE "    total    share       self  call\n"
			    "    1.00s   100.0%          0  start main.serve\n"
			    "    1.00s   100.0%       50ms    main.serve\n"
			    "    800ms    80.0%      500ms    main.get\n"
			    "    300ms    30.0%          0    os.(*File).Read\n"
			    "    300ms    30.0%      300ms    vfs_read_[k]\n\n" LABELS);
	expect_report((struct view){ 0 }, (struct table_options){ .tree = true },
		      TITLE
		      "    total    share       self  call\n"
		      "    1.00s   100.0%          0  start main.serve\n"
		      "    1.00s   100.0%       50ms    main.serve\n"
		      "    800ms    80.0%      500ms    - main.get\n"
		      "    300ms    30.0%          0      os.(*File).Read\n"
		      "    300ms    30.0%      300ms      vfs_read_[k]\n"
		      "    150ms    15.0%          0    - main.set\n"
		      "    150ms    15.0%      150ms      example.com/lib.Sort\n\n" LABELS);
}

Test(report, callers_of_a_function)
{
	struct profile *p = server();
	uint32_t call = hand_stack(p,
				   "goexit:runtime.goexit go:main.f go:main.get go:main.f "
				   "go:main.get go:main.get");

	hand_event(p, 1, call, 1, 1, CLASS_USER);
	free(report_of(p, (struct view){ 0 }, (struct table_options){ .callers = "put" },
		       -ENOENT));
	for (int whole = 0; whole < 2; whole++) {
		struct table_options o = { .callers = whole ? "os.(*File).Read" : "Read" };
		char *text = report_of(server(), (struct view){ 0 }, o, 0);

		cr_expect(strstr(text, "    total    share       self  call\n"
				       "    300ms    30.0%          0  os.(*File).Read\n"
				       "    300ms    30.0%          0  main.get\n"
				       "    300ms    30.0%          0  main.serve\n"),
			  "%s", text);
		free(text);
	}
}

/* The innermost call counts, once per sample. */
Test(report, callers_in_a_recursion)
{
	struct profile *p = server();
	uint32_t call = hand_stack(p,
				   "goexit:runtime.goexit go:main.f go:main.get go:main.h "
				   "go:main.get go:main.leaf");
	char *text;

	hand_event(p, 1, call, 1, 1, CLASS_USER);
	text = report_of(p, (struct view){ 0 }, (struct table_options){ .callers = "get" },
			 0);
	cr_expect(strstr(text, "    810ms    80.2%          0  main.get\n"
			       "    800ms    79.2%          0  - main.serve\n"
			       "     10ms     1.0%          0  - main.h\n"
			       "     10ms     1.0%          0    main.get\n"
			       "     10ms     1.0%          0    main.f\n"),
		  "%s", text);
	free(text);
}

Test(report, unset_labels_have_a_row)
{
	struct view v = { 0 };
	char *text;

	grouping_parse("label:handler", &v.by);
	text = report_of(server(), v, (struct table_options){ 0 }, 0);
	cr_expect(strstr(text,
			 "  goroutines  largest, share  handler       hottest path\n") ||
			  strstr(text, "  handler       hottest path\n"),
		  "%s", text);
	cr_expect(strstr(text, "  get           main.serve › get\n"), "%s", text);
	cr_expect(strstr(text, "  (no handler)  main.serve\n"), "%s", text);
	free(text);
}

/* --time: the share of the CPUs is that of the time selected. */
Test(report, usage_of_a_part)
{
	struct view v = { .filter = { .from_ns = 0, .to_ns = 500000000 } };
	char *text = report_of(server(), v, (struct table_options){ 0 }, 0);

	cr_expect(strstr(text, "1.00s of CPU in 0.5s = 2.00 of 4 CPUs, 100 samples\n"),
		  "%s", text);
	free(text);
	v.filter.from_ns = 500000;
	v.filter.to_ns = 0;
	text = report_of(server(), v, (struct table_options){ 0 }, 0);
	cr_expect(strstr(text, "1.00s of CPU in 2.0s = 0.50 of 4 CPUs, 100 samples\n"),
		  "%s", text);
	free(text);
}

Test(report, label_keys)
{
	struct profile *p = server();
	struct label_keys k;

	label_keys_init(&k, p);
	cr_assert_eq(k.n, 2);
	cr_expect_str_eq(k.rows[0].name, "handler");
	cr_expect_eq(k.rows[1].n_values, 2);
	cr_expect(label_keys_have(&k, "tenant,x", 6) && !label_keys_have(&k, "tenan", 5));
	label_keys_release(&k);
	profile_free(p);
}
