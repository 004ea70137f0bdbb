/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Return addresses that the kernel has replaced, for the uretprobes of other tools. */
#ifndef BPF_URETPROBE_H
#define BPF_URETPROBE_H

#include "bpf/kernel.bpf.h"
#include "bpf/take.bpf.h"

enum { RETURN_INSTANCES = 64 }; /* as many as the kernel allows nested */

/* Puts them back in the copy of the thread's stack. Where several probes have replaced the same word one
 * after the other, the oldest is found last, and has what was there first. */
static __always_inline void returns_restore(struct scratch *tmp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sample *s = &tmp->sample;
	struct return_instance *ri;
	__u64 n = sample_words(s) - s->n_c_words + C_REGS, at;

	if (s->n_c_words <= C_REGS || !bpf_core_field_exists(task->utask))
		return;
	ri = BPF_CORE_READ(task, utask, return_instances);
	for (int i = 0; i < RETURN_INSTANCES && ri; i++) {
		at = BPF_CORE_READ(ri, stack) - s->c_sp;
		barrier_var(at);
		if (at / 8 < s->n_c_words - C_REGS && at % 8 == 0) {
			at = n + at / 8;
			barrier_var(at);
			if (at < MAX_WORDS + C_REGS + C_BYTES / 8)
				tmp->pcs[at] = BPF_CORE_READ(ri, orig_ret_vaddr);
		}
		ri = BPF_CORE_READ(ri, next);
	}
}

#endif
