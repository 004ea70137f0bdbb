/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file: the options of a verb by their long names, a line each, in the
 * order in which they count. Headings are for people. "#" and ";" begin comments.
 *
 *	[receiver]
 *	to = pyroscope+http://localhost:4040
 *	token = file:/etc/gostrobe/token
 */
#pragma once

#include <stddef.h>

struct arena;
struct opt;

/* The values live in the arena. Returns NULL, or what is wrong and where; static, or valid
 * until the next call. */
const char *config_read(const char *path, const struct opt *opts, struct arena *arena);
/* The same for the text of a file. */
const char *config_parse(const char *text, size_t len, const struct opt *opts,
			 struct arena *arena);
