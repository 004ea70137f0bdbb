/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/base/plain.h"

enum log_level log_level = LOG_NORMAL;

static void say(enum log_level least, const char *prefix, const char *fmt, va_list args)
{
	struct buf text = { 0 }, line = { 0 };
	char *raw;

	if (log_level < least || vasprintf(&raw, fmt, args) < 0)
		return;
	buf_str(&text, prefix);
	plain_add(&text, raw);
	buf_u8(&text, 0);
	plain_wrap(&line, (const char *)text.data, plain_width(STDERR_FILENO), 0);
	buf_u8(&line, '\n');
	buf_write(&line, stderr);
	buf_release(&text);
	buf_release(&line);
	free(raw);
}

#define SAY(least, prefix) \
	do { \
		va_list args; \
		va_start(args, fmt); \
		say(least, prefix, fmt, args); \
		va_end(args); \
	} while (0)

void log_error(const char *fmt, ...)
{
	SAY(LOG_QUIET, "gostrobe: ");
}

void log_warn(const char *fmt, ...)
{
	SAY(LOG_QUIET, "gostrobe: ");
}

void log_info(const char *fmt, ...)
{
	SAY(LOG_NORMAL, "");
}

void log_debug(const char *fmt, ...)
{
	SAY(LOG_VERBOSE, "debug: ");
}
