/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The labels of a goroutine (pprof.Do), copied from where g.labels points:
 *
 *   since Go 1.24   a slice of {key, value}
 *   before          a map: 2^B buckets of 8 pairs, each with a chain of overflow buckets;
 *                   and the old table's buckets if the map had not finished growing
 *
 * Neither is written to once a g points to it, and both live as long as a g points to them.
 * The thread is stopped, so what is read is consistent. Nothing is cached by address,
 * because addresses are reused.
 *
 * A string that cannot be read is usually a constant on a page that nobody has touched yet,
 * and a program in an interrupt cannot fault it in: its address goes to user space instead.
 *
 * Functions that the verifier should check only once are not static; they find their state
 * by the CPU's number. Unit tests define read_user() and label_reader().
 */
#pragma once

#include "bpf/sample.h"

#ifndef barrier_var
#define barrier_var(v) asm volatile("" : "+r"(v))
#endif

enum {
	PAGE = 4096, /* or a part of one */
	MAX_LABELS = 128,
	MAX_LABEL_BUCKETS = 32, /* of 8 */
	BUCKET_PAIRS = 8,
	TOPHASH_MIN = 5,   /* less: the slot is empty, or its pair has moved */
	MAP_SAME_SIZE = 8, /* flag: the old table is no smaller */
};

struct go_string {
	__u64 addr, len;
};

struct label_pair {
	struct go_string key, value;
};

struct label_bucket {
	__u8 tophash[BUCKET_PAIRS];
	struct go_string keys[BUCKET_PAIRS], values[BUCKET_PAIRS];
	__u64 overflow;
};

struct label_map {
	__u64 count;
	__u8 flags, b;
	__u8 pad[6];
	__u64 buckets, old_buckets;
};

/* state and result */
struct label_reader {
	__u64 next; /* address of the next pair, or bucket; 0: the chain has ended */
	__u64 left; /* pairs still to come; at the end, those that are missing */
	__u64 buckets, n_buckets; /* next chain, number of chains to come */
	__u64 old_buckets, n_old_buckets;
	__u32 len; /* of bytes[] */
	__u32 full;
	union { /* what was read last */
		struct label_pair pair;
		struct label_bucket bucket;
		struct label_map map;
		struct go_string slice; /* len counts pairs */
	};
	/* twice the size, because the verifier bounds offset and length apart */
	__u8 bytes[2 * LABEL_BYTES];
};

static __always_inline struct label_reader *label_reader(__u32 cpu);

int label_pair(__u32 cpu);
int label_bucket(__u32 cpu);
int labels_read(__u32 cpu, __u64 labels, __u32 list);

static __always_inline void label_u16(struct label_reader *l, __u32 at, __u32 v)
{
	if (at <= LABEL_BYTES) {
		l->bytes[at] = (__u8)v;
		l->bytes[at + 1] = (__u8)(v >> 8);
	}
}

/* Appends a string, or as much of it as fits. Returns the number to put before it. */
static __always_inline __u32 label_string(struct label_reader *l, const struct go_string *s)
{
	__u64 addr = s->addr, len = s->len, at = l->len, n;
	__u32 flags = 0;

	barrier_var(at);
	if (at > LABEL_BYTES)
		return LABEL_CUT;
	n = LABEL_BYTES - at;
	if (len <= n)
		n = len;
	else
		flags = LABEL_CUT;
	if (!n)
		return flags;
	barrier_var(n);
	n &= LABEL_BYTES - 1; /* always true: each string has its length before it */
	if (!read_user(l->bytes + at, (__u32)n, addr)) {
		l->len = (__u32)(at + n);
		return flags | (__u32)n;
	}
	if (at > LABEL_BYTES - 8)
		return LABEL_CUT;
	for (int i = 0; i < 8; i++)
		l->bytes[at + i] = (__u8)(addr >> 8 * i);
	l->len = (__u32)at + 8;
	return flags | LABEL_AT | (__u32)n;
}

