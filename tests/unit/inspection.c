/* SPDX-License-Identifier: BSD-2-Clause */
/* A real Go process that waits, inspected and checked. Needs the rights to load and to
 * ptrace. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/goruntime/inspection.h"
#include "profiler/kernel/threads.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

static struct inspection in;
static struct threads_bpf *threads;
static int input;

/* Waits until its main thread is in read(): then no thread moves any more. */
static void wait_for_read(void)
{
	char path[64], call[32];
	FILE *f;

	for (int tries = 0; tries < 400; tries++) {
		snprintf(path, sizeof(path), "/proc/%d/syscall", in.pid);
		f = fopen(path, "r");
		if (f && fgets(call, sizeof(call), f) && !strncmp(call, "0 0x0 ", 6))
			tries = 1000;
		if (f)
			fclose(f);
		usleep(5000);
	}
}

static void begin(void)
{
	const char *what = "";
	int err = threads_open(&threads, &what);

	if (err == -EPERM || err == -EACCES)
		cr_skip("no rights for %s", what);
	cr_assert_eq(err, 0, "%s", what);
	in.pid = start_go(go_binary(), &input);
	wait_for_read();
	in.strs = strtab_new();
	in.symbolizer = symbolizer_new(in.strs);
	cr_assert_eq(space_open(&in.space, in.symbolizer, in.pid), 0);
	in.object = space_go(in.space, &in.bias);
	cr_assert(in.object);
}

static void end(void)
{
	inspection_release(&in);
	threads_close(threads);
	space_close(in.space);
	symbolizer_close(in.symbolizer);
	strtab_free(in.strs);
	stop_go(in.pid, input);
}

Test(inspection, threads_and_their_goroutines)
{
	const struct inspected_thread *reader = NULL;
	const char *what;

	begin();
	cr_assert_eq(inspection_run(&in, &what), 0);
	cr_expect(in.layout.layout.ok);
	cr_expect_null(in.layout.why);
	cr_expect_geq(in.n, 2);
	cr_expect_eq(in.differ, 0);
	cr_expect_gt(in.longest_ns, 0);
	for (uint32_t i = 0; i < in.n; i++) {
		const struct inspected_thread *t = &in.threads[i];

		cr_expect_null(t->why);
		cr_expect_eq(t->user.tp, t->kernel.tp);
		if (t->goid)
			reader = t;
		else
			cr_expect_neq(t->class, CLASS_USER, "it waits");
	}
	cr_assert(reader, "no thread has the goroutine that reads");
	cr_expect_str_eq(reader->status, "syscall");
	cr_expect_eq(reader->class, CLASS_KERNEL);
	cr_expect_eq(reader->curg, reader->g);
	cr_expect_eq(strncmp(strtab_get(in.strs, reader->start), "main.", 5), 0);
	end();
}

Test(inspection, process_that_has_ended)
{
	const char *what;

	begin();
	kill(in.pid, SIGKILL);
	waitid(P_PID, (id_t)in.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	cr_expect_eq(inspection_run(&in, &what), -ESRCH);
	cr_expect_null(what);
	end();
}

Test(inspection, file)
{
	const char *what;
	pid_t pid;

	begin();
	pid = in.pid;
	in.pid = 0;
	cr_assert_eq(inspection_run(&in, &what), 0);
	cr_expect(in.layout.layout.ok);
	cr_expect_eq(in.n, 0);
	in.pid = pid;
	end();
}

static int check(struct golayout *l)
{
	struct thread_state *rows = NULL;
	uint32_t n = 0;
	int err;

	cr_assert_eq(threads_read(threads, in.pid, &rows, &n), 0);
	err = golayout_check(l, in.space, in.pid, rows, n);
	free(rows);
	return err;
}

/* why: which check fails; NULL: any. */
static void expect_failure(struct golayout l, const char *why)
{
	cr_expect_eq(check(&l), -ENOTSUP, "%s", why ? why : "");
	cr_expect_eq(l.layout.ok, 0);
	cr_assert(l.why);
	if (why)
		cr_expect_str_eq(l.why, why);
}

/* Each field that a check depends on, with a wrong offset. */
Test(selfcheck, finds_a_wrong_layout)
{
	struct golayout good, l;

	begin();
	cr_assert_eq(golayout_find(&good, in.object, false), 0);
	l = good;
	cr_assert_eq(check(&l), 0, "%s", l.why);
	for (int i = CHECK_G0; i < CHECKS; i++)
		cr_expect(l.checks[i].ran && l.checks[i].ok, "%s", layout_checks[i].name);
	l = good;
	l.fields[FIELD_G_M].offset += 8;
	expect_failure(l, NULL);
	l = good;
	l.layout.m_procid += 8;
	expect_failure(l, "self-check: m.procid is not the thread's id");
	l = good;
	l.layout.m_curg += 16;
	expect_failure(l, "self-check: the thread's g is not one of its m");
	l = good;
	l.layout.g_startpc += 8;
	expect_failure(l, "self-check: g.startpc is not the start of a function");
	l = good;
	l.unproved = true;
	cr_expect_eq(check(&l), 0, "there is a goroutine that proves it");
	end();
}

/* Offsets that only the running process has. */
Test(selfcheck, reads_the_slot_from_the_process)
{
	struct golayout good, l;

	begin();
	cr_assert_eq(golayout_find(&good, in.object, false), 0);
	l = good;
	l.got = in.object->go->text; /* code is not such an offset */
	cr_expect_eq(check(&l), -ENOTSUP);
	cr_expect_str_eq(l.why, "the slot of g could not be read from the process");
	l = good;
	l.got = 1; /* nothing is mapped there */
	cr_expect_eq(check(&l), -EFAULT);
	l = good;
	l.iscgo = in.object->go->text; /* a byte that is not 0 */
	cr_expect_eq(check(&l), 0);
	cr_expect_eq(l.layout.g_in_register, 0);
	/* unproved and idle: no check has run */
	l = good;
	l.unproved = true;
	cr_expect_eq(golayout_check(&l, in.space, in.pid, NULL, 0), -EAGAIN);
	cr_expect_eq(l.layout.ok, 0);
	end();
}
