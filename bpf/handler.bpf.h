/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds what a signal handler has interrupted. Before a handler begins, the kernel saves
 * all registers in a struct rt_sigframe on the stack that the handler will run on. We
 * recognize that struct by its looks, so no frame of the handler has to be unwound first,
 * whether it is Go or C, at its first instruction or about to return. User space unwinds
 * the handler later, and must arrive at the same place.
 *
 * Part of sample.bpf.c, which has struct scratch.
 */
#pragma once

enum {
	/* Offsets in struct rt_sigframe on x86-64, from its ucontext, which is at SP when
	 * the handler has returned: of the pointer to the FPU's state, and of that
	 * state. */
	UC_FPU_AT = 224,
	UC_FPU = 448,
	/* Offset of a magic number in the FPU's state, followed by the state's size.
	 * Without XSAVE there is neither. */
	FPU_MAGIC_AT = 464,
	FPU_MAGIC = 0x46505853,
	FPU_ALIGN = 64,
	FPU_SIZE_OLD = 512,
	USER_CS = 0x33,
	HANDLER_PAGES = 8, /* pages to search */
	BEYOND = HANDLER_PAGES * WINDOW,
};

/* Is this the saved state of an FPU, and are the registers before it plausible? */
static __always_inline bool context_take(struct handler *h, __u64 fpu)
{
	__u64 magic, end = fpu + FPU_SIZE_OLD, sp;

	if (fpu - UC_FPU - h->sp >= h->hi - h->sp ||
	    read_user(&magic, sizeof(magic), fpu + FPU_MAGIC_AT))
		return false;
	if ((__u32)magic == FPU_MAGIC)
		end = fpu + (magic >> 32);
	if (read_user(h->context, sizeof(h->context), fpu - UC_FPU + UC_REGS) ||
	    (__u16)h->context[CONTEXT_CS] != USER_CS)
		return false;
	sp = h->context[CONTEXT_SP_AT];
	if (h->top) {
		/* a stack for signals: the first handler's frame is at its very end */
		if (h->hi - end >= FPU_ALIGN || sp - h->lo < h->hi - h->lo)
			return false;
	} else if (end <= fpu || sp < end || sp >= h->hi) {
		return false;
	}
	h->uc = fpu - UC_FPU;
	return true;
}

/* Searches a page, from its end on a stack for signals, else from its start. Not static for
 * the same reason as walk_window(). */
__attribute__((noinline)) int context_search(__u32 cpu, __u64 page)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 found = 0, at;

	if (!tmp || bpf_probe_read_user(tmp->window, WINDOW, (void *)page))
		return 0;
	for (__u32 i = 0; i < WINDOW / FPU_ALIGN; i++) {
		__u32 row = tmp->handler.top ? WINDOW / FPU_ALIGN - 1 - i : i;

		at = (row & (WINDOW / FPU_ALIGN - 1)) * FPU_ALIGN + UC_FPU_AT % FPU_ALIGN;
		/* nothing else holds an address so near to its own */
		if (*(__u64 *)(tmp->window + at) == page + at + UC_FPU - UC_FPU_AT &&
		    page + at - UC_FPU_AT >= tmp->handler.sp) {
			found = page + at + UC_FPU - UC_FPU_AT;
			break;
		}
	}
	return found && context_take(&tmp->handler, found);
}

/* Searches the stack in tmp->handler for the frame of a handler. */
__attribute__((noinline)) int context_find(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 page;

	if (!tmp)
		return 0;
	for (int i = 0; i < HANDLER_PAGES; i++) {
		if (tmp->handler.top) {
			page = ((tmp->handler.hi - 1) & -(__u64)WINDOW) - i * WINDOW;
			if (page + WINDOW <= tmp->handler.sp)
				break;
		} else {
			page = (tmp->handler.sp & -(__u64)WINDOW) + i * WINDOW;
			if (page >= tmp->handler.hi)
				break;
		}
		if (context_search(cpu, page))
			return 1;
	}
	return 0;
}

/* Sets lo and hi of tmp->handler to the stack that a handler would be on. *signal: it is a
 * stack for signals. False: no handler runs. */
