/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the records of the kernel side: samples from a ring buffer for each CPU, all others
 * from the control ring. bpf/sample.h says what is sent where, and what wakes us.
 *
 * A CPU's ring that was more than half full, or is not read as fast as it fills, may lose
 * samples next time: one of twice the size takes its place.
 */
#pragma once

#include <stdint.h>

struct record_handler;
struct rings;

/* Bytes of one CPU's ring; samples may carry copies of C stacks. */
enum { RING_MIN = 1 << 20, RING_MAX = 8 << 20 };

/* The maps `control` and `rings`, which outlive it; size: of each CPU's ring at first. 0 or
 * -errno; *ret is to be freed in any case. */
int rings_open(struct rings **ret, int control, int per_cpu, int n_cpus, uint32_t size);
void rings_free(struct rings *r); /* takes NULL */

/* As poll(), control() and settled_ns() of struct kernel_side. */
int rings_poll(struct rings *r, int timeout_ms, const struct record_handler *h);
int rings_control(struct rings *r);
uint64_t rings_settled_ns(const struct rings *r);
