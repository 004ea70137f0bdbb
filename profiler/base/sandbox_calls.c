/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A refused call raises SIGSYS, whose handler counts it and lets it return EPERM. What may
 * be called was found by running all tests with GOSTROBE_SANDBOX=kill, which kills instead.
 */
#include "profiler/base/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

#include "profiler/base/apart.h"
#include "profiler/base/sandbox.h"

static _Atomic uint64_t refused;
static _Atomic int first = -1; /* number of the first call that was refused */

static void on_refused(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	int none = -1;

	(void)sig;
	atomic_compare_exchange_strong(&first, &none, info->si_syscall);
	atomic_fetch_add(&refused, 1);
#ifdef __x86_64__
	uc->uc_mcontext.gregs[REG_RAX] = -EPERM;
#else
	uc->uc_mcontext.regs[0] = (unsigned long)-EPERM;
#endif
}

uint64_t sandbox_refused(const char **ret)
{
	/* never freed, as it is asked once */
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, first);

	*ret = name ? name : "an unknown call";
	return refused;
}

#define CALLS(...) ((const int[]){ __VA_ARGS__, -1 })
#define CALL(name) SCMP_SYS(name)

static int allow(scmp_filter_ctx f, const int *calls)
{
	int err = 0;

	for (; *calls != -1 && !err; calls++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, *calls, 0);
	return err;
}

/* Allows a call if these bits of an argument have this value. */
static int allow_if(scmp_filter_ctx f, int call, unsigned arg, uint64_t bits,
		    uint64_t value)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
				SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, value));
}

/* Files that are open, memory, time, and ourselves. */
static int allow_always(scmp_filter_ctx f)
{
	return allow(f, CALLS(CALL(read), CALL(readv), CALL(pread64), CALL(write),
			      CALL(writev), CALL(pwrite64), CALL(lseek), CALL(close),
			      CALL(ftruncate), CALL(fallocate), CALL(fsync), CALL(fcntl),
			      CALL(dup), CALL(dup2), CALL(memfd_create), CALL(fstat))) ?:
	       allow(f, CALLS(CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx),
			      CALL(access), CALL(faccessat), CALL(faccessat2),
			      CALL(readlink), CALL(readlinkat), CALL(getdents64),
			      CALL(getcwd))) ?:
	       allow(f, CALLS(CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6),
			      CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
			      CALL(epoll_pwait), CALL(wait4), CALL(waitid))) ?:
	       allow(f, CALLS(CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
			      CALL(process_vm_readv), CALL(bpf), CALL(perf_event_open))) ?:
	       allow(f, CALLS(CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
			      CALL(rt_sigsuspend), CALL(sigaltstack), CALL(futex),
			      CALL(set_robust_list), CALL(rseq), CALL(restart_syscall),
			      CALL(exit), CALL(exit_group), CALL(sched_yield))) ?:
	       allow(f, CALLS(CALL(clock_gettime), CALL(clock_getres),
			      CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
			      CALL(time), CALL(getrandom), CALL(getrusage), CALL(sysinfo),
			      CALL(uname), CALL(sched_getaffinity), CALL(getpriority),
			      CALL(setpriority), CALL(prlimit64), CALL(getrlimit))) ?:
	       allow(f, CALLS(CALL(getpid), CALL(getppid), CALL(gettid), CALL(getuid),
			      CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getpgrp),
			      CALL(getpgid), CALL(getsid)));
}

static int allow_ioctls(scmp_filter_ctx f)
{
	static const uint32_t requests[] = {
		TCGETS,
		TCSETS,
		TCSETSW,
		TCSETSF,
		TIOCGWINSZ,
		TIOCGPGRP,
		TCFLSH,
		TIOCSPGRP,
		FIONREAD,
		FIONBIO,
		PERF_EVENT_IOC_ENABLE,
		PERF_EVENT_IOC_DISABLE,
		PERF_EVENT_IOC_SET_BPF,
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests) && !err; i++)
		err = allow_if(f, CALL(ioctl), 1, UINT32_MAX, requests[i]);
	return err;
}

/* Signals to ourselves, to a launched command, and 0, which asks who is there. */
static int allow_signals(scmp_filter_ctx f, pid_t child)
{
	return allow_if(f, CALL(kill), 1, UINT32_MAX, 0) ?:
	       allow_if(f, CALL(kill), 0, UINT32_MAX, 0) ?:
	       allow_if(f, CALL(kill), 0, UINT32_MAX, (uint32_t)getpid()) ?:
	       allow_if(f, CALL(tgkill), 0, UINT32_MAX, (uint32_t)getpid()) ?:
	       child ? allow_if(f, CALL(kill), 0, UINT32_MAX, (uint32_t)child) : 0;
}

static int allow_files(scmp_filter_ctx f, bool writes)
{
	const uint64_t changes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

	if (!writes)
		return allow_if(f, CALL(openat), 2, changes, O_RDONLY)
			       ?: allow_if(f, CALL(open), 1, changes, O_RDONLY);
	return allow(f, CALLS(CALL(openat), CALL(open), CALL(rename), CALL(renameat),
			      CALL(renameat2), CALL(link), CALL(linkat), CALL(unlink),
			      CALL(unlinkat), CALL(mkdir), CALL(mkdirat), CALL(rmdir),
			      CALL(fchmod), CALL(fchown), CALL(umask), CALL(flock)));
}

/* libcurl and what it loads make threads, and map code. */
static int allow_network(scmp_filter_ctx f, bool network)
{
	if (!network)
		return allow_if(f, CALL(mmap), 2, PROT_EXEC, 0)
			       ?: allow_if(f, CALL(mprotect), 2, PROT_EXEC, 0);
	return allow(f, CALLS(CALL(mmap), CALL(mprotect), CALL(socket), CALL(socketpair),
			      CALL(connect), CALL(bind), CALL(listen), CALL(accept),
			      CALL(accept4), CALL(shutdown), CALL(getsockname),
			      CALL(getpeername), CALL(getsockopt), CALL(setsockopt)))
		       ?: allow(f,
				CALLS(CALL(sendto), CALL(sendmsg), CALL(sendmmsg),
				      CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg),
				      CALL(sendfile), CALL(ioctl), CALL(pipe), CALL(pipe2),
				      CALL(eventfd2), CALL(clone), CALL(clone3),
				      CALL(prctl), CALL(capget), CALL(capset)));
}

/* Probes are set and removed by a process that shares all with us (apart.h). */
static int allow_probes(scmp_filter_ctx f, bool probes)
{
	return probes ? allow_if(f, CALL(clone), 0, UINT32_MAX, APART_FLAGS)
				?: allow(f, CALLS(CALL(setsid)))
		      : 0;
}

static int add_rules(scmp_filter_ctx f, const struct sandbox_options *o)
{
	return seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) ?:
	       seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) ?:
	       allow_always(f) ?:
	       allow_ioctls(f) ?:
	       allow_signals(f, o->child) ?:
	       allow_files(f, o->writes) ?:
	       allow_network(f, o->network) ?:
	       allow_probes(f, o->probes);
}

int sandbox_calls(const struct sandbox_options *o)
{
	const char *test = getenv("GOSTROBE_SANDBOX");
	bool kills = test && !strcmp(test, "kill");
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx f = seccomp_init(kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_TRAP);
	int err;

	if (!f)
		return -ENOMEM;
	err = add_rules(f, o);
	if (!err && sigaction(SIGSYS, &sa, NULL))
		err = -errno;
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}
