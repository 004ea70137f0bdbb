/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Follows frame pointers through a copy of the stack. Part of sample.bpf.c, which has
 * struct scratch.
 *
 * Go that calls C that calls back into Go, high addresses at the top:
 *
 *    the goroutine's stack                             the thread's stack (g0)
 *
 *    runtime.main
 *    main.main
 *    runtime.cgocall
 *    runtime.asmcgocall   -- leaves this stack -->     C function
 *      curg.sched.sp points here,                      C function that calls back
 *      w->left + 56                                    crosscall2
 *    32 bytes and a return PC,        <-- switches --  runtime.cgocallback
 *      made by cgocallback
 *    runtime.cgocallbackg
 *      w->left: its frame record; its return address is in cgocallback, and its
 *      frame pointer leads into the thread's stack, so the chain ends here
 *    main.calledByC
 *      SP
 *
 * walk_callbacks() resumes the chain at asmcgocall or, up to Go 1.20 where that has no
 * frame, at cgocall. C's frames come from a copy of the thread's stack, which user space
 * unwinds.
 */
#pragma once

/* Copies the stack from addr on into the window: up to its end, at least `least` bytes. */
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
		w->len = least; /* the window reached beyond mapped memory */
	return w->len >= least;
}

static __always_inline bool in_window(const struct walk *w, __u64 fp)
{
	return fp - w->base <= WINDOW - 16 && fp - w->base + 16 <= w->len;
}

/* Turns of a loop in one function. The verifier follows each of them, and its work is half
 * of what a short recording costs. */
enum { TURNS = 64, SEARCH_TURNS = 32 };

/*
 * Appends frames whose records, {caller's frame pointer, return address}, lie in one
 * window, at most TURNS of them. Returns 1 if the chain ends here.
 *
 * Not static, so that the verifier checks it once instead of at every call. The state is in
 * map memory, whose values the verifier does not track; on the stack it would explore every
 * possible number of frames and never finish.
 */
__attribute__((noinline)) int walk_window(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 fp, hi, base, last, off, next, ra, sigpc, prev;
	struct walk *w;
	__u32 n, end;

	if (!tmp)
		return 1;
	w = &tmp->walk;
	fp = w->fp;
	hi = w->hi;
	sigpc = w->sigpc;
	prev = w->prev;
	n = w->n;
	end = w->first + MAX_USER_PCS;
	if (fp & 7 || fp < w->lo || fp >= hi || hi - fp < 16)
		return 1;
	if (!in_window(w, fp) && !window_load(tmp, fp, 16)) {
		w->flags |= SAMPLE_STACK_FAULT;
		return 1;
	}
	base = w->base;
	last = w->len - 16;
	for (int i = 0; i < TURNS; i++) {
		off = fp - base;
		if (off > last || off > WINDOW - 16)
			break;
		next = *(__u64 *)(tmp->window + off);
		ra = *(__u64 *)(tmp->window + off + 8);
		if (ra - CHAIN_MARKS >= (1ull << CHAIN_PC_BITS) - CHAIN_MARKS) {
			/* not a record: what led here was data */
			w->left = ra ? prev : 0;
			goto end;
		}
		/* without this the compiler moves the check to where the verifier misses
		 * it */
		barrier_var(n);
		if (n >= end || n >= MAX_USER_WORDS) {
			w->flags |= SAMPLE_CUT;
			goto end;
		}
		if (ra == sigpc)
			w->sigpanic = fp;
		if (next - fp - 8 >= (CHAIN_NO_RECORD - 1) * 8 || next >= hi || next & 7) {
			tmp->pcs[n] = ra;
			n++;
			w->left = next ? fp : 0;
			goto end;
		}
		tmp->pcs[n] = ra | (next - fp) << (CHAIN_PC_BITS - 3);
		n++;
		prev = fp;
		fp = next;
	}
	w->fp = fp;
	w->prev = prev;
	w->n = n;
	return 0;
end:
	w->n = n;
	return 1;
}

/* Nested loops in functions of their own: the verifier checks 2 × WINDOWS turns, not
 * WINDOWS². */
__attribute__((noinline)) int walk_windows(__u32 cpu)
{
	for (int i = 0; i < WINDOWS; i++)
		if (walk_window(cpu))
			return 1;
	return 0;
}

/* Appends the rest of a long chain. Not static for the same reason. */
__attribute__((noinline)) int walk_far(__u32 cpu)
{
	/* each turn takes at least one frame, so this limit is never what ends the walk */
	for (int i = 0; i < WINDOWS; i++)
		if (walk_windows(cpu))
			break;
	return 0;
}

