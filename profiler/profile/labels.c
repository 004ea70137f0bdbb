/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/labels.h"

#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"

static const char goes_on[] = "\\+";

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int order = n ? memcmp(a, b, n) : 0;

	return order ?: ascending(a_len, b_len);
}

static int by_key(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return compare(x->key, x->key_len, y->key, y->key_len)
		       ?: compare(x->value, x->value_len, y->value, y->value_len);
}

static void put(struct buf *to, const char *s, size_t len)
{
	for (; len--; s++) {
		if (*s && *s != '=' && *s != ',' && *s != '\\')
			buf_u8(to, (uint8_t)*s);
		else
			buf_printf(to, "\\%02x", (unsigned)*s);
	}
}

void labels_encode(struct buf *to, struct label *labels, uint32_t n, bool more)
{
	table_sort(labels, n, by_key);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_u8(to, ',');
		put(to, labels[i].key, labels[i].key_len);
		buf_u8(to, '=');
		put(to, labels[i].value, labels[i].value_len);
		if (labels[i].cut)
			buf_str(to, goes_on);
	}
	if (more)
		buf_printf(to, "%s%s", n ? "," : "", goes_on);
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Decodes up to `end` or the end of a label, without passing it. Returns whether the value
 * was cut. A set may come from a file, so it may hold anything. */
static bool take(const char **set, char end, struct buf *to)
{
	const char *s = *set;
	bool more = false;

	to->len = 0;
	for (; *s && *s != end && *s != ','; s++) {
		if (*s != '\\') {
			buf_u8(to, (uint8_t)*s);
		} else if (s[1] == '+') {
			more = true;
			s++;
		} else if (s[1] && s[2]) {
			buf_u8(to, (uint8_t)(digit(s[1]) << 4 | (digit(s[2]) & 15)));
			s += 2;
		}
	}
	*set = s;
	return more;
}

enum label_state labels_next(const char **set, struct buf *key, struct buf *value)
{
	enum label_state state = LABEL_LOST;

	key->len = value->len = 0;
	if (!**set)
		return LABEL_NONE;
	take(set, '=', key);
	if (**set == '=') {
		++*set;
		state = take(set, ',', value) ? LABEL_PART : LABEL_WHOLE;
	}
	*set += **set == ',';
	return state;
}

enum label_state labels_find(const char *set, const char *key, size_t key_len,
			     struct buf *value)
{
	enum label_state state;
	struct buf k = { 0 };

	do
		state = labels_next(&set, &k, value);
	while ((state == LABEL_WHOLE || state == LABEL_PART) &&
	       compare((char *)k.data, k.len, key, key_len));
	buf_release(&k);
	return state;
}
