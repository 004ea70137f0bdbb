/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/text.h"

#include <stdio.h>

#include "profiler/base/buf.h"
#include "profiler/base/plain.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Characters without width count as one column: a line may be too short, but never too
 * long. */
static uint32_t columns(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} wide[] = {
		{ 0x1100, 0x115f }, { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
	};

	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide) && code >= wide[i].first; i++)
		if (code <= wide[i].last)
			return 2;
	return 1;
}

uint32_t text_columns(const char *s)
{
	uint32_t n = 0;

	while (*s)
		n += columns(plain_next(&s));
	return n;
}

uint32_t text_fit(struct buf *b, const char *s, uint32_t max)
{
	uint32_t all = text_columns(s), passed = 0, taken = 0;
	uint32_t front = (max - 1) / 2, back = max - 1 - front;
	bool cut = false, was_digit = false;

	while (*s) {
		uint32_t code = plain_next(&s), n = columns(code);
		bool digit = code >= '0' && code <= '9';

		/* A number that is cut reads as a different one, so the front takes all of
		 * it. */
		if (!cut && digit && was_digit && passed >= front && passed + n < max) {
			front = passed + n;
			back = max - 1 - front;
		}
		was_digit = digit;
		if (all <= max || passed + n <= front || passed >= all - back) {
			plain_put(b, code);
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
		uint32_t code = plain_next(&s);

		plain_put(b, code == ';' ? ':' : code);
	}
}

void text_key(struct buf *b, const char *const *names, uint32_t n)
{
	while (n--) {
		text_frame(b, names[n]);
		if (n)
			buf_u8(b, ';');
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

void text_count_of(struct buf *b, uint64_t n, const char *noun)
{
	text_count(b, n);
	buf_printf(b, " %s%s", noun, n == 1 ? "" : "s");
}