/* Appends the chain from w->fp on. Most chains end within one window and take one call. */
static __always_inline void walk_stack(struct scratch *tmp, __u32 cpu)
{
	tmp->walk.left = tmp->walk.prev = 0;
	if (!walk_window(cpu))
		walk_far(cpu);
}

/*
 * Does the frame pointer hold data, as it may in assembly? Then it points off the stack, or
 * into it but not at a record, and only pclntab knows where the function saved its
 * caller's. duffzero and duffcopy have their record 16 bytes below sp.
 */
static __always_inline bool holds_data(const struct layout *l, const struct walk *w,
				       __u64 pc, __u64 sp, __u64 fp)
{
	__u64 at = pc - w->text;

	if (fp - (sp - 16) >= w->hi - (sp - 16))
		return true;
	if (at - l->bp_data_all.start >= l->bp_data_all.len) /* nearly all samples */
		return false;
	for (int i = 0; i < BP_DATA_RANGES; i++)
		if (at - l->bp_data[i].start < l->bp_data[i].len)
			return true;
	return false;
}

/* Appends at most max words of the stack from addr on. Returns their number. */
static __always_inline __u32 words_add(struct scratch *tmp, __u64 addr, __u32 max)
{
	struct walk *w = &tmp->walk;
	__u32 size, at = w->n;

	if (!window_load(tmp, addr, 8))
		w->flags |= SAMPLE_STACK_FAULT;
	size = w->len < max * 8 ? w->len & ~7u : max * 8;
	barrier_var(at);
	barrier_var(size);
	if (at > MAX_USER_WORDS - WINDOW / 8 || size > WINDOW)
		return 0;
	bpf_probe_read_kernel(&tmp->pcs[at], size, tmp->window);
	w->n = at + size / 8;
	return size / 8;
}

/* As words_add() without the window, up to the end of the stack or COPY_WORDS. 0:
 * unreadable. */
static __always_inline __u32 stack_copy(struct scratch *tmp, __u64 addr)
{
	struct walk *w = &tmp->walk;
	__u64 size = w->hi - addr;
	__u32 at = w->n;

	if (size > COPY_WORDS * 8)
		size = COPY_WORDS * 8;
	size &= ~7ull;
	barrier_var(at);
	barrier_var(size);
	if (at > MAX_USER_WORDS - COPY_WORDS || size > COPY_WORDS * 8 ||
	    bpf_probe_read_user(&tmp->pcs[at], size, (void *)addr))
		return 0;
	w->n = at + size / 8;
	return size / 8;
}

static __always_inline void pc_add(struct scratch *tmp, __u64 pc)
{
	__u32 at = tmp->walk.n;

	barrier_var(at);
	if (at < MAX_USER_WORDS) {
		tmp->pcs[at] = pc;
		tmp->walk.n = at + 1;
	}
}

/* Searches SEARCH_TURNS words of the window for what looks like a frame record, and sets
 * w->fp to its address. Returns 1 if the search is over. Not static for the same reason as
 * walk_window(). */
__attribute__((noinline)) int record_search(__u32 cpu, __u32 from)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 next, ra, at;
	struct walk *w;

	if (!tmp || from > WINDOW / 8)
		return 1;
	w = &tmp->walk;
	for (int i = 0; i < SEARCH_TURNS; i++) {
		__u32 off = (from + i) * 8;

		if (off + 16 > w->len || off > WINDOW - 16)
			return 1;
		next = *(__u64 *)(tmp->window + off);
		ra = *(__u64 *)(tmp->window + off + 8);
		at = w->base + off;
		if (next > at && next < w->hi && !(next & 7) &&
		    ra - w->text < w->text_len) {
			w->fp = at;
			return 1;
		}
	}
	return 0;
}

/*
 * A copy of the stack ended at `end`, below the end of the stack. Finds something near the
 * end of the copy that looks like a frame record, and appends the chain from there. User
 * space unwinds through the copy by pclntab; when it reaches a record of this chain, it
 * continues with the chain. w->fp: the first record; 0: none.
 */
__attribute__((noinline)) int walk_beyond(__u32 cpu, __u64 end)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	struct walk *w;
	__u64 found;

	if (!tmp)
		return 0;
	w = &tmp->walk;
	w->fp = 0;
	if (end >= w->hi || !window_load(tmp, end - WINDOW / 2, 16))
		return 0;
	for (__u32 i = 0; i < WINDOW / 8 && !record_search(cpu, i); i += SEARCH_TURNS)
		;
	found = w->fp;
	if (found)
		walk_stack(tmp, cpu);
	w->fp = found;
	return 0;
}

