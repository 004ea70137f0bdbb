/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of a goroutine, read by the code that the kernel side has for it. */
#include <errno.h>
#include <string.h>

#include "profiler/goruntime/goroutines_private.h"

/* What read_user() reads; its callers have no argument for it. */
static struct memory *reading;

static long read_user(void *dst, __u32 size, __u64 addr)
{
	if (memory_copy(reading, addr, dst, size))
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

/* Functions that the verifier checks once are not static there. */
#define label_pair   user_label_pair
#define label_bucket user_label_bucket
#define labels_read  user_labels_read
#include "bpf/golabels.bpf.h"

static struct label_reader reader;

static __always_inline struct label_reader *label_reader(__u32 cpu)
{
	(void)cpu;
	return &reader;
}

const void *goroutine_labels_read(struct memory *m, uint64_t labels, bool list, uint32_t *n,
				  bool *more)
{
	reading = m;
	labels_read(0, labels, list);
	*n = reader.len;
	*more = reader.left != 0;
	return reader.bytes;
}
