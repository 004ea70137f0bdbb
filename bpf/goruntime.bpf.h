/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Goes from the thread pointer to the goroutine, for the thread that is stopped here.
 *
 *   thread pointer + tls_g
 *          |
 *        slot --> g ---.m---> m ---.curg-----> the user goroutine that the thread works for
 *                             |----.g0-------> the scheduler's g, on the thread's own stack
 *                             '----.gsignal--> the g of signal handlers
 *
 * The slot holds the g whose stack the thread is on: one of the three on the right.
 *
 *   slot          m.curg       what runs
 *   g             g            the goroutine itself
 *   m.g0          a goroutine  runtime code on its behalf, or C code that it called
 *   m.g0          0            the scheduler
 *   m.gsignal     either       a signal handler
 *   m.g0, in C    stale        a thread made by C that has come back from Go
 *   0             -            a thread that never was in Go
 *
 * All memory is read by read_user(), so that unit tests can run this code over memory of
 * their own. They define it before they include this file.
 */
#pragma once

#include "bpf/sample.h"

#ifdef __bpf__
static __always_inline long read_user(void *dst, __u32 size, __u64 addr)
{
	return bpf_probe_read_user(dst, size, (const void *)addr);
}
#endif

/* words that are read of a g or m at most; a power of two */
enum { OBJECT_WORDS = 64 };

/* Between m.tls and m.curg, in every version so far; if another one differs, slot_read()
 * only costs it a read. */
enum { CURG_AFTER_TLS = 56 };

/* indexes of words in g, the same in every version */
enum { G_STACK_LO = 0, G_STACK_HI = 1, G_M = 6, G_SCHED_SP = 7, G_SCHED_PC = 8 };

struct stack_bounds {
	__u64 lo, hi;
};

struct goroutine_state {
	__u64 goid; /* 0: none, and then the next four are 0 too */
	__u64 parent_goid, startpc, gopc;
	__u64 labels; /* their address, for golabels.bpf.h; 0: none */
	__u64 sigpc;  /* PC of the last fault that became a panic; 0: none */
	__u64 lo, hi; /* stack of the g in the slot; 0, 0: not known */
	/* Stack of curg if there is a goid and the slot or SP is another g's; else 0, 0. */
	__u64 alt_lo, alt_hi;
	/* The thread's id as the runtime knows it. The caller compares it with the real one
	 * and drops goid if they differ. 0: m was not read. */
	__u64 procid;
	__u32 flags;  /* SAMPLE_* */
	__u32 locked; /* to its thread */
	__u32 resume; /* enum resume; if not RESUME_NONE, where: */
	__u64 resume_pc, resume_sp, resume_fp;
	/* SP of the thread's stack at the last callback from C into the goroutine, if there
	 * is or may be one; else 0 */
	__u64 g0_sp;
	__u64 g0_hi; /* end of that stack; 0: not known */
};

/* what was read last; too big for the BPF stack */
struct goroutine_scratch {
	__u64 g[OBJECT_WORDS]; /* from its start */
	__u64 m[OBJECT_WORDS]; /* from m.procid */
	__u64 m_addr;          /* whose fields they are; 0: none */
	__u64 g0[G_SCHED_SP + 1];
};

/*
 * Reads a g or m. Returns how many of its bytes were read; the rest are zeros, as
 * read_user() leaves them when it fails. A page of Go's heap that was never written to is
 * not resident, and this code cannot wait for it: a young object whose last fields were
 * never set may reach into such a page. size is exactly what the layout needs, because
 * memory beyond may not be mapped at all. Sizes have 64 bits and indexes are masked because
 * of the verifier.
 */
static __always_inline __u64 object_read(__u64 object[OBJECT_WORDS], __u64 size, __u64 addr)
{
	const __u64 page = 4096; /* or a part of one */
	__u64 first = page - addr % page;

	if (size > OBJECT_WORDS * 8)
		return 0;
	if (!read_user(object, size, addr))
		return size;
	return first > OBJECT_WORDS * 8 || read_user(object, first, addr) ? 0 : first;
}

static __always_inline __u64 g_field(const struct goroutine_scratch *tmp, __u32 offset)
{
	return tmp->g[offset / 8 & (OBJECT_WORDS - 1)];
}

