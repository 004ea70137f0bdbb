/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Restores return addresses that the kernel has replaced for the uretprobes of other
 * tools. */
#ifndef BPF_URETPROBE_H
#define BPF_URETPROBE_H

#include "bpf/kernel.bpf.h"
#include "bpf/take.bpf.h"

enum { RETURN_INSTANCES = 64 }; /* the kernel allows as many to nest */

/* Puts the original return addresses back into the copy of the thread's stack. If several
 * probes replaced the same word, the oldest one is visited last and has the original. */
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