/* A key must be complete; a value is cut where the room ends, and then no other pair
 * follows. */
static __always_inline void label_put(struct label_reader *l, const struct go_string *key,
				      const struct go_string *value)
{
	__u32 at = l->len, n;

	if (l->full || at > LABEL_BYTES - 12 || key->len > LABEL_BYTES - 4 - at) {
		l->full = 1;
		return;
	}
	l->len = at + 4;
	n = label_string(l, key);
	label_u16(l, at, n);
	n = label_string(l, value);
	label_u16(l, at + 2, n);
	l->full = n & LABEL_CUT;
	l->left--;
}

/* Copies the next pair of a slice. 1: there are no more. */
__attribute__((noinline)) int label_pair(__u32 cpu)
{
	struct label_reader *l = label_reader(cpu);

	if (!l || !l->left || l->full)
		return 1;
	if (read_user(&l->pair, sizeof(l->pair), l->next))
		return 1;
	label_put(l, &l->pair.key, &l->pair.value);
	l->next += sizeof(l->pair);
	return 0;
}

/* Reads a bucket, which may span two pages. A page that is not resident was never written
 * to, so it holds zeros, which is what read_user() leaves. */
static __always_inline void bucket_read(struct label_reader *l, __u64 addr)
{
	__u64 n = PAGE - addr % PAGE;

	if (!read_user(&l->bucket, sizeof(l->bucket), addr))
		return;
	barrier_var(n);
	if (!n || n >= sizeof(l->bucket))
		return;
	read_user(&l->bucket, (__u32)n, addr);
	read_user((__u8 *)&l->bucket + n, (__u32)(sizeof(l->bucket) - n), addr + n);
}

/* Copies the pairs of the next bucket. 1: there are no more. */
__attribute__((noinline)) int label_bucket(__u32 cpu)
{
	struct label_reader *l = label_reader(cpu);

	if (!l || !l->left || l->full)
		return 1;
	if (!l->next) {
		if (!l->n_buckets) {
			l->buckets = l->old_buckets;
			l->n_buckets = l->n_old_buckets;
			l->n_old_buckets = 0;
		}
		if (!l->buckets || !l->n_buckets)
			return 1;
		l->next = l->buckets;
		l->buckets += sizeof(l->bucket);
		l->n_buckets--;
	}
	bucket_read(l, l->next);
	l->next = l->bucket.overflow;
	for (int i = 0; i < BUCKET_PAIRS; i++) {
		if (l->bucket.tophash[i] < TOPHASH_MIN || !l->left)
			continue;
		label_put(l, &l->bucket.keys[i], &l->bucket.values[i]);
	}
	return 0;
}

/* Copies the labels at `labels`. list: they are a slice. */
__attribute__((noinline)) int labels_read(__u32 cpu, __u64 labels, __u32 list)
{
	struct label_reader *l = label_reader(cpu);
	__u64 map;

	if (!l)
		return 0;
	l->len = l->full = 0;
	l->left = 1; /* until their number is known */
	if (list && !read_user(&l->slice, sizeof(l->slice), labels)) {
		l->left = l->slice.len;
		l->next = l->slice.addr;
		for (int i = 0; i < MAX_LABELS; i++)
			if (label_pair(cpu))
				break;
	} else if (!list && !read_user(&map, sizeof(map), labels) &&
		   !read_user(&l->map, sizeof(l->map), map)) {
		l->left = l->map.count;
		l->next = 0;
		l->buckets = l->map.buckets;
		l->n_buckets = 1ull << (l->map.b & 63);
		l->old_buckets = l->map.old_buckets;
		l->n_old_buckets = l->n_buckets >> !(l->map.flags & MAP_SAME_SIZE);
		for (int i = 0; i < MAX_LABEL_BUCKETS; i++)
			if (label_bucket(cpu))
				break;
	}
	return 0;
}
