/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/plain.h"

#include <ctype.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "profiler/base/buf.h"

uint32_t plain_decode(const char **s)
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
		return more ? PLAIN_REPLACEMENT : code;
	code &= 0x3fu >> more;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return PLAIN_REPLACEMENT;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return PLAIN_REPLACEMENT;
	*s += more;
	return code;
}

bool plain_shown(uint32_t code)
{
	/* C0, DEL and C1; direction marks; line and paragraph separators */
	static const struct {
		uint32_t first, last;
	} obeyed[] = {
		{ 0, 0x1f },        { 0x7f, 0x9f },     { 0x61c, 0x61c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
		{ 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < sizeof(obeyed) / sizeof(*obeyed); i++)
		if (code >= obeyed[i].first && code <= obeyed[i].last)
			return false;
	return true;
}

uint32_t plain_next(const char **s)
{
	uint32_t code = plain_decode(s);

	return plain_shown(code) ? code : PLAIN_REPLACEMENT;
}

void plain_put(struct buf *b, uint32_t code)
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

void plain_add(struct buf *b, const char *s)
{
	const char *rest = s;

	/* nearly all names are ASCII */
	while (*rest >= ' ' && *rest <= '~')
		rest++;
	buf_add(b, s, (size_t)(rest - s));
	while (*rest)
		plain_put(b, plain_next(&rest));
}

uint32_t plain_width(int fd)
{
	struct winsize size = { 0 };

	if (!isatty(fd))
		return 0;
	ioctl(fd, TIOCGWINSZ, &size);
	return size.ws_col ? size.ws_col : 80;
}

/* The number of characters; those in messages have one column each. */
static uint32_t count_columns(const char *s, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((uint8_t)s[i] & 0xc0) != 0x80;
	return n;
}

void plain_wrap(struct buf *b, const char *text, uint32_t width, uint32_t indent)
{
	uint32_t column = indent;

	while (*text) {
		uint32_t spaces = (uint32_t)strspn(text, " ");
		size_t len = strcspn(text + spaces, " \n");
		uint32_t columns = count_columns(text + spaces, len);

		if (*text == '\n') {
			text++;
			column = indent;
			buf_printf(b, "\n%*s", *text && *text != '\n' ? (int)indent : 0,
				   "");
			continue;
		}
		if (width && column > indent && len && column + spaces + columns > width) {
			buf_printf(b, "\n%*s", (int)indent, "");
			column = indent;
			text += spaces;
			spaces = 0;
		}
		if (len) { /* else the spaces end the line */
			buf_add(b, text, spaces + len);
			column += spaces + columns;
		}
		text += spaces + len;
	}
}

void plain_file_name(struct buf *b, const char *s, size_t max)
{
	size_t end = b->len + max;

	while (*s) {
		uint32_t code = plain_next(&s);
		bool safe = code < 0x80 ? isalnum((int)code) || strchr("._-+@", (int)code)
					: code != PLAIN_REPLACEMENT;
		size_t before = b->len;

		plain_put(b, safe ? code : '_');
		if (b->len > end) {
			b->len = before;
			return;
		}
	}
}
