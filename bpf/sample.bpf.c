// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel side: runs at each tick of a perf event on each CPU.
 *
 * A sample of a process that nobody follows ends after one hash lookup. For the others:
 * process_check() notices exec, new code and new processes and tells user space; goroutine_read()
 * goes from the thread pointer to the goroutine; walk() follows the frame pointers through
 * a copy of the stack, a window of 4 KiB at a time, since one read a frame costs five times as much;
 * what is found goes to the CPU's ring buffer in one piece of variable length, without a wake-up.
 *
 * The sampler has two versions: for kernels with bpf_task_pt_regs() (5.15), which also read through BTF
 * pointers (5.11), and for older ones. User space loads one.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "bpf/arch.h"
#include "bpf/pidns.h"
#include "bpf/sample.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
	WINDOW = 4096, /* bytes of stack copied at a time, or what it has */
	WINDOWS = 33,  /* its square is more than MAX_USER_PCS */
	CALLBACKS = 4, /* from C into Go, on one stack */
	G0_SLACK = 512,
	MAX_PCS = LEAF_WORDS_OLD + MAX_USER_PCS, /* words and return addresses */
	STACK_MAX = 16 << 20, /* of threads whose stack bounds no g tells */
};

/* Set before load. */
const volatile bool follow_all = false; /* -a: look at every process that is sampled */
const volatile bool want_user = true, want_kernel = true;

#include "bpf/goruntime.h"

/* Following frame pointers: [lo, hi) is the stack that fp is on, alt_* that of the goroutine when it
 * is another. */
struct walk {
	__u64 fp, lo, hi, alt_lo, alt_hi;
	__u64 left; /* the frame whose caller's is not on the stack; 0: none */
	__u64 base; /* address of the window's first byte */
	__u32 len;  /* readable bytes in the window */
	__u32 n;    /* words of sample.pcs so far */
	__u32 flags;
	__u32 pad;
};

/* One row per CPU: a per-CPU value may hold no more than 32 KiB and is slower to reach. Programs on
 * perf events do not interrupt each other on one CPU. What every sample uses stands together, in a page
 * or two: at low rates, caches and TLB are cold each time, and that is what a sample costs. */
struct scratch {
	struct walk walk;
	struct goroutine_scratch go;
	__u8 window[WINDOW];
	struct sample sample;
	__u64 pcs[MAX_PCS + MAX_KERNEL_PCS]; /* sample.pcs */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* as many as CPUs, set before load */
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
};

struct ring control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* as many as CPUs; filled after load */
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64); /* as many as are asked for, set before load */
	__type(key, __u32);      /* tgid */
	__type(value, struct process_entry);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct exe_key);
	__type(value, struct executable);
} executables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &which);

	if (n)
		*n += 1;
}

/* What we ask of the current task. */
struct task {
	__u32 tgid, tid;
	__u64 mm, exec_vm, tp; /* mm 0: of the kernel, or about to end */
	struct user_regs regs; /* on entry to the kernel; only valid in kernel mode */
};

static __always_inline void task_read(struct task *t, bool modern, bool in_kernel)
{
	if (modern) {
		struct task_struct *task = bpf_get_current_task_btf();

		t->mm = (__u64)task->mm;
		t->exec_vm = task->mm->exec_vm;
		t->tp = THREAD_POINTER(task);
		if (in_kernel) {
			struct pt_regs *regs =
				(struct pt_regs *)bpf_task_pt_regs((void *)task);

			t->regs.ip = REGS_IP(regs);
			t->regs.sp = REGS_SP(regs);
			t->regs.fp = REGS_FP(regs);
		}
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();

		t->mm = (__u64)BPF_CORE_READ(task, mm);
		t->exec_vm = BPF_CORE_READ(task, mm, exec_vm);
		t->tp = THREAD_POINTER_CORE(task);
		if (in_kernel) {
			struct pt_regs *regs = BPF_CORE_READ(task, stack) +
					       KERNEL_STACK_SIZE -
					       bpf_core_type_size(struct pt_regs);

			bpf_core_read(&t->regs.ip, 8, &REGS_IP(regs));
			bpf_core_read(&t->regs.sp, 8, &REGS_SP(regs));
			bpf_core_read(&t->regs.fp, 8, &REGS_FP(regs));
		}
	}
}

