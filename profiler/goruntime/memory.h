/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of another program: of a running process, or of anything else that has addresses,
 * such as an array in a test. Nothing in it can be trusted, and it changes while it is
 * read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A piece of it that is wanted. */
struct memory_part {
	uint64_t addr;
	void *to; /* room for len bytes */
	uint32_t len;
	bool ok; /* it was read; else the bytes at `to` are undefined */
};

struct memory {
	/* Reads the parts in their order and sets `ok` of each. */
	void (*read)(struct memory *m, struct memory_part *parts, uint32_t n);
	uint64_t bytes; /* at most so many are there; 0: unknown */
	pid_t thread;   /* of a process: the one whose memory is read */
	/* the last error of the kernel that was about the process, not about an address:
	 * -ESRCH: it has ended; -EPERM; 0: none */
	int err;
};

/* process_vm_readv(): the process runs on, and need not even be able to. Takes
 * CAP_SYS_PTRACE, or the same user and leave to trace it. */
struct memory memory_of_process(pid_t pid);

/* One part. */
bool memory_copy(struct memory *m, uint64_t addr, void *to, uint32_t len);
/* A word; 0 if it cannot be read. */
uint64_t memory_word(struct memory *m, uint64_t addr);
