/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/text.h"

#include <stdio.h>

#include "profiler/base/buf.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct range *r)
{
	for (; r->last; r++)
		if (code >= r->first && code <= r->last)
			return true;
	return false;
}

uint32_t text_next(const char **s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*s;
	uint32_t code = *p;
	int more = code < 0x80   ? 0
		   : code < 0xc0 ? -1
		   : code < 0xe0 ? 1
		   : code < 0xf0 ? 2
		   : code < 0xf8 ? 3
				 : -1;

	++*s;
	if (more <= 0)
		return more ? TEXT_REPLACEMENT : code;
	code &= 0x3fu >> more;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return TEXT_REPLACEMENT;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return TEXT_REPLACEMENT;
	*s += more;
	return code;
}

bool text_shown(uint32_t code)
{
	/* C0, DEL and C1; marks of direction; separators of lines and paragraphs. */
	static const struct range obeyed[] = {
		{ 0, 0x1f },        { 0x7f, 0x9f },
		{ 0x61c, 0x61c },   { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 },
		{ 0xfeff, 0xfeff }, { 0 },
	};

	return !in_ranges(code, obeyed);
}

static uint32_t next_shown(const char **s)
{
	uint32_t code = text_next(s);

	return text_shown(code) ? code : TEXT_REPLACEMENT;
}

/* Characters of no width count as one column: a line may come out short, never long. */
static uint32_t columns(uint32_t code)
{
	static const struct range wide[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0xa4cf },
		{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
		{ 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 },   { 0x1f300, 0x1faff },
		{ 0x20000, 0x3fffd }, { 0 },
	};

	return code >= 0x1100 && in_ranges(code, wide) ? 2 : 1;
}

static void put(struct buf *b, uint32_t code)
{
	int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

	if (!more) {
		buf_u8(b, (uint8_t)code);
		return;
	}
	buf_u8(b, (uint8_t)(0xff00u >> (more + 1) | code >> 6 * more));
	while (more--)
		buf_u8(b, (uint8_t)(0x80 | (code >> 6 * more & 0x3f)));
}

uint32_t text_columns(const char *s)
{
	uint32_t n = 0;

	while (*s)
		n += columns(next_shown(&s));
	return n;
}

uint32_t text_fit(struct buf *b, const char *s, uint32_t max)
{
	uint32_t all = text_columns(s), passed = 0, taken = 0;
	uint32_t front = (max - 1) / 2, back = max - 1 - front;
	bool cut = false, was_digit = false;

	while (*s) {
		uint32_t code = next_shown(&s), n = columns(code);
		bool digit = code >= '0' && code <= '9';

		/* A number that is cut would be read as another one: the front takes all of it. */
		if (!cut && digit && was_digit && passed >= front && passed + n < max) {
			front = passed + n;
			back = max - 1 - front;
		}
		was_digit = digit;
		if (all <= max || passed + n <= front || passed >= all - back) {
			put(b, code);
			taken += n;
		} else if (!cut) {
			buf_str(b, ELLIPSIS);
			taken++;
			cut = true;
		}
		passed += n;
	}
	return taken;
}

void text_frame(struct buf *b, const char *s)
{
	if (!*s)
		buf_str(b, "[unknown]");
	while (*s) {
		uint32_t code = next_shown(&s);

		put(b, code == ';' ? ':' : code);
	}
}

void text_count(struct buf *b, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_u8(b, ',');
		buf_u8(b, (uint8_t)digits[i]);
	}
}