/* Every live g has gopc set, or lockedm if C made its thread. If a partial read shows
 * neither, the rest of the g exists but its page is not resident: report a fault. */
static __always_inline int g_read(const struct layout *l, struct goroutine_scratch *tmp,
				  __u64 g)
{
	__u64 size = (__u64)(l->g_labels ? l->g_labels : l->g_startpc) + 8;
	__u64 n = object_read(tmp->g, size, g);

	if (n >= size)
		return 0;
	return n <= l->g_goid || (g_field(tmp, l->g_goid) && !g_field(tmp, l->g_gopc) &&
				  !(l->g_lockedm && g_field(tmp, l->g_lockedm)));
}

static __always_inline int m_read(const struct layout *l, struct goroutine_scratch *tmp,
				  __u64 m)
{
	__u64 end = (__u64)l->m_curg + 8;

	if (m == tmp->m_addr)
		return 0;
	if (end < l->m_extra_in_c + 1)
		end = l->m_extra_in_c + 1;
	if (end < l->m_ncgo + 4)
		end = l->m_ncgo + 4;
	if (object_read(tmp->m, end - l->m_procid, m + l->m_procid) <=
	    l->m_curg - l->m_procid)
		return -1;
	tmp->m_addr = m;
	return 0;
}

/* Narrower fields are the low bits of the result. */
static __always_inline __u64 m_field(const struct layout *l,
				     const struct goroutine_scratch *tmp, __u32 offset)
{
	__u32 at = offset - l->m_procid;

	return tmp->m[at / 8 & (OBJECT_WORDS - 1)] >> (at & 7) * 8;
}

/*
 * Reads the slot. A program without C keeps it in m.tls, near the fields that are needed of
 * m, so one read gets both; a read of a few bytes costs as much as one of hundreds. In any
 * other program that read gets the slot and what is around it, and g tells that this is no
 * m.
 */
static __always_inline int slot_read(const struct layout *l, struct goroutine_scratch *tmp,
				     __u64 slot, __u64 *g)
{
	__u32 tls = l->m_curg - CURG_AFTER_TLS;

	if (m_read(l, tmp, slot - tls))
		return read_user(g, sizeof(*g), slot);
	*g = m_field(l, tmp, tls);
	return 0;
}

/* Fills *out from the goroutine in tmp->g. False, and *out is unchanged: it is not one. */
static __always_inline int goroutine_take(const struct layout *l,
					  const struct goroutine_scratch *tmp,
					  struct goroutine_state *out)
{
	__u64 goid = g_field(tmp, l->g_goid);

	if (!goid || tmp->g[G_STACK_LO] >= tmp->g[G_STACK_HI])
		return 0;
	out->goid = goid;
	out->startpc = g_field(tmp, l->g_startpc);
	out->gopc = g_field(tmp, l->g_gopc);
	if (l->g_parent_goid)
		out->parent_goid = g_field(tmp, l->g_parent_goid);
	/* g.sigpc is the field before these in every version */
	out->sigpc = g_field(tmp, (l->g_parent_goid ? l->g_parent_goid : l->g_gopc) - 8);
	if (l->g_labels)
		out->labels = g_field(tmp, l->g_labels);
	out->locked = l->g_lockedm && g_field(tmp, l->g_lockedm);
	return 1;
}

/* The thread is on g0 or gsignal and works for m.curg: reads that. Returns flags. */
static __always_inline __u32 curg_read(const struct layout *l,
				       struct goroutine_scratch *tmp, __u64 m, __u64 curg,
				       struct goroutine_state *out)
{
	if (g_read(l, tmp, curg))
		return SAMPLE_G_FAULT;
	/* the scheduler sets and clears m.curg and curg.m one after the other */
	if (!tmp->g[G_M])
		return 0;
	if (tmp->g[G_M] != m || !goroutine_take(l, tmp, out))
		return SAMPLE_G_FAULT;
	out->alt_lo = tmp->g[G_STACK_LO];
	out->alt_hi = tmp->g[G_STACK_HI];
	return 0;
}

/* tmp holds curg, which is waiting on its own stack for work on another: finds where it
 * resumes. */
