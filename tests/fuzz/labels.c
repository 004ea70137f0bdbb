/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels as in a sample, and then the set of them, which also comes from recordings. */
#include <stdlib.h>

#include "profiler/base/buf.h"
#include "profiler/live/samplelabels.h"
#include "profiler/profile/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t len;
};

static const char *bytes_at(void *arg, uint64_t addr, size_t len)
{
	const struct bytes *b = arg;

	return addr < b->len && len <= b->len - addr ? (const char *)b->data + addr : NULL;
}

/* Reads a set to its end. Is it complete? */
static bool read_set(const char *set)
{
	struct buf key = { 0 }, value = { 0 };
	enum label_state state;
	bool whole = true;

	while ((state = labels_next(&set, &key, &value)))
		whole &= state == LABEL_WHOLE;
	buf_release(&key);
	buf_release(&value);
	return whole && !*set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	struct buf b = { 0 };
	bool whole = sample_labels(&b, data, size, size & 1, bytes_at, &all);

	buf_u8(&b, 0);
	if (read_set((char *)b.data) != whole)
		abort();
	b.len = 0;
	buf_add(&b, data, size);
	buf_u8(&b, 0);
	read_set((char *)b.data);
	buf_release(&b);
	return 0;
}
