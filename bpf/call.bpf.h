/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls of functions: the sampler, run by uprobes at the functions' entries instead of by a
 * clock.
 *
 * A function whose stack is too small calls morestack, which has newstack grow the stack,
 * or yields to another goroutine, and then begins again at its entry. That is one call but
 * two hits of the probe. So newstack is probed too: it runs while g.sched.pc is in the
 * function that begins again, and the next hit there by the same goroutine does not count.
 */
#pragma once

#include "bpf/sample.h"

#define SECOND 1000000000u

const volatile __u32 n_cpus = 1; /* set before load */

/* Hits of probes with another tag do not count. While one link replaces another, both are
 * attached. */
volatile __u32 call_tag = 1;

/* The scratches that are in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* as many as scratches, set before load */
	__type(key, __u32);
	__type(value, __u64);
} taken SEC(".maps");

const volatile __u32 max_rate = 0; /* calls per second of one thread; 0: any number */

struct rate_key {
	__u64 ip, tid;
};

struct rate {
	__u64 since_ns, calls; /* since then, a second at most */
};

/* How often threads call functions: a probe costs them some 10 us per call. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set before load */
	__type(key, struct rate_key);
	__type(value, struct rate);
} rates SEC(".maps");

const volatile bool some_goids = false; /* only calls by these goroutines count */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before load */
	__type(key, __u64);
	__type(value, __u8);
} goids SEC(".maps");

/* Calls are added up instead of sent; for each set of labels, each thread. */
const volatile bool add_up = false, by_labels = false, by_thread = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before load */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct call_key);
	__type(value, struct call_sum);
} call_sums SEC(".maps");

/* Labels as in sample.pcs, by a hash of them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before load */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8[LABEL_BYTES]);
} label_sets SEC(".maps");

/* Has the first call of this function by this goroutine been sent? FIRST_LOST: not yet. */
enum { FIRST_LOST, FIRST_SENT };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set before load; with add_up and want_user */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct first_key);
	__type(value, __u64);
} firsts SEC(".maps");

struct restart_key {
	__u64 goid, tgid;
};

/* Value: g.sched.pc of a goroutine whose function is about to begin again. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct restart_key);
	__type(value, __u64);
} restarts SEC(".maps");

/* The index of a free scratch, which is ours from now on. ~0: there is none. */
static __always_inline __u32 scratch_take(__u32 cpu)
{
	for (__u32 i = 0; i < CALL_SCRATCHES; i++) {
		__u32 slot = cpu + i * n_cpus;
		__u64 *used = bpf_map_lookup_elem(&taken, &slot);

		if (used && !__sync_lock_test_and_set(used, 1))
			return slot;
	}
	return ~0u;
}

static __always_inline void scratch_give(__u32 slot)
{
	__u64 *used = bpf_map_lookup_elem(&taken, &slot);

	if (used)
		__sync_lock_test_and_set(used, 0);
}

/* Is this call one too many for the thread? Tells user space, which is to turn the probe
 * off, of the first one. */
static __always_inline bool call_too_many(__u64 ip, __u32 tid)
{
	struct rate_key key = { ip, tid };
	struct rate fresh = { .since_ns = bpf_ktime_get_ns(), .calls = 1 };
	struct hot_record hot = { .type = RECORD_HOT, .ip = ip };
	struct rate *r = bpf_map_lookup_elem(&rates, &key);

	if (!r || fresh.since_ns - r->since_ns >= SECOND) {
		bpf_map_update_elem(&rates, &key, &fresh, BPF_ANY);
		return false;
	}
	if (r->calls < max_rate) {
		r->calls++;
		return false;
	}
	if (r->calls == max_rate) {
		hot.calls = max_rate + 1;
		hot.ns = fresh.since_ns - r->since_ns;
		if (!bpf_ringbuf_output(&control, &hot, sizeof(hot), BPF_RB_FORCE_WAKEUP))
			r->calls++;
	}
	return true;
}

/* Does this hit count as a call? tmp holds the sample and its goroutine; cookie: of the
 * probe. */
