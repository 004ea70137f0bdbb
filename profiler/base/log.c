/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum log_level log_level = LOG_NORMAL;

static void say(enum log_level least, const char *prefix, const char *fmt, va_list args)
{
	if (log_level < least)
		return;
	flockfile(stderr);
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

#define SAY(least, prefix) \
	do { \
		va_list args; \
		va_start(args, fmt); \
		say(least, prefix, fmt, args); \
		va_end(args); \
	} while (0)

void error(const char *fmt, ...)
{
	SAY(LOG_QUIET, "gostrobe: ");
}

void warn(const char *fmt, ...)
{
	SAY(LOG_QUIET, "gostrobe: ");
}

void info(const char *fmt, ...)
{
	SAY(LOG_NORMAL, "");
}

void debug(const char *fmt, ...)
{
	SAY(LOG_VERBOSE, "debug: ");
}
