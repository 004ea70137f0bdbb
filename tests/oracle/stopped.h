/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of a thread that ptrace has stopped: taken by the code of the kernel side, from
 * its registers and the memory of the process. Part of step.c and stop.c.
 */
#pragma once

#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/base/clock.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/golayout.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

static pid_t pid, tid; /* the program; the thread that we step through */

static long read_user(void *dst, __u32 size, __u64 addr)
{
	struct iovec here = { dst, size }, there = { (void *)addr, size };

	if (!size || process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size)
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

/* What BPF programs have. */
#define barrier_var(v) asm volatile("" : "+r"(v))
#define SEC(name)
#define __uint(name, value)             int(*name)[value]
#define __type(name, value)             __typeof__(value) *name
#define bpf_probe_read_user(to, n, at)  read_user(to, (__u32)(n), (__u64)(at))
#define bpf_probe_read_kernel(to, n, p) memcpy(to, p, n)
#define bpf_map_lookup_elem(map, key)   scratch_at(*(key))
#define bpf_get_current_task()          NULL
#define namespaced_tid(task)            ((void)(task), 0u)
#define count(counter)                  (void)(counter)
#define want_user                       true

enum { VDSO_MAX = 16 << 10 };

static __u64 vdso_at; /* of the process */
static __u64 vdso_addr(void)
{
	return vdso_at;
}

/* Only threads of C need it. */
static int altstack_read(__u64 *lo, __u64 *hi)
{
	*lo = *hi = 0;
	return 1;
}

static struct scratch *scratch_at(__u32 cpu);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "bpf/take.bpf.h"
#pragma GCC diagnostic pop

static struct scratch scratch;

static struct scratch *scratch_at(__u32 cpu)
{
	return &scratch + cpu;
}

static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct profile *profile;
static struct procs *procs;
static struct proc *proc;
static struct executable exe;
static uint64_t start_code;

static void die(const char *what);

/* Fills scratch.sample. */
static void sample(const struct user_regs_struct *r)
{
	struct sample *s = &scratch.sample;
	struct extras extras = { 0 };
	uint64_t regs[C_REGS] = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi,
				  r->rbp, r->rsp, r->r8,  r->r9,  r->r10, r->r11,
				  r->r12, r->r13, r->r14, r->r15, r->rip };

	memset(s, 0, sizeof(*s));
	s->type = RECORD_SAMPLE;
	s->tgid = (__u32)pid;
	s->tid = (__u32)tid;
	s->time_ns = clock_now_ns();
	s->weight = profile->kinds[1].period;
	s->image = proc->image;
	s->ip = r->rip;
	s->sp = r->rsp;
	s->fp = r->rbp;
	scratch.kept = r->r12;
	sample_goroutine(&scratch, 0, r->fs_base, 0, r->rbx, &exe, start_code, &extras);
	stack_take(&scratch, 0, &exe);
	memcpy(scratch.registers, regs, sizeof(regs));
	if (s->c_sp)
		c_stack_take(0, extras.c_end);
	if (s->flags & SAMPLE_HANDLER)
		handler_take(0);
}

static void find_vdso(void)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[vdso]"))
			vdso_at = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
}

/* The waiting program, opened like any process that is followed. */
static void look(void)
{
	const char *why = "";
	uint64_t bias = 0;

	find_vdso();
	strs = NULL;
	profile = profile_new();
	strs = profile->strings;
	profile_kind(profile, &(struct event_kind){ .name = strtab_add(strs, "cpu"),
						    .unit = strtab_add(strs, UNIT_NS) });
	symbolizer = symbolizer_new(strs);
	procs = procs_new(symbolizer, profile);
	proc = procs_get(procs, (uint32_t)pid, 1);
	proc->wanted = true;
	procs_examine(procs, proc);
	procs_record(procs, proc);
	if (!proc->space || !space_go(proc->space, &bias))
		die("no Go program");
	if (proc_layout(procs, proc, &exe, &why))
		die(why);
	if (!exe.one_image)
		start_code = bias + space_go(proc->space, &bias)->go->text -
			     exe.layout.text;
}
