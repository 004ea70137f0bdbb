/* SPDX-License-Identifier: BSD-2-Clause */
/* Which function a goroutine runs. */
#include "tests/unit/profile_by_hand.h"

#include <stdio.h>
#include <stdlib.h>

#include "profiler/profile/origin.h"
#include "profiler/profile/starts.h"

/* From a goroutine's first to its last sample. */
static int span_ms = 1000;

/* A goroutine that begins in start, with so many samples of a stack. */
static uint32_t goroutine(struct profile *p, uint64_t goid, const char *start,
			  const char *stack, int samples)
{
	uint32_t g = hand_goroutine(p, 1, goid, start, "", "");
	char words[256];

	snprintf(words, sizeof(words), "goexit:runtime.goexit go:%s %s", start, stack);
	for (int i = 0; i < samples; i++)
		hand_event(p, (uint64_t)(i * span_ms / (samples > 1 ? samples - 1 : 1)),
			   hand_stack(p, words), g, 1, CLASS_USER);
	return g;
}

static struct profile *program(void)
{
	struct profile *p = hand_profile();

	hand_process(p, 812, "demo");
	hand_thread(p, 1, 815, "");
	return p;
}

/* The names of the rows from 1 on, with spaces between. */
static void expect_runs(const struct starts *s, struct profile *p, const char *want)
{
	const struct profile *const ps[] = { p };
	struct starts *own = s ? NULL : starts_new(ps, 1);
	uint32_t *runs = starts_of(s ? s : own, p);
	char got[512] = "";

	for (uint32_t i = 1; i < p->n_goroutines; i++) {
		strcat(got, i > 1 ? " " : "");
		strcat(got, profile_string(p, runs[i]));
	}
	cr_expect_str_eq(got, want, "%s, not %s", got, want);
	free(runs);
	starts_free(own);
}

Test(starts, known_starters_are_seen_through)
{
	struct profile *p = program();

	goroutine(p, 1, "sync.(*WaitGroup).Go.func1", "go:main.a go:main.x", 1);
	goroutine(p, 2, "golang.org/x/sync/errgroup.(*Group).Go.func1", "inl:main.b", 1);
	goroutine(p, 3,
		  "example.com/m/vendor/golang.org/x/sync/errgroup.(*Group).TryGo.func1",
		  "go:main.c", 1);
	goroutine(p, 4, "main.main.gowrap12", "go:runtime/pprof.Do go:main.d go:main.x", 1);
	goroutine(p, 5, "main.main·dwrap·1", "go:main.e", 1);
	goroutine(p, 6, "main.f", "go:runtime/pprof.Do go:main.g", 1);
	goroutine(p, 7, "testing.tRunner", "wrapper:main.w go:main.TestX", 1);
	expect_runs(NULL, p, "main.a main.b main.c main.d main.e main.f main.TestX");
	profile_free(p);
}

Test(starts, what_no_sample_tells_stays)
{
	struct profile *p = program();
	uint32_t g;

	/* the starter itself, and what it calls beside its function */
	goroutine(p, 1, "sync.(*WaitGroup).Go.func1", "", 9);
	goroutine(p, 2, "sync.(*WaitGroup).Go.func1", "go:sync.(*WaitGroup).Done", 9);
	goroutine(p, 3, "sync.(*WaitGroup).Go.func1", "kernel:asm_exc_page_fault", 9);
	goroutine(p, 4, "runtime.main", "go:main.main", 9);
	/* a stack without its root */
	g = hand_goroutine(p, 1, 5, "sync.(*WaitGroup).Go.func1", "", "");
	hand_event(p, 1, hand_stack(p, "cut: go:main.a"), g, 1, CLASS_USER);
	hand_event(p, 1, hand_stack(p, "go:sync.(*WaitGroup).Go.func1 go:main.a"), g, 1,
		   CLASS_USER);
	expect_runs(NULL, p,
		    "sync.(*WaitGroup).Go.func1 sync.(*WaitGroup).Go.func1 "
		    "sync.(*WaitGroup).Go.func1 runtime.main sync.(*WaitGroup).Go.func1");
	profile_free(p);
}