/*
 * While the chain ends in cgocallback: appends a marker and the chain of the Go code that
 * called C, which is farther up on the same stack (see above).
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
		__u32 last = w->n - 1;

		barrier_var(last);
		if (last >= MAX_USER_WORDS || !w->left || w->left < w->lo ||
		    w->left >= w->hi ||
		    chain_pc(tmp->pcs[last]) - w->text - w->cgocallback.start >=
			    w->cgocallback.len ||
		    bpf_probe_read_user(&ra, sizeof(ra), (void *)sp) ||
		    bpf_probe_read_user(&next, sizeof(next), (void *)fp) || next <= fp ||
		    next >= w->hi || next & 7 || ra != chain_pc(ra))
			break;
		pc_add(tmp, CHAIN_CALLBACK);
		pc_add(tmp, fp);
		if (cgocall_frame)
			pc_add(tmp, ra | (__u64)CHAIN_NO_RECORD << CHAIN_PC_BITS);
		w->fp = fp;
		walk_stack(tmp, cpu);
	}
	return 0;
}

/*
 * The chain left the stack above addr: saved frame pointers can be stale, during copystack
 * and, before Go 1.21, if the stack was moved while its goroutine ran on another one; or a
 * callee saved data. Appends a copy of the stack from addr on, which user space unwinds by
 * pclntab.
 */
__attribute__((noinline)) int walk_rest(__u32 cpu, __u64 addr)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	struct walk *w;
	__u32 at, n;

	if (!tmp)
		return 0;
	w = &tmp->walk;
	at = w->n;
	barrier_var(at);
	if (at > MAX_USER_WORDS - COPY_WORDS - 4 || addr >= w->hi)
		return 0;
	w->n = at + 4;
	n = stack_copy(tmp, addr);
	if (!n) {
		w->n = at;
		return 0;
	}
	tmp->pcs[at] = CHAIN_WORDS;
	tmp->pcs[at + 1] = addr;
	tmp->pcs[at + 2] = n;
	walk_beyond(cpu, addr + (__u64)n * 8);
	tmp->pcs[at + 3] = w->fp;
	return 0;
}

/* Appends the chain from fp on. Returns the address of its first record. */
static __always_inline __u64 chain_add(struct scratch *tmp, __u32 cpu, __u64 sp, __u64 fp)
{
	struct walk *w = &tmp->walk;

	/* near a call of duffzero, the word above the saved frame pointer is not a return
	 * address */
	if (fp == sp - 16)
		bpf_probe_read_user(&fp, sizeof(fp), (void *)fp);
	w->fp = fp;
	w->first = w->n;
	walk_stack(tmp, cpu);
	return fp;
}

static __always_inline void walk_prepare(struct walk *w, const struct layout *l)
{
	w->text_len = l->text_len;
	w->cgocallback = l->cgocallback;
}

/* Appends the stack from sp on instead of the chain. Returns the number of words. *fp: the
 * first record of the chain beyond them, or 0. */
static __always_inline __u32 copy_add(struct scratch *tmp, __u32 cpu,
				      const struct layout *l, __u64 sp, __u64 *fp)
{
	struct walk *w = &tmp->walk;
	__u32 n = stack_copy(tmp, sp);

	*fp = 0;
	if (!n) {
		w->flags |= SAMPLE_STACK_FAULT;
		return 0;
	}
	w->first = w->n;
	walk_prepare(w, l);
	walk_beyond(cpu, sp + (__u64)n * 8);
	*fp = w->fp;
	return n;
}

/* Appends the words at sp, then the chain from fp. */
static __always_inline void walk(struct scratch *tmp, __u32 cpu, const struct layout *l)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u32 words = l->old_prologue ? LEAF_WORDS_OLD : LEAF_WORDS;
	bool goroutine = s->goid && !(s->flags & (SAMPLE_G0 | SAMPLE_GSIGNAL));

	if (goroutine && s->sp - w->lo < w->hi - w->lo &&
	    holds_data(l, w, s->ip, s->sp, s->fp)) {
		s->n_words = copy_add(tmp, cpu, l, s->sp, &s->chain_fp);
		return;
	}
	if (!window_load(tmp, s->sp, 8))
		w->flags |= SAMPLE_STACK_FAULT;
	s->n_words = w->len / 8 < words ? w->len / 8 : words;
	if (words > LEAF_WORDS)
		bpf_probe_read_kernel(tmp->pcs, LEAF_WORDS_OLD * 8, tmp->window);
	else
		__builtin_memcpy(tmp->pcs, tmp->window, LEAF_WORDS * 8);
	w->n = s->n_words;
	if (s->resume == RESUME_VDSO)
		return;
	s->chain_fp = chain_add(tmp, cpu, s->sp, s->fp);
	if (w->left && goroutine && s->resume != RESUME_SWITCHED) {
		walk_prepare(w, l);
		walk_callbacks(cpu, l->cgocall_frame);
		if (w->left)
			walk_rest(cpu, w->left + 16);
	}
}

