/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include <criterion/redirect.h>
#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts lines and counts equal ones: "a;b 2\na;c 1\n". Ends the lines. */
static char *count_lines(char **lines, uint32_t n)
{
	struct buf b = { 0 };

	qsort(lines, n, sizeof(*lines), by_text);
	for (uint32_t i = 0, first = 0; i < n; i++) {
		if (i + 1 < n && !strcmp(lines[i], lines[i + 1]))
			continue;
		buf_printf(&b, "%s %u\n", lines[i], i + 1 - first);
		first = i + 1;
	}
	buf_u8(&b, 0);
	while (n--)
		free(lines[n]);
	free(lines);
	return (char *)b.data;
}

/* The stacks of a tree as such lines, root first. Checks what holds for every tree. */
static char *folded(const struct tree *t)
{
	char **lines = NULL;
	uint32_t n = 0, cap = 0;
	uint64_t total = 0;

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		struct arena a = { 0 };
		const char *line = "";
		uint32_t up = i;

		total += t->nodes[i].self;
		cr_assert(i ? t->nodes[i].parent < i : t->nodes[i].type == NODE_ROOT);
		for (; up; up = t->nodes[up].parent)
			line = arena_printf(&a, "%s%s%s", t->nodes[up].name,
					    *line ? ";" : "", line);
		for (uint64_t s = t->nodes[i].self_samples; s--;)
			*table_add(lines, n, cap) = mem_strdup(line);
		arena_release(&a);
	}
	cr_assert_eq(total, t->nodes[0].total);
	cr_assert_eq(n, t->nodes[0].samples);
	return count_lines(lines, n);
}

static struct tree *build(const struct profile *p, const char *by)
{
	struct view v = { 0 };
	struct tree *t;

	cr_assert_null(grouping_parse(by, &v.by));
	view_select(&v, p);
	t = tree_build(&v);
	cr_assert(t);
	view_release(&v);
	return t;
}

static void expect_tree(const struct profile *p, const char *by, const char *want)
{
	struct tree *t = build(p, by);
	char *text = folded(t);

	cr_expect_str_eq(text, want, "--by %s:\n%s", by, text);
	free(text);
	tree_free(t);
}

Test(tree, groups_by_every_key)
{
	struct profile *p = hand_workers();

	expect_tree(
		p, "none",
		"main.worker;main.work 4\nmain.worker;read 1\nruntime.main;main.main 1\n"
		"runtime.mstart;runtime.schedule 1\n");
	expect_tree(p, "goroutine",
		    "[scheduler];runtime.mstart;runtime.schedule 1\n"
		    "goroutine 1 runtime.main;runtime.main;main.main 1\n"
		    "goroutine 18 main.worker;main.worker;main.work 2\n"
		    "goroutine 19 main.worker;main.worker;main.work 2\n"
		    "goroutine 19 main.worker;main.worker;read 1\n");
	expect_tree(p, "start",
		    "[scheduler];runtime.mstart;runtime.schedule 1\n"
		    "start main.worker;main.worker;main.work 4\n"
		    "start main.worker;main.worker;read 1\n"
		    "start runtime.main;runtime.main;main.main 1\n");
	expect_tree(p, "creator",
		    "[scheduler];runtime.mstart;runtime.schedule 1\n"
		    "go [unknown];runtime.main;main.main 1\n"
		    "go main.main demo.go:7;main.worker;main.work 4\n"
		    "go main.main demo.go:7;main.worker;read 1\n");
	expect_tree(p, "class",
		    "class kernel;main.worker;read 1\n"
		    "class scheduler;runtime.mstart;runtime.schedule 1\n"
		    "class user;main.worker;main.work 4\n"
		    "class user;runtime.main;main.main 1\n");
	expect_tree(
		p, "thread",
		"thread 812 demo;main.worker;main.work 3\nthread 812 demo;main.worker;read 1\n"
		"thread 815;main.worker;main.work 1\nthread 815;runtime.main;main.main 1\n"
		"thread 815;runtime.mstart;runtime.schedule 1\n");
	expect_tree(
		p, "process",
		"process demo-812;main.worker;main.work 4\nprocess demo-812;main.worker;read 1\n"
		"process demo-812;runtime.main;main.main 1\n"
		"process demo-812;runtime.mstart;runtime.schedule 1\n");
	expect_tree(p, "start,class,none",
		    "[scheduler];class scheduler;runtime.mstart;runtime.schedule 1\n"
		    "start main.worker;class kernel;main.worker;read 1\n"
		    "start main.worker;class user;main.worker;main.work 4\n"
		    "start runtime.main;class user;runtime.main;main.main 1\n");
	profile_free(p);
}

