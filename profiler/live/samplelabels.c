/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/samplelabels.h"

#include <stdlib.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/cursor.h"
#include "profiler/profile/labels.h"

struct lookup {
	const char *(*constant)(void *arg, uint64_t addr, size_t len);
	void *arg;
};

/* The bytes that this word describes; NULL: they cannot be read. */
static const char *string_take(struct cursor *c, uint16_t word, size_t *len,
			       const struct lookup *l)
{
	uint64_t addr;

	*len = word & LABEL_LEN;
	if (!(word & LABEL_AT))
		return *len ? cursor_bytes(c, *len) : "";
	addr = cursor_u64(c);
	return c->bad ? NULL : l->constant(l->arg, addr, *len);
}

bool sample_labels(struct buf *to, const void *bytes, size_t n, bool more,
		   const char *(*constant)(void *arg, uint64_t addr, size_t len), void *arg)
{
	const struct lookup l = { constant, arg };
	struct cursor c = cursor_over(bytes, n);
	struct label *labels = NULL, label;
	uint32_t n_labels = 0, cap = 0;
	bool whole = true;

	while (cursor_left(&c)) {
		uint16_t key = cursor_u16(&c), value = cursor_u16(&c);

		label.key = string_take(&c, key, &label.key_len, &l);
		label.value = string_take(&c, value, &label.value_len, &l);
		label.cut = value & LABEL_CUT || !label.value;
		if (!label.value)
			label.value_len = 0;
		whole &= !label.cut;
		if (!label.key || c.bad)
			more = true;
		else
			*table_add(labels, n_labels, cap) = label;
	}
	labels_encode(to, labels, n_labels, more);
	free(labels);
	return whole && !more;
}
