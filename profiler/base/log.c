/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/base/plain.h"

enum log_level log_level = LOG_NORMAL;
struct buf *log_diverted;

/* Without the prefix: the line is part of another one. */
static void divert(enum log_level least, const char *text)
{
	if (least != LOG_QUIET)
		return;
	if (log_diverted->len)
		buf_u8(log_diverted, '\n');
	plain_add(log_diverted, text);
}

void log_line(enum log_level least, const char *prefix, const char *fmt, ...)
{
	struct buf text = { 0 }, line = { 0 };
	va_list args;
	char *raw;
	int n;

	if (log_level < least && !log_diverted)
		return;
	va_start(args, fmt);
	n = vasprintf(&raw, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if (log_diverted) {
		divert(least, raw);
		free(raw);
		return;
	}
	buf_str(&text, prefix);
	plain_add(&text, raw);
	plain_wrap(&line, buf_text(&text), plain_width(STDERR_FILENO), 0);
	buf_u8(&line, '\n');
	buf_write(&line, stderr);
	buf_release(&text);
	buf_release(&line);
	free(raw);
}
