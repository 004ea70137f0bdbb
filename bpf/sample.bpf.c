// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel side: runs at each tick of a perf event on each CPU.
 *
 * A sample of a process that nobody follows ends after one hash lookup. For the others:
 * process_check() notices exec, new code and new processes and tells user space;
 * goroutine_read() goes from the thread pointer to the goroutine; walk() follows the frame
 * pointers through a copy of the stack, in windows of 4 KiB, because one read per frame
 * costs five times as much. The sample goes to the CPU's ring buffer in one piece of
 * variable length, without a wake-up.
 *
 * There are two versions of the sampler: one for kernels with bpf_task_pt_regs() (5.15),
 * which also reads through BTF pointers (5.11), and one for older kernels. User space loads
 * one of them.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "bpf/sample.h"
#include "bpf/task.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* set before load */
const volatile bool follow_all = false; /* -a: look at every process that is sampled */
const volatile bool want_user = true, want_kernel = true;
const volatile __u64 period_ns = 0; /* CPU time that a sample stands for */

/* The only process in the table, so that nobody has to look there; 0: there may be more.
 * User space sets it. */
__u32 only_tgid = 0;

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
	__uint(max_entries, 64); /* as many as requested, set before load */
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

static __always_inline void count_by(__u32 which, __s64 by)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &which);

	if (n)
		*n += by;
}

static __always_inline void count(__u32 which)
{
	count_by(which, 1);
}

#include "bpf/take.bpf.h"
#include "bpf/call.bpf.h"

/* Asks user space, at once, to look at this image. Writes directly into the ring because
 * the BPF stack has no room for a record. */
static __always_inline bool image_tell(struct process_entry *p, __u32 tgid)
{
	struct image_record *r = bpf_ringbuf_reserve(&control, sizeof(*r), 0);

	if (!r)
		return false;
	r->type = RECORD_IMAGE;
	r->tgid = tgid;
	r->image = p->image;
	r->exe = p->exe;
	r->unsent = p->unsent;
	r->start_code = p->start_code;
	r->vdso = vdso_addr();
	r->executable = p->executable.state;
	r->given = p->flags & PROCESS_GIVEN;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	p->unsent = 0;
	return true;
}

/* The address space has changed: find out whether the program has too. */
static __always_inline void image_check(struct process_entry *p, __u32 tgid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	image_id image = image_of(task);

	/* during an exec the image changes before the new program is mapped, so read this
	 * each time */
	p->start_code = BPF_CORE_READ(task, mm, start_code);
	if (p->image == image)
		return;
	if (p->image)
		p->flags &= ~PROCESS_GIVEN;
	p->image = image;
	p->image_key = exe_key_image(tgid, image);
	p->exec_vm = 0;
	exe_read(&p->exe, task);
	if (!(p->flags & PROCESS_GIVEN))
		p->executable.state = EXE_UNKNOWN;
	else if (p->executable.state == EXE_GO && !p->executable.one_image)
		bpf_map_update_elem(&executables, &p->exe, &p->executable, BPF_ANY);
}

/* Takes over what user space has found out since. */
static __always_inline void executable_learn(struct process_entry *p)
{
	const struct executable *known = 0;

	if (p->executable.state != EXE_NOT_GO ||
	    p->flags & (PROCESS_CHILDREN | PROCESS_WANTED))
		known = bpf_map_lookup_elem(&executables, &p->image_key);
	if (!known && p->executable.state == EXE_UNKNOWN)
		known = bpf_map_lookup_elem(&executables, &p->exe);
	if (!known)
		return;
	p->executable.layout = known->layout;
	barrier(); /* another CPU may read it at this moment */
	p->executable.state = known->state;
}

/* Updates the row of the current process. False: do not sample it. */
static __always_inline bool process_check(struct process_entry *p, __u32 tgid, __u64 mm,
					  __u64 exec_vm, bool exec)
{
	bool ours;

	if (mm && p->mm != mm) {
		image_check(p, tgid);
		p->mm = mm;
	}
	if (p->executable.state == EXE_UNKNOWN || !p->executable.layout.ok)
		executable_learn(p);
	ours = p->executable.state != EXE_NOT_GO || p->flags & PROCESS_WANTED;
	if (!ours && !exec)
		__sync_fetch_and_add(&p->unsent, 1);
	/* a launched program that is not Go may have loaded a library that is */
	if ((ours || (p->flags & PROCESS_CHILDREN && !exec)) && mm &&
	    p->exec_vm != exec_vm && image_tell(p, tgid))
		p->exec_vm = exec_vm;
	return ours;
}

