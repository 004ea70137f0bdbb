/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodings that only one side of the product needs; tests need both. */
#pragma once

#include "profiler/base/buf.h"
#include "profiler/base/cursor.h"

static inline void buf_u64(struct buf *b, uint64_t v)
{
	buf_u32(b, (uint32_t)v);
	buf_u32(b, (uint32_t)(v >> 32));
}

/* zig-zag, as buf_svarint() */
static inline int64_t cursor_svarint(struct cursor *c)
{
	uint64_t v = cursor_uvarint(c);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
