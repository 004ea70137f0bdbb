/* SPDX-License-Identifier: BSD-2-Clause */
/* A growing sequence of bytes, written front to back. { 0 } is empty. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf {
	uint8_t *data; /* owned */
	size_t len, cap;
};

/* Makes room for n more bytes at data + len, without changing len. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_str(struct buf *b, const char *s); /* without its NUL */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_u32(struct buf *b, uint32_t v);     /* little-endian */
void buf_decimal(struct buf *b, uint64_t v); /* "812" */
void buf_uvarint(struct buf *b, uint64_t v); /* LEB128, at most 10 bytes */
void buf_svarint(struct buf *b, int64_t v);  /* zig-zag */
/* The bytes as a string, valid until more are added: puts a NUL behind them, which does not
 * count. */
char *buf_text(struct buf *b);
/* Writes the bytes and empties the buffer; the caller checks ferror(out). */
void buf_write(struct buf *b, FILE *out);
void buf_release(struct buf *b);
