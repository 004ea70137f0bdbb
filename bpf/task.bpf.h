/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the kernel knows of a task: its ids, registers, address space, program. */
#pragma once

#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/arch.bpf.h"
#include "bpf/sample.h"

enum { PIDNS_LEVELS = 33 }; /* MAX_PID_NS_LEVEL and the initial one */

/* Inode of user space's pid namespace, set before load. 0: the initial one. */
const volatile __u32 our_pidns = 0;

static __always_inline void *upid_of(struct pid *pid, __u32 level)
{
	return (void *)pid + bpf_core_field_offset(pid->numbers) +
	       level * bpf_core_type_size(struct upid);
}

static __always_inline __u32 upid_nr(const void *upid)
{
	__u32 nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      upid + bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* The id in user space's namespace; 0: it has none there. */
static __always_inline __u32 pid_ours(struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level);

	for (__u32 i = 0; i < PIDNS_LEVELS && i <= level; i++) {
		const void *upid = upid_of(pid, i);
		struct pid_namespace *ns = 0;

		bpf_probe_read_kernel(&ns, sizeof(ns),
				      upid + bpf_core_field_offset(struct upid, ns));
		if (BPF_CORE_READ(ns, ns.inum) == our_pidns)
			return upid_nr(upid);
	}
	return 0;
}

static __always_inline __u32 tid_of(struct task_struct *task)
{
	return our_pidns ? pid_ours(BPF_CORE_READ(task, thread_pid))
			 : (__u32)BPF_CORE_READ(task, pid);
}

static __always_inline __u32 tgid_of(struct task_struct *task)
{
	return our_pidns ? pid_ours(BPF_CORE_READ(task, group_leader, thread_pid))
			 : (__u32)BPF_CORE_READ(task, tgid);
}

/* The id in the thread's own pid namespace, which the runtime keeps in m.procid. */
static __always_inline __u32 namespaced_tid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);

	return upid_nr(upid_of(pid, BPF_CORE_READ(pid, level)));
}

struct task {
	__u32 tgid, tid;
	__u64 mm, exec_vm, tp; /* mm 0: kernel thread, or about to end */
	struct user_regs regs; /* on entry to the kernel; valid only in kernel mode */
};

/* The registers saved on entry to the kernel, for kernels without bpf_task_pt_regs(). */
static __always_inline struct pt_regs *saved_regs(struct task_struct *task)
{
	return BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE -
	       bpf_core_type_size(struct pt_regs);
}

static __always_inline void task_read(struct task *t, bool modern, bool in_kernel)
{
	if (modern) {
		struct task_struct *task = bpf_get_current_task_btf();

		t->mm = (__u64)task->mm;
		t->exec_vm = task->mm->exec_vm;
		t->tp = THREAD_POINTER(task);
		if (in_kernel) {
			struct pt_regs *regs =
				(struct pt_regs *)bpf_task_pt_regs((void *)task);

			USER_REGS(t->regs, regs, REG_DIRECT);
		}
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();

		t->mm = (__u64)BPF_CORE_READ(task, mm);
		t->exec_vm = BPF_CORE_READ(task, mm, exec_vm);
		t->tp = THREAD_POINTER_CORE(task);
		if (in_kernel) {
			struct pt_regs *regs = saved_regs(task);

			USER_REGS(t->regs, regs, REG_CORE);
		}
	}
}

enum { VDSO_MAX = 16 << 10 /* bytes */ };

static __always_inline __u64 vdso_addr(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return (__u64)BPF_CORE_READ(task, mm, context.vdso);
}

/* Bounds of the current thread's signal stack. Non-zero: it has none. */
static __always_inline int altstack_read(__u64 *lo, __u64 *hi)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	*lo = BPF_CORE_READ(task, sas_ss_sp);
	*hi = *lo + BPF_CORE_READ(task, sas_ss_size);
	return !*lo;
}

static __always_inline void exe_read(struct exe_key *key, struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	__builtin_memset(key, 0, sizeof(*key));
	if (!inode)
		return;
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->size = BPF_CORE_READ(inode, i_size);
	key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key->generation = BPF_CORE_READ(inode, i_generation);
}

static __always_inline image_id image_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_time) +
	       BPF_CORE_READ(task, self_exec_id);
}