static __always_inline void exe_read(struct exe_key *key, struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	__builtin_memset(key, 0, sizeof(*key));
	if (!inode)
		return;
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->size = BPF_CORE_READ(inode, i_size);
	key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key->generation = BPF_CORE_READ(inode, i_generation);
}

/* Tells user space, at once, that this image wants to be looked at. */
static __always_inline bool image_tell(struct process_entry *p, __u32 tgid)
{
	struct image_record r = { .type = RECORD_IMAGE,
				  .tgid = tgid,
				  .image = p->image,
				  .exe = p->exe,
				  .left_out = p->left_out,
				  .executable = p->executable.state,
				  .given = p->flags & PROCESS_GIVEN };

	bpf_get_current_comm(r.comm, sizeof(r.comm));
	if (bpf_ringbuf_output(&control, &r, sizeof(r), BPF_RB_FORCE_WAKEUP))
		return false;
	p->left_out = 0;
	return true;
}

static __always_inline image_id image_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_time) +
	       BPF_CORE_READ(task, self_exec_id);
}

/* The address space is not the one that was there before: is the program? */
static __always_inline void image_check(struct process_entry *p)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	image_id image = image_of(task);

	if (p->image == image)
		return;
	if (p->image)
		p->flags &= ~PROCESS_GIVEN;
	p->image = image;
	p->exec_vm = 0;
	exe_read(&p->exe, task);
	if (!(p->flags & PROCESS_GIVEN))
		p->executable.state = EXE_UNKNOWN;
	else if (p->executable.state == EXE_GO && !p->executable.own)
		bpf_map_update_elem(&executables, &p->exe, &p->executable, BPF_ANY);
}

/* Keeps the row of the current process true. False: the sample is none of ours. */
static __always_inline bool process_check(struct process_entry *p, __u32 tgid, __u64 mm,
					  __u64 exec_vm)
{
	if (mm && p->mm != mm) {
		image_check(p);
		p->mm = mm;
	}
	if (p->executable.state == EXE_UNKNOWN) {
		const struct executable *known = bpf_map_lookup_elem(&executables, &p->exe);

		if (known) {
			p->executable.layout = known->layout;
			barrier(); /* another CPU may read it now */
			p->executable.state = known->state;
		}
	}
	if (p->executable.state == EXE_NOT_GO && !(p->flags & PROCESS_WANTED)) {
		__sync_fetch_and_add(&p->left_out, 1);
		return false;
	}
	if (mm && p->exec_vm != exec_vm && image_tell(p, tgid))
		p->exec_vm = exec_vm;
	return true;
}

/* A process that nobody has looked at. */
static __always_inline struct process_entry *process_add(__u32 tgid, __u64 mm)
{
	/* not 0, which says that user space has given the row */
	struct process_entry fresh = { .image = 1 };

	if (!mm) /* kernel threads have no code of their own */
		return 0;
	if (bpf_map_update_elem(&processes, &tgid, &fresh, BPF_NOEXIST)) {
		count(COUNT_TABLE_FULL);
		return 0;
	}
	return bpf_map_lookup_elem(&processes, &tgid);
}

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
	__u64 fp, hi, base, last, off, next, ra;
	struct walk *w;
	__u32 n;

	if (!tmp)
		return 1;
	w = &tmp->walk;
	fp = w->fp;
	hi = w->hi;
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
		if (n >= MAX_PCS) {
			w->flags |= SAMPLE_CUT;
			goto end;
		}
		tmp->pcs[n] = ra;
		n++;
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
 * knows where the function keeps the caller's, and follows it in a copy of the stack.
 */
