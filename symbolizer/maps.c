/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/maps.h"

#include <string.h>

/* Parses a number and the character that must follow it. */
static uint64_t number(struct cursor *c, unsigned base, uint8_t after)
{
	uint64_t v = 0;
	int digits = 0;

	for (;; digits++) {
		uint8_t ch = cursor_u8(c), lower = ch | 0x20;
		unsigned d = 99;

		if (ch >= '0' && ch <= '9')
			d = ch - '0';
		else if (lower >= 'a' && lower <= 'f')
			d = lower - 'a' + 10;
		if (d >= base) {
			c->bad |= ch != after || !digits || digits > 20;
			return v;
		}
		v = v * base + d;
	}
}

/* Parses "00400000-0047c000 r-xp 00001000 fe:01 1234 /usr/bin/program (deleted)". */
static bool parse_line(struct cursor c, struct mapping *m)
{
	static const char deleted[] = " (deleted)";
	const size_t n = sizeof(deleted) - 1;
	const char *perms;

	*m = (struct mapping){ 0 };
	m->start = number(&c, 16, '-');
	m->end = number(&c, 16, ' ');
	perms = cursor_bytes(&c, 5);
	m->offset = number(&c, 16, ' ');
	number(&c, 16, ':');
	number(&c, 16, ' ');
	m->inode = number(&c, 10, ' ');
	if (c.bad || m->end <= m->start)
		return false;
	m->writable = perms[1] == 'w';
	m->executable = perms[2] == 'x';
	while (c.pos < c.len && c.data[c.pos] == ' ')
		c.pos++;
	m->path = (const char *)c.data + c.pos;
	m->path_len = (uint32_t)(c.len - c.pos);
	if (m->inode && m->path_len > n && !memcmp(m->path + m->path_len - n, deleted, n)) {
		m->path_len -= n;
		m->deleted = true;
	}
	return true;
}

bool maps_next(struct cursor *text, struct mapping *ret)
{
	size_t left;

	while ((left = cursor_left(text))) {
		const uint8_t *line = text->data + text->pos,
			      *nl = memchr(line, '\n', left);
		size_t n = nl ? (size_t)(nl - line) : left;

		cursor_seek(text, text->pos + n + (nl ? 1 : 0));
		if (parse_line(cursor_over(line, n), ret))
			return true;
	}
	return false;
}

bool mapping_is(const struct mapping *m, const char *path)
{
	return strlen(path) == m->path_len && !memcmp(path, m->path, m->path_len);
}