/* Does addr look like a frame record? */
static __always_inline bool is_record(const struct walk *w, __u64 addr)
{
	struct {
		__u64 next, ra;
	} r;

	return !(addr & 7) && !read_user(&r, sizeof(r), addr) && r.next > addr &&
	       r.next < w->hi && !(r.next & 7) && r.ra - w->text < w->text_len;
}

/* Searches SP, and a frame record, of the goroutine's stack [lo, lo + size) where they may
 * be saved: in registers and from `from` on. */
static __always_inline void saved_find(struct scratch *tmp, __u64 from, __u64 lo,
				       __u64 size)
{
	struct sample *s = &tmp->sample;
	__u64 v;

	if (tmp->kept - lo < size)
		s->resume_sp = tmp->kept & ~7ull;
	if (s->fp - lo < size && is_record(&tmp->walk, s->fp))
		s->resume_fp = s->fp;
	read_user(tmp->window, SAVED_WORDS * 8, from);
	for (int i = 0; i < SAVED_WORDS; i++) {
		v = *(__u64 *)(tmp->window + i * 8);
		if (from + i * 8 < s->sp || v - lo >= size || v & 7)
			continue;
		if (v < s->resume_sp)
			s->resume_sp = v;
		if (v < s->resume_fp && is_record(&tmp->walk, v))
			s->resume_fp = v;
	}
}

/*
 * Assembly switched stacks. The goroutine's SP and frame pointer are still in registers, or
 * C saved them on the thread's stack, its first function at once. Sets resume_sp to the
 * goroutine's SP or not far below, and resume_fp to a frame record on its stack, or 0.
 *
 * Not static for the same reason as walk_window().
 */
__attribute__((noinline)) int left_find(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	__u64 lo, size, from;
	struct sample *s;

	if (!tmp)
		return 0;
	s = &tmp->sample;
	lo = tmp->walk.lo;
	size = tmp->walk.hi - lo;
	from = (s->g0_sp & ~15ull) - SAVED_WORDS * 8;
	s->resume_sp = s->resume_fp = ~0ull;
	tmp->walk.len = 0; /* the window no longer holds the goroutine's stack */
	if (s->g0_sp - s->sp <
	    STACK_SIZE_MAX) /* else SP is on a stack made by other code */
		saved_find(tmp, from, lo, size);
	if (s->resume_sp == ~0ull)
		s->resume_sp = size > COPY_WORDS * 8 ? lo + size - COPY_WORDS * 8 : lo;
	if (s->resume_fp == ~0ull || s->resume_fp < s->resume_sp)
		s->resume_fp = 0;
	return 0;
}

/* Appends the goroutine's stack from left_find()'s result on. Inlined, because old kernels
 * limit the depth of calls. */
static __always_inline void walk_switched(struct scratch *tmp, __u32 cpu,
					  __u32 cgocall_frame)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u64 end;
	__u32 n;

	left_find(cpu);
	s->n_resume_words = stack_copy(tmp, s->resume_sp);
	n = w->n;
	end = s->resume_sp + (__u64)s->n_resume_words * 8;
	if (s->resume_fp) {
		s->resume_chain_fp = chain_add(tmp, cpu, s->resume_sp, s->resume_fp);
		if (w->left)
			walk_callbacks(cpu, cgocall_frame);
	}
	if (!s->resume_fp || (w->left && w->left < end)) {
		w->first = w->n = n;
		walk_beyond(cpu, end);
		s->resume_chain_fp = w->fp;
	}
	s->n_resume = w->n - n;
}

/* Appends the goroutine's own stack from where it was left. */
static __always_inline void walk_resumed(struct scratch *tmp, __u32 cpu,
					 const struct layout *l)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	__u32 words = l->old_prologue ? RESUME_WORDS_OLD : LEAF_WORDS, before = w->n, n;

	if (w->alt_lo < w->alt_hi) {
		w->lo = w->alt_lo;
		w->hi = w->alt_hi;
	}
	if (s->resume == RESUME_SWITCHED) {
		walk_prepare(w, l);
		walk_switched(tmp, cpu, l->cgocall_frame);
		return;
	}
	s->n_resume_words = words_add(tmp, s->resume_sp, words);
	n = w->n;
	s->resume_chain_fp = chain_add(tmp, cpu, s->resume_sp, s->resume_fp);
	walk_prepare(w, l);
	if (w->left)
		walk_callbacks(cpu, l->cgocall_frame);
	if (w->left)
		walk_rest(cpu, w->left + 16);
	else if (w->n == n && s->resume == RESUME_SCHED)
		walk_rest(cpu, s->resume_sp + 8);
	s->n_resume = w->n - before - s->n_resume_words;
}
