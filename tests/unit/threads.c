/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's view of our own threads, compared with their own. Needs the privileges to
 * load BPF. */
#include <asm/prctl.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/goruntime/tracee.h"
#include "profiler/kernel/threads.h"

enum { N = 5 };

static struct self {
	pthread_t thread;
	uint32_t tid;
	uint64_t tp;
} selves[N];

static pthread_barrier_t barrier;
static int forever[2];

static void *wait_in_read(void *arg)
{
	struct self *s = arg;
	char here, name[16];

#if defined(__x86_64__)
	syscall(SYS_arch_prctl, ARCH_GET_FS, &s->tp);
#else
	s->tp = (uint64_t)__builtin_thread_pointer();
#endif
	s->tid = (uint32_t)syscall(SYS_gettid);
	snprintf(name, sizeof(name), "self %d", (int)(s - selves));
	pthread_setname_np(pthread_self(), name);
	pthread_barrier_wait(&barrier);
	return (void *)(intptr_t)read(forever[0], &here, 1);
}

static void start_threads(void)
{
	cr_assert_eq(pipe(forever), 0);
	pthread_barrier_init(&barrier, NULL, N + 1);
	for (int i = 0; i < N; i++)
		pthread_create(&selves[i].thread, NULL, wait_in_read, &selves[i]);
	pthread_barrier_wait(&barrier);
	usleep(50000); /* until they are in read() */
}

static void end_threads(void)
{
	close(forever[1]);
	for (int i = 0; i < N; i++)
		pthread_join(selves[i].thread, NULL);
}

static struct threads_bpf *threads_or_skip(void)
{
	struct threads_bpf *t = NULL;
	const char *what = "";
	int err = threads_open(&t, &what);

	if (err == -EPERM || err == -EACCES)
		cr_skip("no rights for %s", what);
	cr_assert_eq(err, 0, "%s: %s", what, strerror(-err));
	return t;
}

static const struct thread_state *row_of(const struct thread_state *rows, uint32_t n,
					 uint32_t tid)
{
	for (uint32_t i = 0; i < n; i++)
		if (rows[i].tid == tid)
			return &rows[i];
	cr_assert_fail("no thread %u", tid);
	return NULL;
}

Test(threads, are_as_they_say)
{
	struct threads_bpf *t = threads_or_skip();
	struct thread_state *rows = NULL;
	uint32_t n = 0;
	struct stat st;
	char name[16];

	start_threads();
	cr_assert_eq(threads_read(t, getpid(), &rows, &n), 0);
	stat("/proc/self/task", &st);
	cr_expect_eq(n, st.st_nlink - 2);
	for (int i = 0; i < N; i++) {
		const struct thread_state *r = row_of(rows, n, selves[i].tid);

		snprintf(name, sizeof(name), "self %d", i);
		cr_expect_str_eq(r->comm, name);
		cr_expect_eq(r->tp, selves[i].tp);
		cr_expect_neq(r->tp, selves[(i + 1) % N].tp);
		cr_expect_eq(r->ns_tid, selves[i].tid);
		cr_expect_eq(r->state, 'S', "%c", r->state);
		/* a thread's control block is at the top of its stack */
		cr_expect(!r->sp || (r->sp < r->tp && r->tp - r->sp < 9 << 20));
	}
	cr_expect_eq(row_of(rows, n, (uint32_t)getpid())->state, 'R');
	free(rows);
	end_threads();
	threads_close(t);
}

Test(threads, that_have_ended_are_none)
{
	struct threads_bpf *t = threads_or_skip();
	struct thread_state *rows = NULL;
	uint32_t n = 0;
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	cr_expect_eq(threads_read(t, child, &rows, &n), -ESRCH, "a zombie");
	waitpid(child, NULL, 0);
	cr_expect_eq(threads_read(t, child, &rows, &n), -ESRCH);
	threads_close(t);
}

/* A child reports where its own thread pointer is; then it waits. */
static pid_t child_start(uint64_t *tp)
{
	int said[2];
	pid_t child;

	cr_assert_eq(pipe(said), 0);
	child = fork();
	if (!child) {
#if defined(__x86_64__)
		syscall(SYS_arch_prctl, ARCH_GET_FS, tp);
#else
		*tp = (uint64_t)__builtin_thread_pointer();
#endif
		if (write(said[1], tp, sizeof(*tp)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(said[0], tp, sizeof(*tp)), (ssize_t)sizeof(*tp));
	return child;
}

Test(tracee, is_read_and_runs_on)
{
	const char *why = NULL;
	uint64_t tp, ns;
	struct tracee t;
	siginfo_t info;
	pid_t child = child_start(&tp);

	for (int i = 0; i < 20; i++) {
		cr_assert_eq(tracee_stop(&t, child, &why), 0, "%s", why);
		cr_expect_eq(t.tp, tp);
		cr_expect_neq(t.ip, 0);
		ns = tracee_release(&t);
		cr_expect_gt(ns, 0);
		cr_expect_lt(ns, 1000000000);
	}
	/* a pending signal is not lost */
	kill(child, SIGUSR1);
	waitid(P_PID, (id_t)child, &info, WEXITED);
	cr_expect_eq(info.si_status, SIGUSR1);
}

Test(tracee, is_left_to_a_debugger)
{
	const char *why = NULL;
	uint64_t tp;
	struct tracee t, again;
	pid_t child = child_start(&tp);

	cr_assert_eq(tracee_stop(&t, child, &why), 0, "%s", why);
	cr_expect_eq(tracee_stop(&again, child, &why), -EPERM);
	cr_expect_str_eq(why, "a debugger holds it");
	tracee_release(&t);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(tracee_stop(&t, child, &why), -ESRCH);
	cr_expect_str_eq(why, "it has ended");
}
