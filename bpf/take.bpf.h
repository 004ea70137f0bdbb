/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes a thread's goroutine and stack once its registers are known. Part of sample.bpf.c,
 * and of tests/oracle/step.c, which samples a process while stepping through it.
 */
#pragma once

#include "bpf/sample.h"

enum {
	WINDOW = 4096, /* bytes of stack copied at a time */
	WINDOWS = 33,  /* two nested loops of this many turns cover MAX_USER_PCS frames */
	CALLBACKS = 4, /* from C into Go, on one stack */
	G0_SLACK = 512,
	SAVED_WORDS = 24, /* registers and return addresses that C's first functions save */
	MAX_WORDS = MAX_USER_WORDS + MAX_KERNEL_PCS + LABEL_BYTES / 8,
	SAMPLE_WORDS = MAX_WORDS + C_REGS + C_BYTES / 8 + C_REGS + HANDLER_BYTES / 8,
	STACK_SIZE_MAX = 16 << 20, /* size assumed for stacks whose bounds no g tells */
	/* Offset of the registers in struct ucontext on x86-64, and their order: r8 to r15,
	 * rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags, cs. */
	UC_REGS = 40,
	CONTEXT_KEPT_AT = 4,
	CONTEXT_FP_AT = 10,
	CONTEXT_M_AT = 11,
	CONTEXT_SP_AT = 15,
	CONTEXT_PC_AT = 16,
	CONTEXT_CS = 18,
};

#include "bpf/goruntime.bpf.h"
#include "bpf/golabels.bpf.h"

/* State of following frame pointers. [lo, hi) is the stack that fp is on, [alt_lo, alt_hi)
 * the goroutine's if that is another one. */
struct walk {
	__u64 fp, lo, hi, alt_lo, alt_hi;
	__u64 text;            /* address of Go's code in the process */
	__u64 sigpc, sigpanic; /* g.sigpc; frame record with that return address, or 0 */
	__u64 left;            /* the record that leads off the stack; 0: none */
	__u64 prev;            /* the record that led to fp; 0: none */
	__u64 base;            /* address of the window's first byte */
	__u32 len;             /* readable bytes in the window */
	__u32 n;               /* words of sample.pcs so far */
	/* n at the start of the chain, which has at most MAX_USER_PCS entries */
	__u32 first;
	__u32 flags;
	/* copied from the layout if a chain ends before the stack does */
	__u32 text_len;
	struct text_range cgocallback;
};

/* a signal handler and the stack it runs on */
struct handler {
	__u64 sp, lo, hi;
	__u64 uc; /* the kernel's struct ucontext */
	__u64 context[CONTEXT_CS + 1];
	__u32 top; /* it begins at the very end of the stack */
};

/* One row per CPU. Not a per-CPU map: those hold at most 32 KiB per value and are slower to
 * reach. Programs on perf events do not interrupt each other on one CPU. The fields that
 * every sample uses come first, in a page or two: at low rates caches and TLB are cold each
 * time, and cold misses are most of a sample's cost. */
struct scratch {
	struct walk walk;
	struct goroutine_scratch go;
	struct goroutine_state state; /* too big for the BPF stack */
	__u64 kept;                   /* struct user_regs.kept */
	__u64 unwoken;                /* bytes sent since the reader was last woken */
	__u8 window[WINDOW];
	struct sample sample;
	__u64 pcs[SAMPLE_WORDS]; /* sample.pcs */
	struct label_reader labels;
	__u64 registers[C_REGS];
	struct handler handler;
	struct call_key call_key;
	struct call_sum call_sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* as many as CPUs, set before load */
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#include "bpf/walk.bpf.h"
#include "bpf/handler.bpf.h"

/* Properties of a goroutine that are not in the sample. */
struct extras {
	__u64 labels; /* address of its labels, or 0 */
	__u64 c_end;  /* end of the thread's stack if C may have frames there; 0: unknown */
};

/*
 * The goroutine has left its stack without saving where. It continues on the thread's stack
 * at the point where g0 left that, so C's frames end there.
 */
static __always_inline void switched_find(struct scratch *tmp, struct goroutine_state *g,
					  struct extras *extras)
{
	bool called_back = g->g0_sp;

	g->resume = RESUME_SWITCHED;
	g0_find(tmp->go.g[G_M], &tmp->go, g);
	extras->c_end = called_back ? g->g0_hi : g->g0_sp + 16;
}

/* Did the runtime itself call C on the thread's stack, to start a thread for example? */
static __always_inline bool runtime_in_c(const struct sample *s, const struct walk *w,
					 const struct layout *l)
{
	return (s->flags & (SAMPLE_G0 | SAMPLE_CGO)) == SAMPLE_G0 && l->text_len &&
	       s->ip - w->text >= l->text_len && s->resume != RESUME_VDSO &&
	       s->ip - vdso_addr() >= VDSO_MAX;
}

static __always_inline void goroutine_fill(struct scratch *tmp, __u32 cpu, __u64 tp,
					   __u64 g_reg, __u64 m_reg,
					   const struct executable *exe, __u64 start_code,
					   struct extras *extras)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	struct goroutine_state *g = &tmp->state;
	bool off_stack;

