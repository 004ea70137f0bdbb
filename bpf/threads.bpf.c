// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A task iterator: reading it gives a struct thread_state for each thread of one
 * process. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "bpf/task.bpf.h"
#include "bpf/threads.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct task_struct___old { /* before Linux 5.14 */
	long state;
};

/* the kernel's BTF has it since 5.15 */
enum bpf_func_id___new { BPF_FUNC_task_pt_regs___new = 175 };

#pragma clang attribute pop

__u32 wanted; /* tgid of the process, in our pid namespace; set before each read */

/* As get_task_state() in the kernel: the letter of the highest bit. */
static __always_inline char state_of(struct task_struct *task)
{
	const __u64 letters = 0x505a587454445352; /* RSDTtXZP */
	struct task_struct___old *old = (void *)task;
	__u32 running = bpf_core_field_exists(task->__state)
				? task->__state
				: (__u32)BPF_CORE_READ(old, state);
	__u32 bits = running & 0x7f, shift = 0;

	if (running == 0x402) /* TASK_IDLE */
		return 'I';
	for (int i = 0; i < 7 && bits >> i; i++)
		shift += 8;
	return (char)(letters >> shift);
}

SEC("iter/task")
int thread(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct thread_state row = {};

	if (!task || tgid_of(task) != wanted || task->exit_state)
		return 0;
	row.tid = tid_of(task);
	row.ns_tid = namespaced_tid(task);
	row.tp = THREAD_POINTER(task);
	if (bpf_core_enum_value_exists(enum bpf_func_id___new,
				       BPF_FUNC_task_pt_regs___new)) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

		row.ip = REGS_IP(regs);
		row.sp = REGS_SP(regs);
	}
	row.state = state_of(task);
	bpf_probe_read_kernel(row.comm, sizeof(row.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
