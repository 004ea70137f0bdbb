/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens, in logfmt: one line per event, from any thread. The same event with the
 * same first LOGGER_SUBJECT pairs, such as a receiver and a cause, is written once in
 * LOGGER_QUIET_S at most; the next line says how many were not.
 */
#pragma once

#include <stdint.h>

enum { LOGGER_QUIET_S = 10, LOGGER_SLOTS = 256, LOGGER_SUBJECT = 2 };

enum logger_level { LOGGER_ERROR, LOGGER_WARN, LOGGER_INFO };

struct logger;

/* print gets each line, without newline. */
struct logger *logger_new(void (*print)(enum logger_level level, const char *line));
void logger_free(struct logger *l); /* takes NULL */
/* Keys and values, ended by NULL. A pair whose value is NULL is left out. */
void logger_event(struct logger *l, enum logger_level level, const char *event, ...)
	__attribute__((sentinel));
