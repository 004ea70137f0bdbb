/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/cursor.h"

#include <endian.h>
#include <string.h>

const void *cursor_bytes(struct cursor *c, size_t n)
{
	if (c->bad || c->len - c->pos < n) {
		c->bad = true;
		return NULL;
	}
	c->pos += n;
	return c->data + c->pos - n;
}

void cursor_seek(struct cursor *c, size_t pos)
{
	if (pos > c->len)
		c->bad = true;
	else
		c->pos = pos;
}

struct cursor cursor_slice(const struct cursor *c, size_t pos, size_t len)
{
	if (c->bad || pos > c->len || c->len - pos < len)
		return (struct cursor){ .bad = true };
	/* no arithmetic on the NULL of an empty cursor */
	return cursor_over(pos ? c->data + pos : c->data, len);
}

/* The next n bytes, at most 8, as a little-endian number. */
static uint64_t number(struct cursor *c, size_t n)
{
	const void *p = cursor_bytes(c, n);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, n);
	return le64toh(v);
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)number(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)number(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)number(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return number(c, 8);
}

uint64_t cursor_uvarint(struct cursor *c)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 70; shift += 7) {
		uint8_t byte = cursor_u8(c);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return c->bad ? 0 : v;
	}
	c->bad = true;
	return 0;
}

const char *cursor_str(struct cursor *c)
{
	const char *s = c->bad ? NULL : (const char *)c->data + c->pos;
	const void *nul = c->bad || c->pos == c->len ? NULL : memchr(s, 0, c->len - c->pos);

	if (!nul) {
		c->bad = true;
		return "";
	}
	c->pos += (size_t)((const char *)nul - s) + 1;
	return s;
}