	if (exe->state == EXE_UNKNOWN) {
		s->flags |= SAMPLE_STARTING;
		return;
	}
	if (exe->state == EXE_NOT_GO) {
		s->flags |= SAMPLE_NO_G;
		return;
	}
	w->text = exe->layout.text + (exe->one_image ? 0 : start_code);
	goroutine_read(&exe->layout, tp, g_reg, &tmp->go, g);
	if (want_user)
		handler_find(tmp, cpu, &exe->layout, tp, &m_reg);
	w->lo = s->sp;
	w->hi = s->sp + STACK_SIZE_MAX;
	if (g->goid && g->procid != s->tid &&
	    g->procid != namespaced_tid((void *)bpf_get_current_task())) {
		/* another thread's m, as in a forked child: better none than a wrong one */
		g->flags |= SAMPLE_G_FAULT;
		g->goid = 0;
	}
	if (g->flags & SAMPLE_G_FAULT)
		count(COUNT_G_FAULT);
	if (g->goid) {
		s->goid = g->goid;
		s->parent_goid = g->parent_goid;
		s->startpc = g->startpc;
		s->gopc = g->gopc;
		s->flags |= g->locked ? SAMPLE_LOCKED : 0;
	}
	/* it has not left its stack yet, or is back on it: nothing to resume */
	if (g->flags & SAMPLE_CGO_SOON && g->resume == RESUME_SCHED &&
	    s->sp - g->lo < g->hi - g->lo)
		g->resume = RESUME_NONE;
	off_stack = s->sp - g->lo >= g->hi - g->lo + G0_SLACK;
	if (!(g->flags & SAMPLE_GSIGNAL) && g->procid &&
	    (off_stack || m_reg == tmp->go.g[G_M]))
		vdso_find(&exe->layout, &tmp->go,
			  off_stack && g->goid && !(g->flags & SAMPLE_G0), g);
	if (off_stack && g->goid && g->resume == RESUME_NONE &&
	    !(g->flags & (SAMPLE_G0 | SAMPLE_GSIGNAL | SAMPLE_CGO_SOON)))
		switched_find(tmp, g, extras);
	s->flags |= g->flags;
	if (g->goid) {
		s->resume = g->resume;
		s->resume_pc = g->resume_pc;
		s->resume_sp = g->resume_sp;
		s->resume_fp = g->resume_fp;
	}
	if (g->lo < g->hi) {
		w->lo = g->lo;
		w->hi = g->hi;
		/* if C made the thread, g0's end is the address of a local of mstart0 */
		if (g->flags & SAMPLE_G0)
			w->hi += G0_SLACK;
		w->alt_lo = g->alt_lo;
		w->alt_hi = g->alt_hi;
	}
	w->sigpc = g->goid ? g->sigpc : 0;
	extras->labels = g->goid ? g->labels : 0;
	if (g->g0_sp) {
		s->c_sp = s->g0_sp = g->g0_sp;
		/* C made the thread: up to Go 1.21 its stack bounds are a guess */
		if (g->resume != RESUME_SWITCHED || !g->startpc)
			extras->c_end = g->startpc ? g->g0_hi : 0;
	}
	if (s->flags & SAMPLE_NO_G || s->resume == RESUME_VDSO ||
	    s->resume == RESUME_SWITCHED ||
	    (s->flags & SAMPLE_CGO && s->sp - g->alt_lo >= g->alt_hi - g->alt_lo))
		s->c_sp = s->sp;
	if (runtime_in_c(s, w, &exe->layout)) {
		s->c_sp = s->sp;
		extras->c_end = g->hi + G0_SLACK;
	}
}

/* Fills tmp->sample with the goroutine of the thread whose registers are in it and whose
 * thread pointer is tp. start_code: of its process. */
static __always_inline void sample_goroutine(struct scratch *tmp, __u32 cpu, __u64 tp,
					     __u64 g_reg, __u64 m_reg,
					     const struct executable *exe, __u64 start_code,
					     struct extras *extras)
{
	__builtin_memset(&tmp->walk, 0, sizeof(tmp->walk));
	tmp->walk.lo = tmp->sample.sp;
	tmp->walk.hi = tmp->sample.sp + STACK_SIZE_MAX;
	goroutine_fill(tmp, cpu, tp, g_reg, m_reg, exe, start_code, extras);
}

