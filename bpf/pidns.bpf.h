/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Thread ids: as user space knows them, and as the thread itself does. */
#ifndef BPF_PIDNS_H
#define BPF_PIDNS_H

#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel.bpf.h"

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

#endif
