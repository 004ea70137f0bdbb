/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/goname.h"

#include <stdbool.h>
#include <string.h>

#include "profiler/base/buf.h"

enum {
	CUTS_ONCE = 21,  /* symbols have type arguments; before, the linker cut them */
	CUTS_TWICE = 27, /* generic methods of generic types have two lists */
};

/*
 * Looks between the first '[' and the last ']' for the place where a first list of type
 * arguments closes and a second one opens. Leaves *close and *open alone if there is only
 * one list. False: the brackets are not such lists.
 */
static bool lists_find(const char *from, const char *to, const char **close,
		       const char **open)
{
	int depth = 1;

	if (!memchr(from, '[', (size_t)(to - from)))
		return true;
	for (const char *s = from; s < to; s++) {
		if (*s == '[' && ++depth == 1) {
			*open = s;
			break;
		}
		if (*s != ']')
			continue;
		if (--depth < 0)
			return false;
		if (!depth)
			*close = s;
	}
	return depth == 1;
}

void goname_add(struct buf *b, const char *name, int minor)
{
	const char *first = strchr(name, '['), *last = first ? strrchr(first, ']') : NULL;
	const char *close = last, *open = last;

	if (!last || (minor >= 0 && minor < CUTS_ONCE) ||
	    ((minor < 0 || minor >= CUTS_TWICE) &&
	     !lists_find(first + 1, last, &close, &open))) {
		buf_str(b, name);
		return;
	}
	buf_add(b, name, (size_t)(first - name));
	buf_str(b, "[...]");
	if (close < open) {
		buf_add(b, close + 1, (size_t)(open - close - 1));
		buf_str(b, "[...]");
	}
	buf_str(b, last + 1);
}
