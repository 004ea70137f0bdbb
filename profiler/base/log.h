/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the user, always on stderr. Only profiler/cmd/ may use more than
 * log_debug(). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

extern enum log_level log_level; /* LOG_NORMAL at start */

/* Each prints one line, without a newline in fmt, as plain text (plain.h), wrapped between
 * words on a terminal. log_error() and log_warn() start it with "gostrobe: ". */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* not with -q */
void log_debug(const char *fmt, ...)
	__attribute__((format(printf, 1, 2))); /* only with -v */

#endif