/* Goroutine 1 changes its labels; 2 has a value that was cut, and unknown ones. */
Test(tree, groups_by_label)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), t = hand_thread(p, pid, 812, "");
	uint32_t work = hand_stack(p, "go:main.work"), n_labels = 0;
	struct tree *t2;
	static const char *const labels[] = { "",
					      "job=encode,user=42",
					      "job=\\3d\\2c;\\00",
					      "job=enc\\+,\\+",
					      "user=42,\\+",
					      "job=,user=42" };

	for (uint32_t i = 0; i < LEN(labels); i++)
		hand_event(p, i, work,
			   hand_goroutine(p, pid, i < 3 ? 1 : 2, "main.f", "", labels[i]),
			   t, CLASS_USER);
	hand_event(p, 9, work, 0, t, CLASS_SCHEDULER);
	expect_tree(p, "label:job",
		    "[scheduler];main.work 1\njob=\"\";main.work 1\njob=;main.work 1\n"
		    "job==,;\xef\xbf\xbd;main.work 1\njob=encode;main.work 1\n"
		    "job=enc…;main.work 1\njob=…;main.work 1\n");
	expect_tree(p, "label:user,goroutine",
		    "[scheduler];[scheduler];main.work 1\n"
		    "user=42;goroutine 1 main.f;main.work 1\n"
		    "user=42;goroutine 2 main.f;main.work 2\n"
		    "user=;goroutine 1 main.f;main.work 2\n"
		    "user=…;goroutine 2 main.f;main.work 1\n");
	expect_tree(p, "goroutine,label:x",
		    "[scheduler];[scheduler];main.work 1\n"
		    "goroutine 1 main.f;x=;main.work 3\n"
		    "goroutine 2 main.f;x=;main.work 1\n"
		    "goroutine 2 main.f;x=…;main.work 2\n");
	t2 = build(p, "label:user,label:job");
	for (uint32_t i = 0; i < t2->n_groups; i++)
		n_labels += *t2->groups[i].labels != 0;
	cr_expect_eq(n_labels, 5);
	tree_free(t2);
	t2 = build(p, "goroutine");
	cr_expect(!*t2->groups[0].labels && !*t2->groups[1].labels);
	tree_free(t2);
	expect_tree(p, "goroutine",
		    "[scheduler];main.work 1\ngoroutine 1 main.f;main.work 3\n"
		    "goroutine 2 main.f;main.work 3\n");
	profile_free(p);
}

Test(tree, knows_its_groups)
{
	struct profile *p = hand_workers();
	struct tree *t = build(p, "creator,goroutine");
	const struct group *g = t->groups;

	/* the innermost level only, in the order of the events */
	cr_assert_eq(t->n_groups, 4);
	for (uint32_t i = 0; i < t->n_nodes; i++)
		cr_expect(t->nodes[i].group
				  ? g[t->nodes[i].group - 1].node == i
				  : t->nodes[i].type != NODE_GROUP || !t->nodes[i].parent);
	cr_expect_str_eq(t->nodes[g[0].node].name, "goroutine 18 main.worker");
	cr_expect(g[0].goid == 18 && g[0].parent_goid == 9 && g[0].goroutines == 1);
	cr_expect_str_eq(g[0].start, "main.worker");
	cr_expect_str_eq(g[0].creator, "main.main demo.go:7");
	cr_expect(g[0].first_ns == 50000000 && g[0].last_ns == 100000000);
	/* labels do not make another goroutine */
	cr_expect(g[1].goid == 19 && g[1].goroutines == 1);
	cr_expect(g[3].goid == 0 && g[3].goroutines == 0 && !*g[3].start);
	tree_free(t);

	t = build(p, "start");
	g = t->groups;
	cr_expect(g[0].goroutines == 2 && g[0].goid == 0 && g[0].parent_goid == 9);
	cr_expect_str_eq(g[0].start, "main.worker");
	tree_free(t);

	t = build(p, "thread");
	g = t->groups;
	cr_expect(g[0].goroutines == 2 && g[1].goroutines == 2);
	cr_expect(!*g[1].start && !*g[1].creator && g[1].goid == 0 &&
		  g[1].parent_goid == 0);
	tree_free(t);

	t = build(p, "none");
	cr_expect_eq(t->n_groups, 0);
	tree_free(t);
	tree_free(NULL);
	profile_free(p);
}