static __always_inline void resume_find(const struct layout *l,
					const struct goroutine_scratch *tmp, __u32 flags,
					struct goroutine_state *out)
{
	__u64 sp = tmp->g[G_SCHED_SP];

	if (!l->g_schedbp || sp - out->alt_lo >= out->alt_hi - out->alt_lo)
		return;
	out->resume = RESUME_SCHED;
	out->resume_pc = tmp->g[G_SCHED_PC];
	out->resume_sp = sp;
	out->resume_fp = g_field(tmp, l->g_schedbp);
	/* asmcgocall saved it in g.sched, but Go code called back by C has overwritten
	 * it */
	if (flags & SAMPLE_CGO && (out->resume_fp < sp || !l->cgocall_frame))
		out->resume_fp = sp + l->cgocall_frame;
}

/* tmp holds the thread's curg: is it in a call of C? */
static __always_inline int is_cgo(const struct layout *l,
				  const struct goroutine_scratch *tmp)
{
	return g_field(tmp, l->g_syscallsp) && l->m_ncgo &&
	       (__s32)m_field(l, tmp, l->m_ncgo) > 0;
}

/* out holds the thread's curg: is it, or may it be, in a callback from C? */
static __always_inline int is_called_back(const struct layout *l,
					  const struct goroutine_scratch *tmp,
					  const struct goroutine_state *out)
{
	return out->goid &&
	       (!out->startpc || (l->m_ncgo && (__s32)m_field(l, tmp, l->m_ncgo) > 0));
}

/* The goroutine runs on its own stack: finds where it left the thread's. */
static __always_inline void g0_find(__u64 m, struct goroutine_scratch *tmp,
				    struct goroutine_state *out)
{
	__u64 g0;

	if (read_user(&g0, sizeof(g0), m) || read_user(tmp->g0, sizeof(tmp->g0), g0))
		return;
	out->g0_sp = tmp->g0[G_SCHED_SP];
	out->g0_hi = tmp->g0[G_STACK_HI];
}

/* The end of the thread's stack, by its m; 0: not known. */
static __always_inline __u64 g0_end(__u64 m)
{
	struct stack_bounds stack;
	__u64 g0;

	return read_user(&g0, sizeof(g0), m) || read_user(&stack, sizeof(stack), g0)
		       ? 0
		       : stack.hi;
}

/* The slot holds curg, which is in tmp. Returns flags. */
static __always_inline __u32 goroutine_on_thread(const struct layout *l,
						 struct goroutine_scratch *tmp,
						 struct goroutine_state *out)
{
	__u64 lo = tmp->g[G_STACK_LO], hi = tmp->g[G_STACK_HI];

	if (!goroutine_take(l, tmp, out))
		return SAMPLE_G_FAULT;
	out->lo = lo;
	out->hi = hi;
	if (is_called_back(l, tmp, out))
		g0_find(tmp->g[G_M], tmp, out);
	if (!is_cgo(l, tmp))
		return 0;
	/* when C calls back, the slot is set before SP */
	out->alt_lo = lo;
	out->alt_hi = hi;
	resume_find(l, tmp, SAMPLE_CGO, out);
	return SAMPLE_CGO_SOON;
}

/* Finds out what the thread with this g in its slot does. Returns flags. */
static __always_inline __u32 thread_read(const struct layout *l,
					 struct goroutine_scratch *tmp, __u64 g,
					 struct goroutine_state *out)
{
	__u64 m, curg, lo, hi, g0_sp;
	__u32 flags;