static __always_inline bool handler_stack(struct scratch *tmp, const struct layout *l,
					  const struct goroutine_state *g, bool *signal)
{
	const struct sample *s = &tmp->sample;
	struct handler *h = &tmp->handler;
	bool off_stack = s->sp - g->lo >= g->hi - g->lo + G0_SLACK;
	struct stack_bounds stack = { g->lo, g->hi };
	__u64 vdso_sp;

	*signal = g->flags & SAMPLE_GSIGNAL;
	if (g->flags & SAMPLE_NO_G)
		*signal = !altstack_read(&stack.lo, &stack.hi) &&
			  s->sp - stack.lo < stack.hi - stack.lo;
	else if (off_stack && !*signal && g->procid)
		*signal = !read_user(&stack, sizeof(stack), tmp->go.m[1] /* gsignal */) &&
			  s->sp - stack.lo < stack.hi - stack.lo;
	if (*signal) {
		h->lo = stack.lo;
		h->hi = stack.hi;
		return true;
	}
	if (!g->procid || g->flags & (SAMPLE_NO_G | SAMPLE_CGO) || !l->text_len ||
	    s->ip - tmp->walk.text < l->text_len)
		return false; /* nearly all samples */
	if (s->ip - vdso_addr() < VDSO_MAX)
		return false;
	h->lo = g->lo;
	h->hi = g->hi;
	/* C does not check the end of a goroutine's small stack, and may be below it */
	if (!off_stack || (g->goid && g->lo - s->sp < BEYOND))
		return true;
	/* the handler interrupted the vDSO on the thread's stack */
	if (!l->m_vdsosp ||
	    read_user(&vdso_sp, sizeof(vdso_sp), tmp->go.g[G_M] + l->m_vdsosp) || !vdso_sp)
		return false;
	h->hi = g0_end(tmp->go.g[G_M]);
	return true;
}

/* Not inlined, because goroutine_read() already has the same code inlined. */
static __attribute__((noinline)) int goroutine_interrupted(const struct layout *l, __u64 tp,
							   __u64 sp,
							   struct goroutine_scratch *tmp,
							   struct goroutine_state *out)
{
	interrupted_read(l, tp, sp, tmp, out);
	return 0;
}

/* If a signal handler runs, makes the sample describe what it interrupted. */
static __always_inline void handler_find(struct scratch *tmp, __u32 cpu,
					 const struct layout *l, __u64 tp, __u64 *m_reg)
{
	struct goroutine_state *g = &tmp->state;
	struct handler *h = &tmp->handler;
	struct sample *s = &tmp->sample;
	bool signal, found;

	if (!handler_stack(tmp, l, g, &signal))
		return;
	h->sp = s->sp;
	h->top = signal;
	found = context_find(cpu);
	if (!found && signal) { /* gsignal is in the slot, but it has no stack of its own */
		h->top = 0;
		found = context_find(cpu);
	}
	if (!found && signal && !(g->flags & SAMPLE_NO_G)) {
		g->flags |= SAMPLE_GSIGNAL;
		g->flags &= ~(SAMPLE_G0 | SAMPLE_CGO);
		g->resume = RESUME_NONE;
		g->lo = h->lo;
		g->hi = h->hi;
	}
	if (!found)
		return;
	s->flags |= SAMPLE_HANDLER;
	s->handler_uc = h->uc;
	s->ip = h->context[CONTEXT_PC_AT];
	s->sp = h->context[CONTEXT_SP_AT];
	s->fp = h->context[CONTEXT_FP_AT];
	*m_reg = h->context[CONTEXT_M_AT];
	tmp->kept = h->context[CONTEXT_KEPT_AT];
	if (g->flags & SAMPLE_GSIGNAL)
		goroutine_interrupted(l, tp, s->sp, &tmp->go, g);
}

/* Appends the handler's registers and stack to pcs[]. Not static for the same reason as
 * walk_window(). */
__attribute__((noinline)) int handler_take(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 n, size;

	if (!tmp)
		return 0;
	n = sample_words(&tmp->sample);
	size = (tmp->sample.handler_uc - tmp->handler.sp) & ~7ull;
	barrier_var(n);
	barrier_var(size);
	if (n > MAX_WORDS + C_REGS + C_BYTES / 8 || size > HANDLER_BYTES)
		return 0;
	bpf_probe_read_kernel(&tmp->pcs[n], sizeof(tmp->registers), tmp->registers);
	if (!bpf_probe_read_user(&tmp->pcs[n + C_REGS], size, (void *)tmp->handler.sp))
		tmp->sample.n_handler_words = C_REGS + size / 8;
	return 0;
}