/* After sample_goroutine(): adds the stack. */
static __always_inline void stack_take(struct scratch *tmp, __u32 cpu,
				       const struct executable *exe)
{
	struct sample *s = &tmp->sample;

	if (s->ip)
		walk(tmp, cpu, &exe->layout);
	s->n_user = tmp->walk.n - s->n_words;
	if (s->resume)
		walk_resumed(tmp, cpu, &exe->layout);
	s->sigpanic_fp = tmp->walk.sigpanic;
	if (s->sigpanic_fp)
		read_user(&s->above_sigpanic, sizeof(s->above_sigpanic),
			  s->sigpanic_fp + 16);
	s->flags |= tmp->walk.flags;
	if (s->flags & SAMPLE_STACK_FAULT)
		count(COUNT_STACK_FAULT);
}

static __always_inline struct label_reader *label_reader(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);

	return tmp ? &tmp->labels : 0;
}

/* Appends the labels to pcs[]. Not static for the same reason as walk_window(). */
__attribute__((noinline)) int labels_take(__u32 cpu, __u64 labels, __u32 list)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 n, size;

	if (!tmp)
		return 0;
	labels_read(cpu, labels, list);
	if (tmp->labels.left)
		tmp->sample.flags |= SAMPLE_LABELS_CUT;
	n = sample_words(&tmp->sample);
	size = ((__u64)tmp->labels.len + 7) & ~7ull;
	barrier_var(n);
	barrier_var(size);
	if (n > MAX_USER_WORDS + MAX_KERNEL_PCS || size > LABEL_BYTES)
		return 0;
	bpf_probe_read_kernel(&tmp->pcs[n], size, tmp->labels.bytes);
	tmp->sample.n_label_bytes = tmp->labels.len;
	return 0;
}

/* Stores the registers by DWARF number. */
static __always_inline void context_copy(__u64 *to, const __u64 *context)
{
	to[0] = context[13];
	to[1] = context[12];
	to[2] = context[14];
	to[3] = context[11];
	to[4] = context[9];
	to[5] = context[8];
	to[6] = context[10];
	to[7] = context[15];
	for (int i = 8; i < 16; i++)
		to[i] = context[i - 8];
	to[16] = context[16];
}

/* Copies as much of [from, from + max) as can be read, because the bounds of a stack made
 * by C are unknown. Single pages would take too many reads: first the rest of from's page,
 * then halving sizes. */
static __always_inline void pages_take(struct scratch *tmp, __u32 at, __u64 from, __u64 max)
{
	__u64 len = (PAGE - (from & (PAGE - 1))) & ~7ull, more;

	if (len > PAGE || len > max || at > MAX_WORDS + C_REGS ||
	    bpf_probe_read_user(&tmp->pcs[at], len, (void *)from))
		return;
	for (more = C_BYTES / 2; more >= PAGE; more /= 2) {
		barrier_var(len);
		if (len > C_BYTES - more)
			continue;
		if (!bpf_probe_read_user((void *)&tmp->pcs[at] + len, more,
					 (void *)from + len))
			len += more;
	}
	tmp->sample.n_c_words = C_REGS + len / 8;
}

/*
 * Appends registers and the thread's stack to pcs[] if C or the vDSO runs or has called.
 * Not static for the same reason as walk_window().
 */
__attribute__((noinline)) int c_stack_take(__u32 cpu, __u64 end)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 n, from, size = C_BYTES;

	if (!tmp)
		return 0;
	n = sample_words(&tmp->sample);
	barrier_var(n);
	if (n > MAX_WORDS)
		return 0;
	from = tmp->sample.c_sp;
	/* little for the vDSO, unless a handler has interrupted it */
	if (tmp->sample.resume == RESUME_VDSO && !tmp->sample.g0_sp &&
	    !(tmp->sample.flags & SAMPLE_HANDLER))
		size = C_BYTES_VDSO;
	else if (end - from < C_BYTES)
		size = (end - from) & ~7ull;
	if (tmp->sample.flags & SAMPLE_HANDLER)
		context_copy(&tmp->pcs[n], tmp->handler.context);
	else
		bpf_probe_read_kernel(&tmp->pcs[n], sizeof(tmp->registers), tmp->registers);
	if (size > C_BYTES)
		return 0;
	barrier_var(size);
	if (size <= C_BYTES &&
	    !bpf_probe_read_user(&tmp->pcs[n + C_REGS], size, (void *)from))
		tmp->sample.n_c_words = C_REGS + size / 8;
	else
		pages_take(tmp, n + C_REGS, from, size);
	return 0;
}