Test(starts, rows_that_differ_in_labels_are_one_goroutine)
{
	struct profile *p = program();
	uint32_t g = hand_goroutine(p, 1, 1, "sync.(*WaitGroup).Go.func1", "", "job=x");

	hand_event(p, 1, hand_stack(p, "goexit: go:sync.(*WaitGroup).Go.func1"), g, 1,
		   CLASS_USER);
	goroutine(p, 1, "sync.(*WaitGroup).Go.func1", "go:main.a", 1);
	expect_runs(NULL, p, "main.a main.a");
	profile_free(p);
}

/* Goroutines of an own starter; a stranger's name for the second one. */
static struct profile *own(const char *starter, const char *second, int samples)
{
	struct profile *p = program();

	goroutine(p, 1, starter, "go:main.a", samples);
	goroutine(p, 2, starter, second, samples);
	goroutine(p, 3, starter, "go:main.a go:main.x", samples);
	return p;
}

Test(starts, own_starters_are_learned)
{
	struct profile *p = own("main.(*S).start.func1", "go:main.b", 10);

	/* one sample is enough when others have shown what a starter is */
	goroutine(p, 4, "main.(*S).start.func1", "go:sync.(*Mutex).Lock", 1);
	goroutine(p, 4, "main.(*S).start.func1", "go:main.c", 1);
	/* a sample of another function in a hundred changes nothing */
	goroutine(p, 1, "main.(*S).start.func1", "go:main.logStart", 1);
	goroutine(p, 1, "main.(*S).start.func1", "go:main.a", 100);
	expect_runs(NULL, p, "main.a main.b main.a main.c");
	profile_free(p);
}

Test(starts, starters_may_call_starters)
{
	struct profile *p = program();

	for (int i = 1; i < 4; i++) {
		goroutine(p, (uint64_t)i * 2, "main.outer.func1",
			  "go:main.inner.func2 go:main.a", 20);
		goroutine(p, (uint64_t)i * 2 + 1, "main.outer.func1",
			  "go:main.inner.func2 go:main.b", 20);
		goroutine(p, (uint64_t)i + 20, "main.outer.func1", "go:main.c", 20);
	}
	expect_runs(NULL, p,
		    "main.a main.b main.c main.a main.b main.c main.a main.b main.c");
	profile_free(p);
}

/* The start function makes the call in another line than in goroutine(). */
static void elsewhere(struct profile *p, uint64_t goid, const char *start,
		      const char *calls, int samples)
{
	struct frame at = { .addr = 0x2000,
			    .func = hand_string(p, start),
			    .kind = FRAME_GO },
		     to = { .addr = 0x3000,
			    .func = hand_string(p, calls),
			    .kind = FRAME_GO };
	uint32_t call = hand_stack(p, "goexit:runtime.goexit");

	call = profile_call(p, call, profile_frame(p, &at));
	call = profile_call(p, call, profile_frame(p, &to));
	for (int i = 0; i < samples; i++)
		hand_event(p, (uint64_t)(i * 100), call,
			   hand_goroutine(p, 1, goid, start, "", ""), 1, CLASS_USER);
}