Test(tree, more_processes_come_first)
{
	struct profile *p = hand_workers();
	uint32_t pid = hand_process(p, 9, "other"), tid = hand_thread(p, pid, 9, "");
	struct view v = { .by = { .keys = { BY_GOROUTINE }, .n = 1 } };
	const struct tree *t;
	char *text;

	hand_event(p, 1, hand_stack(p, "go:main.worker"),
		   hand_goroutine(p, pid, 18, "main.worker", "main.main demo.go:7", ""),
		   tid, CLASS_USER);
	p->events[0] = p->events[p->n_events - 1];
	p->events[1].class = CLASS_RUNTIME;
	p->n_events = 2;
	expect_tree(p, "goroutine",
		    "demo-812;goroutine 18 main.worker;main.worker;main.work 1\n"
		    "other-9;goroutine 18 main.worker;main.worker 1\n");
	expect_tree(p, "none,class",
		    "demo-812;class runtime;main.worker;main.work 1\n"
		    "other-9;class user;main.worker 1\n");
	expect_tree(p, "process,start",
		    "process demo-812;start main.worker;main.worker;main.work 1\n"
		    "process other-9;start main.worker;main.worker 1\n");
	expect_tree(p, "none", "main.worker 1\nmain.worker;main.work 1\n");
	/* only selected events count */
	cr_assert_null(filter_pids("9", &v.filter));
	view_select(&v, p);
	t = view_tree(&v);
	cr_assert(t);
	text = folded(t);
	cr_expect_str_eq(text, "goroutine 18 main.worker;main.worker 1\n");
	cr_expect_str_eq(v.title, "other-9, 10.0s at 100 Hz, cpu-clock");
	free(text);
	view_release(&v);
	profile_free(p);
}

static void expect_stack(const char *words, const char *want)
{
	struct profile *p = hand_profile();
	char *line = mem_zalloc(512);

	hand_event(p, 0, hand_stack(p, words), 0, 0, CLASS_USER);
	snprintf(line, 512, "%s 1\n", want);
	expect_tree(p, "none", line);
	free(line);
	profile_free(p);
}

Test(tree, leaves_out_goexit_and_wrappers)
{
	expect_stack("goexit:runtime.goexit go:f", "f");
	expect_stack("goexit:runtime.goexit", "");
	expect_stack("goexit:runtime.goexit wrapper:f-fm go:f wrapper:w", "f");
	expect_stack("go:f wrapper:w inl:g", "f;g");
	expect_stack("go:f wrapper:w kernel:k", "f;k");
	expect_stack("go:f wrapper:w panic:runtime.gopanic go:g", "f;w;runtime.gopanic;g");
	expect_stack("go:f wrapper:w sigpanic:runtime.sigpanic", "f;w;runtime.sigpanic");
	/* only the one that was called by the panic's caller */
	expect_stack("wrapper:v wrapper:w panic:runtime.gopanic", "w;runtime.gopanic");
	expect_stack("wrapper:w inl:f panic:runtime.gopanic", "f;runtime.gopanic");
	expect_stack("wrapper:w injected:runtime.asyncPreempt", "runtime.asyncPreempt");
}

