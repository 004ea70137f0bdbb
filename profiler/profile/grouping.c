/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/profile/view.h"

/* What options call a key, and a column's head. */
static const struct {
	const char *word, *title;
} names[BY_MAX] = {
	[BY_NONE] = { "none", "" },
	[BY_GOROUTINE] = { "goroutine", "goroutine" },
	[BY_START] = { "start", "start function" },
	[BY_CREATOR] = { "creator", "created by" },
	[BY_CLASS] = { "class", "class" },
	[BY_THREAD] = { "thread", "thread" },
	[BY_PROCESS] = { "process", "process" },
	[BY_PROGRAM] = { "program", "program" },
	[BY_LABEL] = { "label:", "" }, /* and the label's key */
};

_Static_assert(MAX_GROUP_KEYS == 4, "grouping_parse() says 4");

/* The key with this name, or BY_MAX. */
static size_t key_find(const char *word, size_t len)
{
	size_t key, n;

	for (key = 0; key < BY_MAX; key++) {
		n = strlen(names[key].word);
		if ((key == BY_LABEL ? len > n : len == n) &&
		    !memcmp(word, names[key].word, n))
			break;
	}
	return key;
}

const char *grouping_parse(const char *arg, void *grouping)
{
	struct grouping *g = grouping;
	const char *word = arg;
	size_t len, key;

	g->n = 0;
	for (;; word += len + 1) {
		len = strcspn(word, ",");
		key = key_find(word, len);
		if (key == BY_MAX)
			return "unknown key; use goroutine, start, creator, label:NAME, "
			       "class, thread, process, program or none";
		if (g->n == MAX_GROUP_KEYS)
			return "at most 4 keys";
		g->labels[g->n] = key == BY_LABEL ? word + strlen(names[key].word) : NULL;
		g->keys[g->n++] = (uint8_t)key;
		if (!word[len])
			return NULL;
	}
}

void grouping_word(const struct grouping *g, int i, struct buf *to)
{
	buf_str(to, names[g->keys[i]].word);
	if (g->keys[i] == BY_LABEL)
		buf_add(to, g->labels[i], strcspn(g->labels[i], ","));
}

void grouping_title(const struct grouping *g, struct buf *to)
{
	for (int i = 0; i < g->n; i++) {
		if (g->keys[i] == BY_NONE)
			continue;
		buf_str(to, to->len ? ", " : "");
		buf_str(to, names[g->keys[i]].title);
		if (g->keys[i] == BY_LABEL)
			buf_add(to, g->labels[i], strcspn(g->labels[i], ","));
	}
}