static __always_inline bool call_counts(const struct scratch *tmp, __u32 cookie)
{
	const struct sample *s = &tmp->sample;
	struct restart_key key = { s->goid, s->tgid };
	__u64 pc = tmp->go.g[G_SCHED_PC];
	const __u64 *restart;

	if (some_goids && !bpf_map_lookup_elem(&goids, &key.goid))
		return false;
	if (cookie == CALL_NEWSTACK) {
		if (s->goid && s->flags & SAMPLE_G0 &&
		    bpf_map_update_elem(&restarts, &key, &pc, BPF_ANY))
			count(COUNT_RESTART_LOST);
		return false;
	}
	if (!s->goid || s->flags & SAMPLE_G0)
		return true;
	restart = bpf_map_lookup_elem(&restarts, &key);
	if (!restart)
		return true;
	pc = *restart;
	bpf_map_delete_elem(&restarts, &key);
	return pc - s->ip >= cookie;
}

static __always_inline struct first_key first_of(const struct sample *s)
{
	return (struct first_key){ s->ip, s->goid, s->image };
}

/* Is the stack of this call wanted? */
static __always_inline bool call_is_first(const struct sample *s)
{
	struct first_key key = first_of(s);
	const __u64 *state;

	if (!s->goid)
		return false;
	state = bpf_map_lookup_elem(&firsts, &key);
	return !state || *state == FIRST_LOST;
}

/* One that is lost is counted once, until a later call takes its place. */
static __always_inline void first_done(const struct sample *s, bool sent)
{
	struct first_key key = first_of(s);
	__u64 state = sent ? FIRST_SENT : FIRST_LOST;
	bool again = bpf_map_lookup_elem(&firsts, &key);

	if (bpf_map_update_elem(&firsts, &key, &state, BPF_ANY))
		return;
	if (again == sent)
		count_by(COUNT_FIRST_LOST, sent ? -1 : 1);
}

/* Puts the hash of the labels into call_key, and keeps the labels. Not static for the same
 * reason as walk_window(). */
__attribute__((noinline)) int call_labels(__u32 slot)
{
	struct scratch *tmp = bpf_map_lookup_elem(&scratches, &slot);
	__u64 hash = 0, word;
	__u32 len;

	if (!tmp || !tmp->sample.n_label_bytes)
		return 0;
	len = tmp->sample.n_label_bytes;
	for (__u32 at = 0; at < LABEL_BYTES; at += 8) {
		if (at >= len)
			break;
		word = *(__u64 *)&tmp->labels.bytes[at];
		if (len - at < 8) /* older bytes are behind the last one */
			word &= (1ull << (len - at) * 8) - 1;
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	tmp->call_key.labels = hash = hash ? hash : 1;
	if (!bpf_map_lookup_elem(&label_sets, &hash))
		bpf_map_update_elem(&label_sets, &hash, tmp->labels.bytes, BPF_ANY);
	return 0;
}

static __always_inline void call_add(struct scratch *tmp, __u32 slot)
{
	const struct sample *s = &tmp->sample;
	struct call_sum *sum;

	tmp->call_key = (struct call_key){ .ip = s->ip,
					   .goid = s->goid,
					   .image = s->image,
					   .flags = s->flags,
					   .tid = by_thread ? s->tid : 0 };
	if (by_labels)
		call_labels(slot);
	sum = bpf_map_lookup_elem(&call_sums, &tmp->call_key);
	if (!sum) {
		tmp->call_sum = (struct call_sum){ .startpc = s->startpc,
						   .gopc = s->gopc,
						   .parent_goid = s->parent_goid,
						   .tgid = s->tgid,
						   .n_label_bytes = s->n_label_bytes };
		bpf_map_update_elem(&call_sums, &tmp->call_key, &tmp->call_sum,
				    BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&call_sums, &tmp->call_key);
	}
	if (sum)
		__sync_fetch_and_add(&sum->calls, 1);
	else
		count(COUNT_SUMS_FULL);
}
