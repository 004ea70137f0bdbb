/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/logger.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/index.h"
#include "profiler/base/plain.h"

/* The last event that came to a slot; another one that meets it there is written. */
struct slot {
	uint64_t hash, until_ns;
	uint64_t left_out;
};

struct logger {
	void (*print)(enum logger_level level, const char *line);
	pthread_mutex_t lock;
	struct slot slots[LOGGER_SLOTS];
};

struct logger *logger_new(void (*print)(enum logger_level level, const char *line))
{
	struct logger *l = mem_zalloc(sizeof(*l));

	l->print = print;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void logger_free(struct logger *l)
{
	if (l)
		pthread_mutex_destroy(&l->lock);
	free(l);
}

static void add_pair(struct buf *b, const char *key, const char *value)
{
	struct buf text = { 0 };
	const char *s;

	plain_add(&text, value);
	s = buf_text(&text);
	buf_printf(b, "%s%s=", b->len ? " " : "", key);
	if (*s && !strpbrk(s, " =\"\\")) {
		buf_str(b, s);
	} else {
		buf_u8(b, '"');
		for (; *s; s++)
			buf_printf(b, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
		buf_u8(b, '"');
	}
	buf_release(&text);
}

static void add_time(struct buf *b)
{
	uint64_t ns = clock_ns(CLOCK_REALTIME);
	time_t s = (time_t)(ns / SECOND);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
	buf_printf(b, "time=%s.%03" PRIu64 "Z", text, ns % SECOND / 1000000);
}

/* False: not now. *left_out: how many since the last one that was written. */
static bool may_write(struct logger *l, uint64_t hash, uint64_t *left_out)
{
	struct slot *slot = &l->slots[hash % LOGGER_SLOTS];
	uint64_t now = clock_now_ns();

	if (slot->hash == hash && now < slot->until_ns) {
		slot->left_out++;
		return false;
	}
	*left_out = slot->hash == hash ? slot->left_out : 0;
	*slot = (struct slot){ .hash = hash,
			       .until_ns = now + LOGGER_QUIET_S * (uint64_t)SECOND };
	return true;
}

void logger_event(struct logger *l, enum logger_level level, const char *event, ...)
{
	static const char *const levels[] = { "error", "warn", "info" };
	uint64_t left_out, hash = hash_bytes(event, strlen(event));
	const char *key, *value;
	struct buf b = { 0 };
	va_list args;
	int n = 0;

	add_time(&b);
	add_pair(&b, "level", levels[level]);
	add_pair(&b, "msg", event);
	va_start(args, event);
	while ((key = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		if (value && n++ < LOGGER_SUBJECT)
			hash = hash_pair(hash, hash_bytes(value, strlen(value)));
		if (value)
			add_pair(&b, key, value);
	}
	va_end(args);
	pthread_mutex_lock(&l->lock);
	if (may_write(l, hash, &left_out)) {
		if (left_out)
			buf_printf(&b, " suppressed=%" PRIu64, left_out);
		l->print(level, buf_text(&b));
	}
	pthread_mutex_unlock(&l->lock);
	buf_release(&b);
}