static __always_inline void copy_stack(struct scratch *tmp)
{
	struct sample *s = &tmp->sample;
	__u64 left = tmp->walk.hi - s->sp;
	__u32 size = left < COPY_WORDS * 8 ? (__u32)left & (COPY_WORDS * 8 - 8)
					   : COPY_WORDS * 8;

	if (size > LEAF_WORDS_OLD * 8 &&
	    !bpf_probe_read_user(tmp->pcs, size, (void *)s->sp))
		tmp->walk.n = s->n_words = size / 8;
}

/* Words of the stack from addr on, at most LEAF_WORDS, into pcs. How many. */
static __always_inline __u32 words_add(struct scratch *tmp, __u64 addr)
{
	struct walk *w = &tmp->walk;
	__u32 n;

	if (!window_load(tmp, addr, 8)) {
		w->flags |= SAMPLE_STACK_FAULT;
		return 0;
	}
	for (n = 0; n < LEAF_WORDS && n < w->len / 8; n++) {
		__u32 at = w->n;

		barrier_var(at);
		if (at >= MAX_PCS)
			break;
		tmp->pcs[at] = *(__u64 *)(tmp->window + n * 8);
		w->n = at + 1;
	}
	return n;
}

static __always_inline void pc_add(struct scratch *tmp, __u64 pc)
{
	__u32 at = tmp->walk.n;

	barrier_var(at);
	if (at < MAX_PCS) {
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
 * the frame pointer that cgocallback got is one of C. It has kept that of its caller, behind its own 32
 * bytes (Go 1.21). Which functions are on the stack is not known here, so the chain is taken up wherever
 * what stands there can be a frame pointer, behind a mark.
 */
__attribute__((noinline)) int walk_callbacks(__u32 cpu)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &cpu);
	struct {
		__u64 switched, fp, ra;
	} kept;
	struct walk *w;

	if (!tmp)
		return 0;
	w = &tmp->walk;
	for (int i = 0; i < CALLBACKS; i++) {
		__u64 left = w->left;

		if (!left || left < w->lo || left >= w->hi ||
		    bpf_probe_read_user(&kept, sizeof(kept), (void *)(left + 48)) ||
		    kept.fp <= left || kept.fp >= w->hi || kept.fp & 7)
			break;
		pc_add(tmp, 0);
		pc_add(tmp, kept.switched);
		pc_add(tmp, kept.ra);
		w->fp = kept.fp;
		walk_stack(cpu);
	}
	return 0;
}

/* The words at sp, then the chain from fp. */
static __always_inline void walk(struct scratch *tmp, __u32 cpu, __u32 words)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	bool on_stack = s->sp - w->lo < w->hi - w->lo;

	if (!window_load(tmp, s->sp, 8))
		w->flags |= SAMPLE_STACK_FAULT;
	s->n_words = w->len / 8 < words ? w->len / 8 : words;
	if (words > LEAF_WORDS)
		__builtin_memcpy(tmp->pcs, tmp->window, LEAF_WORDS_OLD * 8);
	else
		__builtin_memcpy(tmp->pcs, tmp->window, LEAF_WORDS * 8);
	w->n = s->n_words;
	/* from 16 below sp: the frame of duffzero and duffcopy */
	if (on_stack && s->goid && !(s->flags & SAMPLE_G0) &&
	    s->fp - (s->sp - 16) >= w->hi - (s->sp - 16)) {
		copy_stack(tmp);
		return;
	}
	if (s->resume == RESUME_VDSO)
		return;
	w->fp = s->fp;
	walk_stack(cpu);
	if (w->left && s->goid && !(s->flags & SAMPLE_G0))
		walk_callbacks(cpu);
}

