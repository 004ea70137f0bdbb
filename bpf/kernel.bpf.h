/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel fields that we use, and no others. Their offsets come from the running
 * kernel's BTF when the program is loaded (CO-RE), so the order and gaps here mean nothing.
 */
#pragma once

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned long i_ino;
	long long i_size;
	struct super_block *i_sb;
	__u32 i_generation;
};

struct file {
	struct inode *f_inode;
};

struct mm_struct {
	unsigned long exec_vm;    /* pages of executable mappings */
	unsigned long start_code; /* start of the program's lowest executable segment */
	struct file *exe_file;
	struct {
		void *vdso; /* its address in this process */
	} context;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long fsbase;
};
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, ip,
		sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
};
struct pt_regs {
	__u64 regs[31], sp, pc;
};
#else
#error "unknown architecture"
#endif

struct return_instance {
	unsigned long stack;          /* address of the replaced return address */
	unsigned long orig_ret_vaddr; /* the replaced return address */
	struct return_instance *next; /* the next older one */
};

struct uprobe_task {
	struct return_instance *return_instances;
};

struct task_struct {
	int pid, tgid;
	unsigned int __state; /* TASK_*; Linux 5.14 */
	int exit_state;
	char comm[16];
	__u64 start_time;   /* ns; a thread that calls exec inherits the leader's */
	__u64 self_exec_id; /* how often this process has called exec */
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct pid *thread_pid;
	struct signal_struct *signal;
	void *stack;
	struct uprobe_task *utask;            /* NULL: no uprobe was ever hit */
	unsigned long sas_ss_sp, sas_ss_size; /* set by sigaltstack() */
	struct thread_struct thread;
};

#pragma clang attribute pop