	if (g_read(l, tmp, g))
		return SAMPLE_G_FAULT;
	m = tmp->g[G_M];
	lo = tmp->g[G_STACK_LO];
	hi = tmp->g[G_STACK_HI];
	/* both bounds are 0 until a thread made by C has stored them in g0 */
	if (m_read(l, tmp, m) || (lo >= hi && hi))
		return SAMPLE_G_FAULT;
	out->procid = tmp->m[0];
	curg = m_field(l, tmp, l->m_curg);
	if (curg == g)
		return goroutine_on_thread(l, tmp, out);
	g0_sp = tmp->g[G_SCHED_SP];
	if (g == tmp->m[1])
		flags = SAMPLE_GSIGNAL;
	else if (!g_field(tmp, l->g_goid))
		flags = SAMPLE_G0;
	else
		return SAMPLE_G_FAULT; /* a goroutine, but not the one that its m runs */
	if (l->m_extra_in_c && (__u8)m_field(l, tmp, l->m_extra_in_c)) {
		if (flags == SAMPLE_G0)
			return SAMPLE_NO_G;
		curg = 0;
	}
	out->lo = lo;
	out->hi = hi;
	if (curg)
		flags |= curg_read(l, tmp, m, curg, out);
	if (out->goid && flags & SAMPLE_GSIGNAL && is_called_back(l, tmp, out))
		g0_find(m, tmp, out);
	if (!out->goid || !(flags & SAMPLE_G0))
		return flags;
	if (is_cgo(l, tmp))
		flags |= SAMPLE_CGO;
	if (is_called_back(l, tmp, out)) {
		out->g0_sp = g0_sp;
		out->g0_hi = hi;
	}
	resume_find(l, tmp, flags, out);
	return flags;
}

/*
 * nanotime1 and the like save their caller's PC and SP in m before they call the vDSO. They
 * call it on the thread's stack with the goroutine still in the slot. off_stack: SP is not
 * on the goroutine's stack.
 */
static __always_inline void vdso_find(const struct layout *l,
				      const struct goroutine_scratch *tmp, int off_stack,
				      struct goroutine_state *out)
{
	struct {
		__u64 sp, pc;
	} vdso;

	if (!l->m_vdsosp || read_user(&vdso, sizeof(vdso), tmp->g[G_M] + l->m_vdsosp) ||
	    !vdso.sp)
		return;
	out->flags |= SAMPLE_VDSO;
	/* the caller's frame pointer is saved 16 bytes below */
	if (!off_stack || vdso.sp - out->lo >= out->hi - out->lo ||
	    read_user(&out->resume_fp, sizeof(out->resume_fp), vdso.sp - 16))
		return;
	out->resume = RESUME_VDSO;
	out->resume_pc = vdso.pc;
	out->resume_sp = vdso.sp;
}

/* Fills all of *out; tmp needs no initial value. reg: the register for g, if there is
 * one. */
static __always_inline void goroutine_read(const struct layout *l, __u64 tp, __u64 reg,
					   struct goroutine_scratch *tmp,
					   struct goroutine_state *out)
{
	__u64 g = 0;

	__builtin_memset(out, 0, sizeof(*out));
	tmp->m_addr = 0;
	if (!l->ok)
		out->flags = SAMPLE_NO_LAYOUT;
	else if (l->g_in_register)
		g = reg;
	else if (!tp)
		out->flags = SAMPLE_STARTING;
	else if (slot_read(l, tmp, tp + l->tls_g, &g))
		out->flags = SAMPLE_G_FAULT;
	if (out->flags)
		return;
	out->flags = g ? thread_read(l, tmp, g, out) : SAMPLE_NO_G;
}

/*
 * As goroutine_read() if a signal handler has put gsignal into the slot: reads what the
 * thread did when the handler interrupted it at sp. The slot held the g whose stack sp is
 * on; or, in a call of the vDSO, the goroutine.
 */
static __always_inline void interrupted_read(const struct layout *l, __u64 tp, __u64 sp,
					     struct goroutine_scratch *tmp,
					     struct goroutine_state *out)
{
	struct stack_bounds stack;
	__u64 gsignal, m, g, curg, vdso_sp = 0;

	__builtin_memset(out, 0, sizeof(*out));
	tmp->m_addr = 0;
	out->flags = SAMPLE_G_FAULT;
	if (read_user(&gsignal, sizeof(gsignal), tp + l->tls_g) ||
	    read_user(&m, sizeof(m), gsignal + G_M * 8) ||
	    read_user(&g, sizeof(g), m /* g0 */) ||
	    read_user(&curg, sizeof(curg), m + l->m_curg))
		return;
	if (l->m_vdsosp && read_user(&vdso_sp, sizeof(vdso_sp), m + l->m_vdsosp))
		vdso_sp = 0;
	if (curg && !read_user(&stack, sizeof(stack), curg) &&
	    (sp - stack.lo < stack.hi - stack.lo ||
	     vdso_sp - stack.lo < stack.hi - stack.lo))
		g = curg;
	out->flags = thread_read(l, tmp, g, out);
}