/* The stack of the goroutine, from where it was left. */
static __always_inline void walk_resumed(struct scratch *tmp, __u32 cpu)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;

	if (w->alt_lo < w->alt_hi) {
		w->lo = w->alt_lo;
		w->hi = w->alt_hi;
	}
	s->n_resume_words = words_add(tmp, s->resume_sp);
	w->fp = s->resume_fp;
	walk_stack(cpu);
	if (w->left)
		walk_callbacks(cpu);
	s->n_resume = w->n - s->n_words - s->n_user - s->n_resume_words;
}

static __always_inline void goroutine_fill(struct scratch *tmp, const struct task *t,
					   const struct executable *exe)
{
	struct sample *s = &tmp->sample;
	struct walk *w = &tmp->walk;
	struct goroutine_state g = {};

	if (exe->state == EXE_UNKNOWN) {
		s->flags |= SAMPLE_STARTING;
		return;
	}
	if (exe->state == EXE_NOT_GO) {
		s->flags |= SAMPLE_NO_G;
		return;
	}
	goroutine_read(&exe->layout, t->tp, &tmp->go, &g);
	s->flags |= g.flags;
	if (g.goid && g.procid != t->tid &&
	    g.procid != namespaced_tid((void *)bpf_get_current_task())) {
		/* somebody else's m, as in a forked child: no goroutine rather than a wrong one */
		s->flags |= SAMPLE_G_FAULT;
		g.goid = 0;
	}
	if (s->flags & SAMPLE_G_FAULT)
		count(COUNT_G_FAULT);
	if (g.goid) {
		s->goid = g.goid;
		s->parent_goid = g.parent_goid;
		s->startpc = g.startpc;
		s->gopc = g.gopc;
	}
	if (g.goid && !(g.flags & (SAMPLE_G0 | SAMPLE_GSIGNAL)) &&
	    s->sp - g.lo >= g.hi - g.lo)
		vdso_find(&exe->layout, &tmp->go, &g);
	if (g.goid) {
		s->resume = g.resume;
		s->resume_pc = g.resume_pc;
		s->resume_sp = g.resume_sp;
		s->resume_fp = g.resume_fp;
	}
	if (g.lo < g.hi) {
		w->lo = g.lo;
		w->hi = g.hi;
		/* on threads of C, g0 takes the address of a variable of mstart0 for the end */
		if (g.flags & SAMPLE_G0)
			w->hi += G0_SLACK;
		w->alt_lo = g.alt_lo;
		w->alt_hi = g.alt_hi;
	}
}

static __always_inline void sample_send(struct sample *s)
{
	__u64 n = sample_user_pcs(s) + s->n_kernel;
	void *ring = bpf_map_lookup_elem(&rings, &s->cpu);

	if (!ring || n > MAX_PCS + MAX_KERNEL_PCS)
		return;
	if (bpf_ringbuf_output(ring, s, sizeof(*s) + n * 8, BPF_RB_NO_WAKEUP))
		count(COUNT_RING_FULL);
}

static __always_inline void kernel_stack(void *ctx, struct scratch *tmp)
{
	__u32 n = sample_user_pcs(&tmp->sample);
	long size;

	if (n > MAX_PCS)
		return;
	size = bpf_get_stack(ctx, &tmp->pcs[n], MAX_KERNEL_PCS * 8, 0);
	if (size > 0)
		tmp->sample.n_kernel = size / 8;
}