/* The same wrapper is shown in one stack and hidden in the other, in either order. */
Test(tree, wrappers_hang_on_their_callee)
{
	for (int first = 0; first < 2; first++) {
		struct profile *p = hand_profile();

		for (int i = 0; i < 3; i++)
			hand_event(
				p, 0,
				hand_stack(
					p,
					i % 2 == first
						? "go:f wrapper:w go:g"
						: "go:f wrapper:w panic:runtime.gopanic"),
				0, 0, CLASS_USER);
		expect_tree(p, "none",
			    first ? "f;g 1\nf;w;runtime.gopanic 2\n"
				  : "f;g 2\nf;w;runtime.gopanic 1\n");
		profile_free(p);
	}
}

Test(tree, names)
{
	struct {
		uint8_t kind;
		const char *func, *module, *name;
	} cases[] = {
		{ FRAME_GO, "main.f", "/bin/a", "main.f" },
		{ FRAME_GO, "main.F[go.shape.int]", "/bin/a", "main.F[...]" },
		{ FRAME_NATIVE, "F[go.shape.int]", "/bin/a", "F[go.shape.int]" },
		{ FRAME_GO, "main.F[go.shape.int]", "", "main.F[go.shape.int]" },
		{ FRAME_NATIVE, "operator[](int[2])", "/lib/x.so", "operator[](int[2])" },
		{ FRAME_UNNAMED, "", "/lib/libc.so.6", "libc.so.6+0xabc" },
		{ FRAME_UNNAMED, "", "memfd", "memfd+0xabc" },
		{ FRAME_UNNAMED, "", "", "[unknown]" },
		{ FRAME_GO, "", "/bin/a", "a+0xabc" },
		{ FRAME_VDSO, "", "[vdso]", "[vdso]" },
		{ FRAME_VDSO, "__vdso_clock_gettime", "[vdso]", "__vdso_clock_gettime" },
		{ FRAME_CUT, "", "", "[cut]" },
		{ FRAME_KERNEL, "", "", "[kernel]" },
		{ FRAME_KERNEL, "do_syscall_64", "", "do_syscall_64" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct profile *p = hand_profile();
		struct module m = { .path = hand_string(p, cases[i].module),
				    .go_minor = 21 };
		struct frame f = {
			.addr = 0xabc, .kind = cases[i].kind, .start_line = 4, .line = 5
		};
		struct tree *t;

		f.func = hand_string(p, cases[i].func);
		f.file = hand_string(p, "/src/a.go");
		f.module = *cases[i].module ? profile_module(p, &m) : 0;
		hand_event(p, 0, profile_call(p, 0, profile_frame(p, &f)), 0, 0,
			   CLASS_USER);
		t = build(p, "none");
		cr_expect_str_eq(t->nodes[1].name, cases[i].name);
		cr_expect_str_eq(node_file(t, &t->nodes[1]), "/src/a.go");
		cr_expect_eq(node_frame(t, &t->nodes[1])->start_line, 4);
		cr_expect_eq(t->nodes[1].kind, cases[i].kind);
		tree_free(t);
		profile_free(p);
	}
}

Test(tree, samples_without_goroutine_go_by_class)
{
	struct profile *p = hand_profile();

	hand_event(p, 0, 0, 0, 0, CLASS_SCHEDULER);
	hand_event(p, 0, 0, 0, 0, CLASS_C);
	hand_event(p, 0, 0, 0, 0, CLASS_SCHEDULER);
	expect_tree(p, "goroutine", "[c] 1\n[scheduler] 2\n");
	expect_tree(p, "thread", "thread 0 3\n");
	profile_free(p);
}

Test(tree, group_names_are_cut_too)
{
	struct profile *p = hand_profile();
	uint32_t g = hand_goroutine(p, 0, 7, "main.F[go.shape.int]",
				    "main.G[go.shape.int] a.go:3", "");
	struct tree *t;

	hand_event(p, 0, 0, g, 0, CLASS_USER);
	hand_event(p, 0, 0, hand_goroutine(p, 0, 8, "", "", ""), 0, CLASS_USER);
	expect_tree(p, "goroutine", "goroutine 7 main.F[...] 1\ngoroutine 8 1\n");
	expect_tree(p, "start", "start [unknown] 1\nstart main.F[...] 1\n");
	expect_tree(p, "creator", "go [unknown] 1\ngo main.G[...] a.go:3 1\n");
	t = build(p, "start");
	cr_expect_str_eq(t->groups[0].start, "main.F[...]");
	cr_expect_str_eq(t->groups[0].creator, "main.G[...] a.go:3");
	tree_free(t);
	profile_free(p);
}

Test(tree, group_names_are_those_of_the_version)
{
	static const char method[] = "main.(*T[int]).M[int]";
	const struct {
		const char *version, *name;
	} cases[] = {
		{ "go1.20.14", "start main.(*T[int]).M[int] 1\n" },
		{ "go1.26.8", "start main.(*T[...] 1\n" },
		{ "go1.27.4", "start main.(*T[...]).M[...] 1\n" },
		{ "devel", "start main.(*T[...]).M[...] 1\n" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct profile *p = hand_profile();
		uint32_t pid = hand_process(p, 8, "x");

		p->processes[pid].go_version = hand_string(p, cases[i].version);
		hand_event(p, 0, 0, hand_goroutine(p, pid, 7, method, "", ""),
			   hand_thread(p, pid, 8, "x"), CLASS_USER);
		expect_tree(p, "start", cases[i].name);
		profile_free(p);
	}
}

/* Siblings differ in kind and inlining, not in lines and addresses. */
Test(tree, siblings_differ_in_name_kind_and_inlining)
{
	struct profile *p = hand_profile();
	uint32_t read = hand_string(p, "read");
	struct frame f[] = {
		{ .addr = 1, .func = read, .kind = FRAME_GO },
		{ .addr = 2, .func = read, .kind = FRAME_GO, .line = 9 },
		{ .addr = 1, .func = read, .kind = FRAME_GO, .inlined = 1 },
		{ .addr = 1, .func = read, .kind = FRAME_KERNEL },
	};
	struct tree *t;

	for (size_t i = 0; i < LEN(f); i++)
		hand_event(p, 0, profile_call(p, 0, profile_frame(p, &f[i])), 0, 0,
			   CLASS_USER);
	t = build(p, "none");
	cr_assert_eq(t->n_nodes, 4);
	cr_expect(t->nodes[1].samples == 2 && t->nodes[1].self == 20000000);
	cr_expect(node_frame(t, &t->nodes[2])->inlined && t->nodes[3].kind == FRAME_KERNEL);
	tree_free(t);
	profile_free(p);
}

Test(tree, of_nothing)
{
	struct profile *p = hand_profile();
	struct tree *t = build(p, "goroutine,class");

	cr_expect(t->n_nodes == 1 && t->n_groups == 0 && t->nodes[0].total == 0);
	tree_free(t);
	profile_free(p);
}

Test(tree, of_deep_stacks)
{
	struct profile *p = hand_profile();
	struct tree *t;
	uint32_t call = 0;

	for (uint64_t i = 0; i < MAX_STACK_FRAMES; i++) {
		struct frame f = { .addr = i,
				   .func = hand_string(p, "main.f"),
				   .kind = FRAME_GO };

		call = profile_call(p, call, profile_frame(p, &f));
	}
	hand_event(p, 0, call, 0, 0, CLASS_USER);
	hand_event(p, 0, 1, 0, 0, CLASS_USER);
	t = build(p, "class");
	cr_expect_eq(t->n_nodes, MAX_STACK_FRAMES + 2);
	cr_expect_eq(t->nodes[t->n_nodes - 1].samples, 1);
	cr_expect_eq(t->nodes[2].samples, 2);
	tree_free(t);
	profile_free(p);
}

/* Compares with the simple way: write out each event's stack and count the lines. */
Test(tree, as_one_by_one)
{
	static const char *const words[] = { "go:f",     "go:g", "inl:h",
					     "kernel:k", "c:x",  "goexit:e" };
	struct profile *p = hand_profile();
	uint32_t calls[500], n_calls = 1, n = 0, cap = 0, seed = 7,
			     pid = hand_process(p, 1, "p");
	uint32_t thread = hand_thread(p, pid, 1, "");
	char **lines = NULL, *want;

	calls[0] = 0;
	for (; n_calls < LEN(calls); n_calls++) {
		uint32_t of = hand_stack(
			p, words[(seed = seed * 1664525 + 1013904223) >> 16 & 3]);

		if ((seed >> 8) % 7 == 0)
			of = hand_stack(p, words[4 + (seed >> 9) % 2]);
		calls[n_calls] = profile_call(p, calls[(seed >> 4) % n_calls],
					      p->calls[of].frame);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t c = calls[(seed = seed * 1664525 + 1013904223) >> 8 & 255],
			 goid = seed >> 27;
		struct arena a = { 0 };
		const char *line = "";

		hand_event(p, i, c, goid ? hand_goroutine(p, pid, goid, "s", "", "") : 0,
			   thread, CLASS_C);
		for (; c; c = p->calls[c].parent) {
			const struct frame *f = &p->frames[p->calls[c].frame];

			if (f->kind != FRAME_GOEXIT)
				line = arena_printf(&a, ";%s%s", profile_string(p, f->func),
						    line);
		}
		line = goid ? arena_printf(&a, "goroutine %u s%s", goid, line)
			    : arena_printf(&a, "[c]%s", line);
		*table_add(lines, n, cap) = mem_strdup(line);
		arena_release(&a);
	}
	want = count_lines(lines, n);
	expect_tree(p, "goroutine", want);
	free(want);
	profile_free(p);
}

/* What is left out is in the totals of its callers, and counted. */
Test(tree, leaves_out_what_is_narrow)
{
	struct profile *p = hand_profile();
	struct view v = { .least = 20000000 };
	struct tree *t;

	cr_assert_null(grouping_parse("thread", &v.by));
	/* the first node of all goes */
	hand_event(p, 0, hand_stack(p, "go:main.narrow go:main.g"), 0, 0, CLASS_USER);
	for (int i = 0; i < 3; i++)
		hand_event(p, 0, hand_stack(p, "go:main.f go:main.wide"), 0, 0, CLASS_USER);
	hand_event(p, 0, hand_stack(p, "go:main.f go:main.g go:main.narrow"), 0, 0,
		   CLASS_USER);
	hand_event(p, 0, hand_stack(p, "go:main.f go:main.g"), 0, 0, CLASS_USER);
	view_select(&v, p);
	t = tree_build(&v);
	cr_assert_eq(t->n_nodes, 5);
	cr_expect_eq(t->n_narrow, 3);
	cr_expect(t->nodes[0].total == 60000000 && t->nodes[1].samples == 6);
	cr_expect_str_eq(t->nodes[2].name, "main.f");
	cr_expect(t->nodes[2].total == 50000000 && t->nodes[2].self == 0);
	cr_expect_str_eq(t->nodes[4].name, "main.g");
	cr_expect(t->nodes[4].parent == 2 && t->nodes[4].total == 20000000);
	cr_expect(t->nodes[4].self == 10000000 && t->nodes[4].samples == 2);
	tree_free(t);
	view_release(&v);
	profile_free(p);
}

Test(grouping, refuses_unknown_keys)
{
	static const char *const wrong[] = {
		"",       "goid",         "start,",
		",start", "start,,class", "Start",
		"star",   "starts",       "start class",
		"label",  "label:",       "start,label:,class"
	};
	struct grouping g;

	cr_expect(!grouping_parse("creator,goroutine,class,thread", &g) && g.n == 4);
	cr_expect(g.keys[0] == BY_CREATOR && g.keys[1] == BY_GOROUTINE &&
		  g.keys[3] == BY_THREAD);
	cr_expect(!grouping_parse("none", &g) && g.n == 1);
	cr_expect(!grouping_parse("label:a b,label::=", &g) && g.n == 2);
	cr_expect(g.keys[1] == BY_LABEL && !strcmp(g.labels[0], "a b,label::=") &&
		  !strcmp(g.labels[1], ":="));
	for (size_t i = 0; i < LEN(wrong); i++)
		cr_expect_not_null(grouping_parse(wrong[i], &g), "'%s'", wrong[i]);
	cr_expect_not_null(grouping_parse("start,start,start,start,start", &g));
}
