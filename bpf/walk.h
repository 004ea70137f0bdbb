/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Following frame pointers through a copy of the stack. A part of sample.bpf.c, which has struct scratch. */
#ifndef BPF_WALK_H
#define BPF_WALK_H

/* Copies the stack from addr on into the window: as much as the stack has, at least `least`. */
static __always_inline bool window_load(struct scratch *tmp, __u64 addr, __u32 least)
{
	struct walk *w = &tmp->walk;
	__u64 left = addr - w->lo < w->hi - w->lo ? w->hi - addr : WINDOW;
	__u32 size = left < WINDOW ? (__u32)left & (WINDOW - 1) : WINDOW;

	w->base = addr;
	w->len = 0;
	if (!bpf_probe_read_user(tmp->window, size, (void *)addr))
		w->len = size;
	else if (!bpf_probe_read_user(tmp->window, least, (void *)addr))
		w->len = least; /* the window reached beyond what is mapped */
	return w->len >= least;
}

static __always_inline bool in_window(const struct walk *w, __u64 fp)
{
	return fp - w->base <= WINDOW - 16 && fp - w->base + 16 <= w->len;
}

/*
 * The frames whose {caller's frame pointer, return address} lie in one window. 1: the stack ends here.
 *
 * Not static, so the verifier looks at it once, by itself, and not again at every call. The state is
 * kept in map memory, where every value is unknown to the verifier: on the stack it would tell all
 * possible numbers of frames apart, and never come to an end.
 */
__attribute__((noinline)) int walk_window(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 fp, hi, base, last, off, next, ra, sigpc;
	struct walk *w;
	__u32 n;

	if (!tmp)
		return 1;
	w = &tmp->walk;
	fp = w->fp;
	hi = w->hi;
	sigpc = w->sigpc;
	n = w->n;
	if (fp & 7 || fp < w->lo || fp >= hi || hi - fp < 16)
		return 1;
	if (!in_window(w, fp) && !window_load(tmp, fp, 16)) {
		w->flags |= SAMPLE_STACK_FAULT;
		return 1;
	}
	base = w->base;
	last = w->len - 16;
	for (int i = 0; i < WINDOW / 16; i++) {
		off = fp - base;
		if (off > last || off > WINDOW - 16)
			break;
		next = *(__u64 *)(tmp->window + off);
		ra = *(__u64 *)(tmp->window + off + 8);
		if (!ra)
			goto end;
		barrier_var(n); /* else the check moves to where the verifier misses it */
		if (n >= LEAF_WORDS_OLD + MAX_USER_PCS) {
			w->flags |= SAMPLE_CUT;
			goto end;
		}
		tmp->pcs[n] = ra;
		n++;
		if (ra == sigpc)
			w->sigpanic = fp;
		if (next <= fp || next >= hi || next & 7) {
			w->left = next ? fp : 0;
			goto end;
		}
		fp = next;
	}
	w->fp = fp;
	w->n = n;
	return 0;
end:
	w->n = n;
	return 1;
}

/* A loop of loops: so the verifier goes through 2 × WINDOWS turns, and not through all of them. */
__attribute__((noinline)) int walk_windows(__u32 cpu)
{
	for (int i = 0; i < WINDOWS; i++)
		if (walk_window(cpu))
			return 1;
	return 0;
}

/*
 * Assembly may use the frame pointer for data. There is no chain to follow then, from here: user space
 * knows where the function keeps the caller's, and follows it in a copy of the stack. The frame of duffzero
 * and duffcopy begins 16 below sp.
 */
static __always_inline bool no_chain(const struct walk *w, __u64 sp, __u64 fp)
{
	return fp - (sp - 16) >= w->hi - (sp - 16);
}

