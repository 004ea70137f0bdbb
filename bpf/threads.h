/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A thread as the task iterator of threads.bpf.c describes it. */
#pragma once

#include <linux/types.h>

/* Registers are those saved on entry to the kernel: exact while the thread waits there,
 * else of some earlier moment. */
struct thread_state {
	__u32 tid;    /* in our pid namespace */
	__u32 ns_tid; /* in the thread's own, as its runtime knows it */
	__u64 tp;     /* thread pointer: FS base on amd64 */
	__u64 ip, sp; /* 0: not known, before Linux 5.15 */
	char state;   /* as in /proc/PID/stat: 'R', 'S' … */
	char comm[16];
};