static __always_inline int sample_take(struct perf_context *ctx, bool modern)
{
	/* read before anything else, each as one word: the verifier allows no other way */
	volatile __u64 ip = CONTEXT_IP(ctx), sp = CONTEXT_SP(ctx), fp = CONTEXT_FP(ctx);
	bool in_kernel = (__s64)ip < 0;
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 id = bpf_get_current_pid_tgid();
	struct process_entry *p;
	struct task t = {};
	struct scratch *tmp;
	struct sample *s;

	if (!(__u32)id) /* the idle task */
		return 0;
	t.tgid = id >> 32;
	t.tid = (__u32)id;
	if (our_pidns) {
		t.tgid = tgid_of((void *)bpf_get_current_task());
		t.tid = tid_of((void *)bpf_get_current_task());
		if (!t.tgid)
			return 0;
	}
	p = bpf_map_lookup_elem(&processes, &t.tgid);
	if (!p && !follow_all) /* most samples of a busy machine end here */
		return 0;
	task_read(&t, modern, in_kernel);
	if (!p)
		p = process_add(t.tgid, t.mm);
	if (!p || !process_check(p, t.tgid, t.mm, t.exec_vm))
		return 0;
	tmp = bpf_map_lookup_elem(&scratches, &cpu);
	if (!tmp)
		return 0;
	s = &tmp->sample;
	__builtin_memset(s, 0, sizeof(*s));
	s->type = RECORD_SAMPLE;
	s->tgid = t.tgid;
	s->tid = t.tid;
	s->cpu = cpu;
	s->time_ns = bpf_ktime_get_ns();
	s->image = p->image;
	s->flags = in_kernel ? SAMPLE_KERNEL : 0;
	if (!in_kernel)
		t.regs = (struct user_regs){ ip, sp, fp };
	s->ip = t.regs.ip;
	s->sp = t.regs.sp;
	s->fp = t.regs.fp;
	__builtin_memset(&tmp->walk, 0, sizeof(tmp->walk));
	tmp->walk.lo = s->sp;
	tmp->walk.hi = s->sp + STACK_MAX;
	goroutine_fill(tmp, &t, &p->executable);
	if (want_user && s->ip)
		walk(tmp, cpu,
		     p->executable.layout.old_prologue ? LEAF_WORDS_OLD : LEAF_WORDS);
	s->n_user = tmp->walk.n - s->n_words;
	if (s->resume && want_user)
		walk_resumed(tmp, cpu);
	s->flags |= tmp->walk.flags;
	if (s->flags & SAMPLE_STACK_FAULT)
		count(COUNT_STACK_FAULT);
	if (in_kernel && want_kernel)
		kernel_stack(ctx, tmp);
	sample_send(s);
	return 0;
}

SEC("perf_event")
int sample_modern(struct perf_context *ctx)
{
	return sample_take(ctx, true);
}

SEC("perf_event")
int sample_old(struct perf_context *ctx)
{
	return sample_take(ctx, false);
}

SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 tgid = tgid_of(task);
	struct process_entry *p = bpf_map_lookup_elem(&processes, &tgid);

	if (p) {
		if (!p->image) /* given for the program that was there before */
			p->image = 1;
		p->mm = 0; /* a sample may have seen the new one before it was complete */
		process_check(p, tgid, (__u64)BPF_CORE_READ(task, mm),
			      BPF_CORE_READ(task, mm, exec_vm));
	}
	return 0;
}

SEC("raw_tp/sched_process_fork")
int process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	__u32 from = tgid_of(parent), to = tgid_of(child);
	struct process_entry *p = bpf_map_lookup_elem(&processes, &from);
	struct process_entry copy;

	if (!p || !(p->flags & PROCESS_CHILDREN) || from == to)
		return 0;
	copy = *p; /* same program, until it execs */
	copy.image = image_of(child);
	copy.mm = 0;
	copy.exec_vm = 0;
	copy.flags &= ~PROCESS_GIVEN;
	copy.left_out = 0;
	if (bpf_map_update_elem(&processes, &to, &copy, BPF_ANY))
		count(COUNT_TABLE_FULL);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct exit_record r = { .type = RECORD_EXIT, .tgid = tgid_of(task) };
	struct process_entry *p = bpf_map_lookup_elem(&processes, &r.tgid);

	if (!p || BPF_CORE_READ(task, signal, live.counter))
		return 0;
	r.image = p->image;
	r.left_out = p->left_out;
	bpf_map_delete_elem(&processes, &r.tgid);
	bpf_ringbuf_output(&control, &r, sizeof(r), BPF_RB_FORCE_WAKEUP);
	return 0;
}
