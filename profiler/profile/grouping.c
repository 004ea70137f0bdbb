/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "profiler/profile/view.h"

static const char *const key_names[] = {
	[BY_NONE] = "none",       [BY_GOROUTINE] = "goroutine", [BY_START] = "start",
	[BY_CREATOR] = "creator", [BY_CLASS] = "class",         [BY_THREAD] = "thread",
	[BY_PROCESS] = "process", [BY_LABEL] = "label:",
};

_Static_assert(MAX_GROUP_KEYS == 4, "grouping_parse() says 4");

static const size_t n_keys = sizeof(key_names) / sizeof(*key_names);

/* The key with this name; n_keys: none. */
static size_t key_find(const char *word, size_t len)
{
	size_t key, n;

	for (key = 0; key < n_keys; key++) {
		n = strlen(key_names[key]);
		if ((key == BY_LABEL ? len > n : len == n) &&
		    !memcmp(word, key_names[key], n))
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
		if (key == n_keys)
			return "unknown key; use goroutine, start, creator, label:NAME, "
			       "class, thread, process or none";
		if (g->n == MAX_GROUP_KEYS)
			return "at most 4 keys";
		g->labels[g->n] = key == BY_LABEL ? word + strlen(key_names[key]) : NULL;
		g->keys[g->n++] = (uint8_t)key;
		if (!word[len])
			return NULL;
	}
}