static __always_inline void copy_stack(struct scratch *tmp)
{
	struct sample *s = &tmp->sample;
	__u64 left = tmp->walk.hi - s->sp;
	__u32 size = left < COPY_WORDS * 8 ? (__u32)left & (COPY_WORDS * 8 - 8)
					   : COPY_WORDS * 8;

	if (size > s->n_words * 8 && !bpf_probe_read_user(tmp->pcs, size, (void *)s->sp))
		tmp->walk.n = s->n_words = size / 8;
}

/* Words of the stack from addr on, at most max, into pcs. How many. */
static __always_inline __u32 words_add(struct scratch *tmp, __u64 addr, __u32 max)
{
	struct walk *w = &tmp->walk;
	__u32 size, at = w->n;

	if (!window_load(tmp, addr, 8))
		w->flags |= SAMPLE_STACK_FAULT;
	size = w->len < max * 8 ? w->len & ~7u : max * 8;
	barrier_var(at);
	barrier_var(size);
	if (at > MAX_USER_PCS || size > COPY_WORDS * 8)
		return 0;
	bpf_probe_read_kernel(&tmp->pcs[at], size, tmp->window);
	w->n = at + size / 8;
	return size / 8;
}

static __always_inline void pc_add(struct scratch *tmp, __u64 pc)
{
	__u32 at = tmp->walk.n;

	barrier_var(at);
	if (at < LEAF_WORDS_OLD + MAX_USER_PCS) {
		tmp->pcs[at] = pc;
		tmp->walk.n = at + 1;
	}
}

/* The whole chain from w->fp on. Not static, as above. */
__attribute__((noinline)) int walk_stack(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);

	if (!tmp)
		return 0;
	tmp->walk.left = 0;
	/* a window has at least one frame, so this is never what ends the walk */
	for (int i = 0; i < WINDOWS; i++)
		if (walk_windows(cpu))
			break;
	return 0;
}

/*
 * Go that was called back by C goes on above the frames of the Go that had called C, on the same stack, and
 * the frame pointer that cgocallback got is one of C. Behind its own 32 bytes stands where asmcgocall was, which has
 * kept the frame pointer of cgocall (Go 1.21) or has no frame. Which functions are on the stack is not known here, so
 * the chain is taken up wherever what stands there can be a frame pointer, behind a mark.
 */
__attribute__((noinline)) int walk_callbacks(__u32 cpu, __u32 cgocall_frame)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	struct walk *w;

	if (!tmp)
		return 0;
	w = &tmp->walk;
	for (int i = 0; i < CALLBACKS; i++) {
		__u64 sp = w->left + 56, fp = sp + cgocall_frame, ra, next;

		if (!w->left || w->left < w->lo || w->left >= w->hi ||
		    bpf_probe_read_user(&ra, sizeof(ra), (void *)sp) ||
		    bpf_probe_read_user(&next, sizeof(next), (void *)fp) || next <= fp ||
		    next >= w->hi || next & 7)
			break;
		pc_add(tmp, 0);
		if (cgocall_frame)
			pc_add(tmp, ra);
		w->fp = fp;
		walk_stack(cpu);
	}
	return 0;
}

/*
 * Frame pointers may lead off a stack: while copystack moves it, and up to Go 1.20 when it was moved while its goroutine
 * was on another one. From there on user space finds the way by pclntab, through a copy, behind a mark.
 */
static __always_inline void rest_add(struct scratch *tmp, __u64 addr)
{
	struct walk *w = &tmp->walk;
	__u64 size = w->hi - addr;
	__u32 at;

	pc_add(tmp, PC_WORDS);
	at = w->n;
	if (size > REST_WORDS * 8)
		size = REST_WORDS * 8;
	barrier_var(at);
	barrier_var(size);
	if (at <= MAX_USER_PCS && size <= REST_WORDS * 8 &&
	    !bpf_probe_read_user(&tmp->pcs[at], size, (void *)addr))
		w->n = at + size / 8;
}

/* Registers in struct rt_sigframe, from sigtramp's frame on, which lies below it; x86-64. */
enum { SIGFRAME_FP = 136, SIGFRAME_SP = 176 /* then PC */ };