Test(starts, an_ordinary_function_is_no_starter)
{
	struct profile *p;

	/* one goroutine does both */
	p = own("main.work.func1", "go:main.b", 10);
	goroutine(p, 3, "main.work.func1", "go:main.b", 4);
	expect_runs(NULL, p, "main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* all do the same */
	p = own("main.work.func1", "go:main.a", 10);
	expect_runs(NULL, p, "main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* two samples each: that is chance */
	p = own("main.work.func1", "go:main.b", 2);
	expect_runs(NULL, p, "main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* it works itself */
	p = own("main.work.func1", "go:main.b", 10);
	goroutine(p, 1, "main.work.func1", "", 10);
	expect_runs(NULL, p, "main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* it calls them at two places */
	p = own("main.work.func1", "go:main.a", 20);
	elsewhere(p, 4, "main.work.func1", "main.b", 20);
	expect_runs(NULL, p,
		    "main.work.func1 main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* it has a name */
	p = own("main.worker", "go:main.b", 10);
	expect_runs(NULL, p, "main.worker main.worker main.worker");
	profile_free(p);
	/* each was seen for less than a second: they may have been in one task each */
	span_ms = 999;
	p = own("main.work.func1", "go:main.b", 10);
	expect_runs(NULL, p, "main.work.func1 main.work.func1 main.work.func1");
	profile_free(p);
	/* of the standard library only known ones */
	span_ms = 1000;
	p = own("net/http.serve.func1", "go:main.b", 10);
	expect_runs(NULL, p,
		    "net/http.serve.func1 net/http.serve.func1 net/http.serve.func1");
	profile_free(p);
}

/* A deferred closure of the starter says nothing. */
Test(starts, closures_beside_a_starter)
{
	struct profile *p = own("main.(*S).start.func2", "go:main.b", 10);

	goroutine(p, 4, "main.(*S).start.func2", "go:main.(*S).start.func2.1", 3);
	goroutine(p, 5, "main.(*S).start.func2", "go:main.(*S).start.func1", 3);
	expect_runs(NULL, p,
		    "main.a main.b main.a main.(*S).start.func2 main.(*S).start.func2");
	profile_free(p);
}

Test(starts, two_recordings_decide_together)
{
	struct profile *a = own("main.start.func1", "go:main.b", 10),
		       *b = own("main.start.func1", "go:main.a", 10);
	const struct profile *both[] = { a, b };
	struct starts *s = starts_new(both, 2);

	expect_runs(NULL, b, "main.start.func1 main.start.func1 main.start.func1");
	expect_runs(s, a, "main.a main.b main.a");
	expect_runs(s, b, "main.a main.a main.a");
	starts_free(s);
	profile_free(a);
	profile_free(b);
}

static enum origin origin(const char *func, const char *module, uint8_t kind)
{
	struct profile *p = hand_profile();
	struct module m = { .go_module = hand_string(p, module) };
	struct frame f = { .func = hand_string(p, func),
			   .module = profile_module(p, &m),
			   .kind = kind };
	enum origin ret = origin_of(p, &f);

	profile_free(p);
	return ret;
}

Test(origin, by_package)
{
	static const char a[] = "example.com/a";

	cr_expect_eq(origin("main.main", "", FRAME_GO), ORIGIN_OWN);
	cr_expect_eq(origin("main.F[example.com/b.T]", a, FRAME_GO), ORIGIN_OWN);
	cr_expect_eq(origin("example.com/a.F", a, FRAME_GO), ORIGIN_OWN);
	cr_expect_eq(origin("example.com/a/b.(*T).F", a, FRAME_GO), ORIGIN_OWN);
	cr_expect_eq(origin("example.com/ab.F", a, FRAME_GO), ORIGIN_LIBRARY);
	cr_expect_eq(origin("gopkg.in/yaml%2ev3.F", a, FRAME_GO), ORIGIN_LIBRARY);
	cr_expect_eq(origin("net/http.(*conn).serve", a, FRAME_GO), ORIGIN_STANDARD);
	cr_expect_eq(origin("slices.SortFunc[example.com/a.T]", a, FRAME_GO),
		     ORIGIN_STANDARD);
	cr_expect_eq(origin("workloads/self.F", "", FRAME_GO), ORIGIN_STANDARD);
	cr_expect_eq(origin("workloads/self.F", "workloads", FRAME_GO), ORIGIN_OWN);
	cr_expect_eq(origin("mainframe.F", a, FRAME_GO), ORIGIN_STANDARD);
	cr_expect_eq(origin("main", a, FRAME_NATIVE), ORIGIN_OTHER);
	cr_expect_eq(origin("", a, FRAME_UNNAMED), ORIGIN_OTHER);
	cr_expect_eq(origin("runtime.goexit", a, FRAME_GOEXIT), ORIGIN_STANDARD);
}
