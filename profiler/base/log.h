/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the user, always on stderr. Only profiler/cmd/ may use more than
 * log_debug(). */
#pragma once

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

extern enum log_level log_level; /* LOG_NORMAL at start */

struct buf;
/* NULL, or where log_error() and log_warn() go instead of stderr, their lines one after the
 * other; log_info() goes nowhere then. For one thread. */
extern struct buf *log_diverted;

/* Each prints one line, without a newline in fmt, as plain text (plain.h), wrapped between
 * words on a terminal. */
#define log_error(...) log_line(LOG_QUIET, "gostrobe: ", __VA_ARGS__)
#define log_warn(...)  log_line(LOG_QUIET, "gostrobe: ", __VA_ARGS__)
#define log_info(...)  log_line(LOG_NORMAL, "", __VA_ARGS__)         /* not with -q */
#define log_debug(...) log_line(LOG_VERBOSE, "debug: ", __VA_ARGS__) /* only with -v */

void log_line(enum log_level least, const char *prefix, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
