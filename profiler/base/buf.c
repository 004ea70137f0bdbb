/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"

uint8_t *buf_room(struct buf *b, size_t n)
{
	if (b->cap - b->len < n) {
		size_t cap = b->cap ? b->cap : 256;

		while (cap - b->len < n)
			cap *= 2;
		b->data = mem_realloc(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	if (!n)
		return;
	memcpy(buf_room(b, n), data, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	buf_room(b, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	*buf_room(b, 1) = v;
	b->len++;
}

void buf_u32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_u8(b, (uint8_t)(v >> (8 * i)));
}

void buf_decimal(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_uvarint(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_room(b, 10);

	for (; v >= 0x80; v >>= 7, b->len++)
		*p++ = (uint8_t)(v | 0x80);
	*p = (uint8_t)v;
	b->len++;
}

void buf_svarint(struct buf *b, int64_t v)
{
	buf_uvarint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

char *buf_text(struct buf *b)
{
	*buf_room(b, 1) = 0;
	return (char *)b->data;
}

void buf_write(struct buf *b, FILE *out)
{
	if (b->len) /* else data may be NULL, which fwrite() does not take */
		fwrite(b->data, 1, b->len, out);
	b->len = 0;
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
