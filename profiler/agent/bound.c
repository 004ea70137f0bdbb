/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/bound.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"

struct known_value {
	char *text; /* owned */
	uint64_t seen_ns;
};

/* A label of a service. */
struct known_label {
	char *service, *key; /* owned */
	struct known_value *values;
	uint32_t n, cap;
};

/* Searched one after the other: they are few, and asked for once per sample. */
struct bound {
	uint32_t max;
	uint64_t others;
	struct known_label *labels;
	uint32_t n, cap;
};

struct bound *bound_new(uint32_t max)
{
	struct bound *b = mem_zalloc(sizeof(*b));

	b->max = max;
	return b;
}

uint32_t bound_max(const struct bound *b)
{
	return b->max;
}

static struct known_label *label_get(struct bound *b, const char *service, const char *key)
{
	struct known_label *l;

	for (uint32_t i = 0; i < b->n; i++)
		if (!strcmp(b->labels[i].key, key) &&
		    !strcmp(b->labels[i].service, service))
			return &b->labels[i];
	l = table_add(b->labels, b->n, b->cap);
	l->service = mem_strdup(service);
	l->key = mem_strdup(key);
	return l;
}

const char *bound_value(struct bound *b, const char *service, const char *key,
			const char *value, uint64_t now_ns)
{
	struct known_label *l = label_get(b, service, key);

	for (uint32_t i = 0; i < l->n; i++)
		if (!strcmp(l->values[i].text, value)) {
			l->values[i].seen_ns = now_ns;
			return value;
		}
	if (l->n == b->max) {
		b->others++;
		return BOUND_OTHER;
	}
	*table_add(l->values, l->n, l->cap) = (struct known_value){ mem_strdup(value),
								    now_ns };
	return value;
}

/* Forgets what was not seen since; true: there is nothing left. */
static bool label_tidy(struct known_label *l, uint64_t since_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->values[i].seen_ns >= since_ns)
			l->values[n++] = l->values[i];
		else
			free(l->values[i].text);
	}
	l->n = n;
	if (n)
		return false;
	free(l->values);
	free(l->service);
	free(l->key);
	return true;
}

static void tidy(struct bound *b, uint64_t since_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (!label_tidy(&b->labels[i], since_ns))
			b->labels[n++] = b->labels[i];
	b->n = n;
}

void bound_tidy(struct bound *b, uint64_t now_ns)
{
	const uint64_t keep = BOUND_KEEP_S * (uint64_t)SECOND;

	tidy(b, now_ns > keep ? now_ns - keep : 0);
}

uint64_t bound_others(const struct bound *b)
{
	return b->others;
}

void bound_free(struct bound *b)
{
	if (!b)
		return;
	tidy(b, UINT64_MAX);
	free(b->labels);
	free(b);
}
