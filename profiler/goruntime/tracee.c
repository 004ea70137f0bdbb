/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/tracee.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/file.h"

/* The time in which a thread must stop: usually microseconds, or as long as it is in the
 * kernel. */
enum { WAITS = 200, WAIT_NS = 5000000 };

/* The thread's status; 0: it does not stop; -1: it does not exist. */
static int stop_wait(pid_t tid)
{
	const struct timespec turn = { .tv_nsec = WAIT_NS };
	sigset_t child, before;
	pid_t got = 0;
	int status;

	/* wait for SIGCHLD, which a stop sends: the fastest way to learn of it */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	for (int i = 0; i < WAITS; i++) {
		got = waitpid(tid, &status, __WALL | WNOHANG);
		if (got)
			break;
		sigtimedwait(&child, NULL, &turn);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return !got ? 0 : got == tid && WIFSTOPPED(status) ? status : -1;
}

static bool registers_read(struct tracee *t)
{
#if defined(__x86_64__)
	struct user_regs_struct r = { 0 };
	struct iovec iov = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, t->tid, NT_PRSTATUS, &iov))
		return false;
	t->tp = r.fs_base;
	t->ip = r.rip;
#elif defined(__aarch64__)
	struct user_regs_struct r = { 0 };
	struct iovec iov = { &r, sizeof(r) }, tls = { &t->tp, sizeof(t->tp) };

	if (ptrace(PTRACE_GETREGSET, t->tid, NT_PRSTATUS, &iov) ||
	    ptrace(PTRACE_GETREGSET, t->tid, NT_ARM_TLS, &tls))
		return false;
	t->ip = r.pc;
	t->x28 = r.regs[28];
#endif
	return true;
}

static bool is_traced(pid_t tid)
{
	char path[64], line[64];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return atoi(file_line(line, "TracerPid:", path));
}

int tracee_stop(struct tracee *ret, pid_t tid, const char **why)
{
	int status, err;

	*ret = (struct tracee){ .tid = tid };
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
		err = -errno;
		*why = err == -ESRCH    ? "it has ended"
		       : is_traced(tid) ? "a debugger holds it"
					: "ptrace is not permitted";
		return err;
	}
	status = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) ? -1 : stop_wait(tid);
	if (status <= 0) {
		*why = status ? "it has ended"
			      : "it does not stop: it is deep in the kernel";
		return status ? -ESRCH
			      : -ETIMEDOUT; /* released when we end, at the latest */
	}
	ret->since_ns = clock_now_ns();
	if (status >> 16 != PTRACE_EVENT_STOP)
		ret->signal = WSTOPSIG(status);
	if (registers_read(ret))
		return 0;
	err = -errno;
	*why = "its registers cannot be read";
	tracee_release(ret);
	return err;
}

uint64_t tracee_release(struct tracee *t)
{
	ptrace(PTRACE_DETACH, t->tid, NULL, (void *)(intptr_t)t->signal);
	return clock_now_ns() - t->since_ns;
}