/* A process that nobody has looked at. Its image is not 0, which would mean that user space
 * added the row. A constant, because the BPF stack has no room for it. */
static const struct process_entry fresh = { .image = 1 };

static __always_inline struct process_entry *process_add(__u32 tgid, __u64 mm)
{
	if (!mm) /* kernel threads have no code of their own */
		return 0;
	if (bpf_map_update_elem(&processes, &tgid, &fresh, BPF_NOEXIST)) {
		count(COUNT_TABLE_FULL);
		return 0;
	}
	return bpf_map_lookup_elem(&processes, &tgid);
}

/* False: there is no room for it. */
static __always_inline bool sample_send(struct scratch *tmp)
{
	struct sample *s = &tmp->sample;
	__u64 n = sample_words(s), size = sizeof(*s) + n * 8;
	void *ring = bpf_map_lookup_elem(&rings, &s->cpu);
	bool wake;

	if (!ring || n > SAMPLE_WORDS)
		return false;
	tmp->unwoken += size;
	wake = tmp->unwoken >= WAKE_BYTES;
	if (wake)
		tmp->unwoken = 0;
	return !bpf_ringbuf_output(ring, s, size,
				   wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void sample_deliver(struct scratch *tmp)
{
	if (!sample_send(tmp))
		count(COUNT_RING_FULL);
}

/* Sends the first call of a function by a goroutine whose calls are added up. */
static __always_inline void first_send(struct scratch *tmp)
{
	tmp->sample.call = CALL_FIRST;
	tmp->sample.weight = 0;
	first_done(&tmp->sample, sample_send(tmp));
}

static __always_inline void kernel_stack(void *ctx, struct scratch *tmp)
{
	__u32 n = sample_user_pcs(&tmp->sample);
	long size;

	if (n > MAX_USER_WORDS)
		return;
	size = bpf_get_stack(ctx, &tmp->pcs[n], MAX_KERNEL_PCS * 8, 0);
	if (size > 0)
		tmp->sample.n_kernel = size / 8;
}

#ifdef REGISTERS
enum { RETURN_INSTANCES = 64 }; /* the kernel allows as many to nest */

/* The kernel has replaced return addresses for the uretprobes of other tools: puts the
 * original ones back into the copy of the thread's stack. If several probes replaced the
 * same word, the oldest one is visited last and has the original. */
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

static __always_inline void c_stack(struct perf_context *ctx, struct scratch *tmp,
				    __u32 cpu, bool modern, bool in_kernel, __u64 end)
{
	struct sample *s = &tmp->sample;

	if (!s->c_sp && !(s->flags & SAMPLE_HANDLER))
		return;
	if (!in_kernel) {
		/* volatile: read each register as one word */
		REGISTERS(tmp->registers, (volatile struct perf_context *)ctx, REGISTER_OF);
	} else if (modern) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(
			(void *)bpf_get_current_task_btf());

		REGISTERS(tmp->registers, regs, REGISTER_OF);
	} else {
		struct pt_regs *regs = saved_regs((void *)bpf_get_current_task());

		REGISTERS(tmp->registers, regs, BPF_CORE_READ);
	}
	if (s->c_sp) {
		c_stack_take(cpu, end);
		returns_restore(tmp);
	}
	if (s->flags & SAMPLE_HANDLER)
		handler_take(cpu);
}
#endif

/* Adds the call up or sends it, and gives the scratch back. first: with its stack, though
 * it is added up. */
static __always_inline void call_deliver(struct scratch *tmp, __u32 slot, bool first)
{
	if (!add_up) {
		sample_deliver(tmp);
	} else {
		call_add(tmp, slot);
		if (first)
			first_send(tmp);
	}
	scratch_give(slot);
}

enum trigger { TICK, TICK_OLD, CALL };

/* id: of the current thread, as bpf_get_current_pid_tgid() has it */
static __always_inline int sample_take(struct perf_context *ctx, __u64 id,
				       enum trigger trigger)
{
	bool modern = trigger != TICK_OLD;
	/* read these first and each as one word: the verifier accepts nothing else */
	volatile __u64 ip = REGS_IP(ctx), sp = REGS_SP(ctx), fp = REGS_FP(ctx),
		       g = CONTEXT_G(ctx), m = REGS_M(ctx), kept = REGS_KEPT(ctx);
	bool in_kernel = trigger != CALL && (__s64)ip < 0;
	__u32 cpu = bpf_get_smp_processor_id(), slot = cpu;
	struct process_entry *p;
	struct task t = {};
	struct scratch *tmp;
	struct sample *s;
	struct extras extras = {};
	bool stack;

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
	if (!p || !process_check(p, t.tgid, t.mm, t.exec_vm, false))
		return 0;
	if (trigger == CALL)
		slot = scratch_take(cpu);
	tmp = bpf_map_lookup_elem(&scratches, &slot);
	if (!tmp) {
		count(COUNT_SCRATCHES_FULL);
		return 0;
	}
	s = &tmp->sample;
	__builtin_memset(s, 0, sizeof(*s));
	s->type = RECORD_SAMPLE;
	s->tgid = t.tgid;
	s->tid = t.tid;
	s->cpu = cpu;
	s->time_ns = bpf_ktime_get_ns();
	s->call = trigger == CALL ? CALL_ONE : CALL_NONE;
	s->weight = trigger == CALL ? 1 : period_ns;
	s->image = p->image;
	s->flags = in_kernel ? SAMPLE_KERNEL : 0;
	if (!in_kernel)
		t.regs = (struct user_regs){ ip, sp, fp, g, m, kept };
	s->ip = t.regs.ip;
	s->sp = t.regs.sp;
	s->fp = t.regs.fp;
	tmp->kept = t.regs.kept;
	sample_goroutine(tmp, slot, t.tp, t.regs.g, t.regs.m, &p->executable, p->start_code,
			 &extras);
	if (trigger == CALL && !call_counts(tmp, (__u32)bpf_get_attach_cookie(ctx))) {
		scratch_give(slot);
		return 0;
	}
	stack = want_user && (trigger != CALL || !add_up || call_is_first(s));
	if (stack)
		stack_take(tmp, slot, &p->executable);
	if (in_kernel && want_kernel)
		kernel_stack(ctx, tmp);
	if (extras.labels && (!add_up || by_labels))
		labels_take(slot, extras.labels, p->executable.layout.labels_list);
#ifdef REGISTERS
	if (stack && p->executable.state == EXE_GO)
		c_stack(ctx, tmp, slot, modern, in_kernel, extras.c_end);
#endif
	if (trigger == CALL)
		call_deliver(tmp, slot, stack);
	else
		sample_deliver(tmp);
	return 0;
}

static __always_inline bool is_other(__u64 id)
{
	__u32 only = *(volatile __u32 *)&only_tgid;

	return only && !our_pidns && id >> 32 != only;
}

SEC("perf_event")
int sample_modern(struct perf_context *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();

	return is_other(id) ? 0 : sample_take(ctx, id, TICK);
}

SEC("perf_event")
int sample_old(struct perf_context *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();

	return is_other(id) ? 0 : sample_take(ctx, id, TICK_OLD);
}

/* On entry to a function. */
SEC("uprobe")
int call(struct perf_context *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (cookie >> CALL_TAG_SHIFT != call_tag)
		return 0;
	if (max_rate && (__u32)cookie != CALL_NEWSTACK &&
	    call_too_many(REGS_IP(ctx), (__u32)bpf_get_current_pid_tgid()))
		return 0;
	return sample_take(ctx, bpf_get_current_pid_tgid(), CALL);
}

SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 tgid = tgid_of(task);
	struct process_entry *p = bpf_map_lookup_elem(&processes, &tgid);

	if (p) {
		/* user space added the row for the program before this exec */
		if (!p->image)
			p->image = 1;
		/* a sample may have seen the new program while it was incomplete: code is
		 * mapped before start_code is set */
		p->mm = 0;
		p->exec_vm = 0;
		process_check(p, tgid, (__u64)BPF_CORE_READ(task, mm),
			      BPF_CORE_READ(task, mm, exec_vm), true);
	}
	return 0;
}

SEC("raw_tp/sched_process_fork")
int process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	__u32 from = tgid_of(parent), to = tgid_of(child);
	struct process_entry *p = bpf_map_lookup_elem(&processes, &from);

	if (!p || !(p->flags & PROCESS_CHILDREN) || from == to)
		return 0;
	/* the same program until it calls exec; the child does not run yet */
	if (bpf_map_update_elem(&processes, &to, p, BPF_ANY)) {
		count(COUNT_TABLE_FULL);
		return 0;
	}
	p = bpf_map_lookup_elem(&processes, &to);
	if (!p)
		return 0;
	p->image = image_of(child);
	p->image_key = exe_key_image(to, p->image);
	p->mm = 0;
	p->exec_vm = 0;
	p->flags &= ~PROCESS_GIVEN;
	p->unsent = 0;
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
	r.unsent = p->unsent;
	BPF_CORE_READ_INTO(&r.comm, task, group_leader, comm);
	bpf_map_delete_elem(&processes, &r.tgid);
	bpf_ringbuf_output(&control, &r, sizeof(r), BPF_RB_FORCE_WAKEUP);
	return 0;
}