/* A signal handler has interrupted the goroutine on its own stack. The handler's chain leads to sigtramp, whose
 * caller seems to be what was interrupted: the kernel has saved all registers behind that frame. Most often
 * sigtramp is about to begin, and to have its frame. */
static __always_inline void interrupted_find(struct scratch *tmp)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u64 frame = w->left, fp = s->fp;
	struct {
		__u64 sp, pc;
	} regs;

	if (!frame)
		frame = s->sp - 8;
	else if (read_user(&fp, sizeof(fp), frame))
		return;
	if (read_user(&s->resume_fp, sizeof(fp), frame + SIGFRAME_FP) ||
	    read_user(&regs, sizeof(regs), frame + SIGFRAME_SP) || fp != s->resume_fp ||
	    regs.sp - w->alt_lo >= w->alt_hi - w->alt_lo)
		return;
	s->resume = RESUME_SIGNAL;
	s->resume_pc = regs.pc;
	s->resume_sp = regs.sp;
}

/* The words at sp, then the chain from fp. */
static __always_inline void walk(struct scratch *tmp, __u32 cpu, const struct layout *l)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u32 words = l->old_prologue ? LEAF_WORDS_OLD : LEAF_WORDS;
	bool on_stack = s->sp - w->lo < w->hi - w->lo;

	if (!window_load(tmp, s->sp, 8))
		w->flags |= SAMPLE_STACK_FAULT;
	s->n_words = w->len / 8 < words ? w->len / 8 : words;
	if (words > LEAF_WORDS)
		bpf_probe_read_kernel(tmp->pcs, LEAF_WORDS_OLD * 8, tmp->window);
	else
		__builtin_memcpy(tmp->pcs, tmp->window, LEAF_WORDS * 8);
	w->n = s->n_words;
	if (on_stack && s->goid && !(s->flags & (SAMPLE_G0 | SAMPLE_GSIGNAL)) &&
	    no_chain(w, s->sp, s->fp)) {
		copy_stack(tmp);
		return;
	}
	if (s->resume == RESUME_VDSO)
		return;
	w->fp = s->fp;
	/* around that call, what is below SP is no return address */
	if (s->fp == s->sp - 16)
		bpf_probe_read_user(&w->fp, sizeof(w->fp), (void *)s->fp);
	walk_stack(cpu);
	if (s->flags & SAMPLE_GSIGNAL) {
		interrupted_find(tmp);
	} else if (w->left && s->goid && !(s->flags & SAMPLE_G0)) {
		walk_callbacks(cpu, l->cgocall_frame);
		if (w->left)
			rest_add(tmp, w->left + 16);
	}
}

/* The stack of the goroutine, from where it was left. */
static __always_inline void walk_resumed(struct scratch *tmp, __u32 cpu,
					 const struct layout *l)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u32 n, words = LEAF_WORDS;

	if (w->alt_lo < w->alt_hi) {
		w->lo = w->alt_lo;
		w->hi = w->alt_hi;
	}
	if (s->resume == RESUME_SIGNAL && no_chain(w, s->resume_sp, s->resume_fp))
		words = COPY_WORDS;
	else if (l->old_prologue)
		words = s->resume == RESUME_SIGNAL ? LEAF_WORDS_OLD : RESUME_WORDS_OLD;
	s->n_resume_words = words_add(tmp, s->resume_sp, words);
	w->fp = s->resume_fp;
	if (s->resume_fp == s->resume_sp - 16) /* as in walk() */
		bpf_probe_read_user(&w->fp, sizeof(w->fp), (void *)s->resume_fp);
	n = w->n;
	walk_stack(cpu);
	if (w->left)
		walk_callbacks(cpu, l->cgocall_frame);
	if (w->left)
		rest_add(tmp, w->left + 16);
	else if (w->n == n && s->resume == RESUME_SCHED)
		rest_add(tmp, s->resume_sp + 8);
	s->n_resume = w->n - s->n_words - s->n_user - s->n_resume_words;
}

#endif
