/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Differences between architectures: registers, thread pointer, top of the kernel stack. */
#pragma once

#include <bpf/bpf_core_read.h>

#include "bpf/kernel.bpf.h"

struct user_regs {
	__u64 ip, sp, fp;
	__u64 g; /* g, if Go keeps it in a register that can be trusted (arm64); else 0 */
	__u64 m; /* register in which nanotime1 keeps m while it calls the vDSO */
	__u64 kept; /* in which racecall and the like keep SP while they call C */
};

#if defined(__TARGET_ARCH_x86)

/* Context of a perf_event program: registers of the interrupted code, readable only as
 * 8-byte words. */
struct perf_context {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	__u64 ip, cs, flags, sp, ss;
};

#define REGS_IP(r)   ((r)->ip)
#define REGS_SP(r)   ((r)->sp)
#define REGS_FP(r)   ((r)->bp)
#define REGS_M(r)    ((r)->bx)
#define REGS_KEPT(r) ((r)->r12)
#define CONTEXT_G(r) 0
#define USER_REG_G(to, r, read)

/* Stores all registers by DWARF number, for unwinding C. read(x, name) reads one. */
#define REGISTERS(to, x, read) \
	do { \
		(to)[0] = read(x, ax); \
		(to)[1] = read(x, dx); \
		(to)[2] = read(x, cx); \
		(to)[3] = read(x, bx); \
		(to)[4] = read(x, si); \
		(to)[5] = read(x, di); \
		(to)[6] = read(x, bp); \
		(to)[7] = read(x, sp); \
		(to)[8] = read(x, r8); \
		(to)[9] = read(x, r9); \
		(to)[10] = read(x, r10); \
		(to)[11] = read(x, r11); \
		(to)[12] = read(x, r12); \
		(to)[13] = read(x, r13); \
		(to)[14] = read(x, r14); \
		(to)[15] = read(x, r15); \
		(to)[16] = read(x, ip); \
	} while (0)
#define REGISTER_OF(x, name) ((x)->name)

#define KERNEL_STACK_SIZE 16384 /* THREAD_SIZE without KASAN */

/* arch_prctl() and clone() set it, a context switch saves it. So it is right for the
 * current thread unless user code has used WRFSBASE since, which neither Go nor any libc
 * does. */
#define THREAD_POINTER(task)      ((task)->thread.fsbase)
#define THREAD_POINTER_CORE(task) BPF_CORE_READ(task, thread.fsbase)

#elif defined(__TARGET_ARCH_arm64)

struct perf_context {
	__u64 regs[31], sp, pc, pstate;
};

#define REGS_IP(r)              ((r)->pc)
#define REGS_SP(r)              ((r)->sp)
#define REGS_FP(r)              ((r)->regs[29])
#define REGS_M(r)               ((r)->regs[21])
#define REGS_KEPT(r)            ((r)->regs[19])
#define CONTEXT_G(r)            ((r)->regs[28])
#define USER_REG_G(to, r, read) read((to).g, CONTEXT_G(r))

#define KERNEL_STACK_SIZE         16384

/* Go keeps g in x28. The slot behind the thread pointer is only written in programs with
 * cgo; while those are in C, only the slot is right. */
#define THREAD_POINTER(task)      ((task)->thread.uw.tp_value)
#define THREAD_POINTER_CORE(task) BPF_CORE_READ(task, thread.uw.tp_value)

#endif

/* Fills a struct user_regs; read(to, from) reads one register. */
#define USER_REGS(to, r, read) \
	do { \
		read((to).ip, REGS_IP(r)); \
		read((to).sp, REGS_SP(r)); \
		read((to).fp, REGS_FP(r)); \
		read((to).m, REGS_M(r)); \
		read((to).kept, REGS_KEPT(r)); \
		USER_REG_G(to, r, read); \
	} while (0)
#define REG_DIRECT(to, from) ((to) = (from))
#define REG_CORE(to, from)   bpf_core_read(&(to), 8, &(from))
