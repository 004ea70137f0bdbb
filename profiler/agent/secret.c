/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/file.h"

enum { MAX_SECRET = 64 << 10 };

const char *secret_check(const char *from)
{
	if (!strncmp(from, "file:", 5) && from[5])
		return NULL;
	if (!strncmp(from, "env:", 4) && from[4])
		return NULL;
	return "takes file:PATH or env:NAME, never the secret itself";
}

const char *secret_read(const char *from, struct buf *to)
{
	const char *value;

	if (!strncmp(from, "env:", 4)) {
		value = getenv(from + 4);
		if (!value || !*value)
			return "the environment variable is not set";
		buf_str(to, value);
	} else if (file_read(AT_FDCWD, from + 5, MAX_SECRET, to)) {
		return "the file cannot be read";
	}
	while (to->len && strchr(" \t\r\n", to->data[to->len - 1]))
		to->len--;
	if (!to->len)
		return "it is empty";
	for (size_t i = 0; i < to->len; i++)
		if (to->data[i] < 0x20 || to->data[i] == 0x7f)
			return "it has a control character";
	return NULL;
}
