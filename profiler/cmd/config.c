/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/cmd/opt.h"

enum { MAX_CONFIG = 1 << 20 };

struct config {
	const struct opt *opts;
	struct arena *arena;
	const char *at, *end; /* what is left of the text */
	unsigned line;
	char why[256]; /* the first error; "": none */
};

static void complain(struct config *c, const char *what, const char *why)
{
	if (!*c->why)
		snprintf(c->why, sizeof(c->why), "line %u: %s%s%s", c->line, what,
			 *what ? ": " : "", why);
}

/* The library's next line; NULL: there is none. It cuts what is too long for it, so that
 * must not come. */
static char *next_line(char *to, int size, void *config)
{
	struct config *c = config;
	const char *end;
	size_t n;

	if (c->at == c->end || *c->why)
		return NULL;
	end = memchr(c->at, '\n', (size_t)(c->end - c->at));
	n = (size_t)((end ? end : c->end) - c->at);
	c->line++;
	if (n + 3 > (size_t)size) {
		snprintf(c->why, sizeof(c->why), "line %u is longer than %d bytes", c->line,
			 size - 3);
		return NULL;
	}
	if (memchr(c->at, 0, n)) {
		complain(c, "", "it is not text");
		return NULL;
	}
	memcpy(to, c->at, n);
	to[n] = 0;
	c->at = end ? end + 1 : c->end;
	return to;
}

static int on_pair(void *config, const char *section, const char *name, const char *value)
{
	struct config *c = config;
	const char *why;

	(void)section;
	value = arena_strndup(c->arena, value, strlen(value));
	why = opt_set(c->opts, name, value);
	if (why)
		complain(c, name, why);
	return !why;
}

const char *config_parse(const char *text, size_t len, const struct opt *opts,
			 struct arena *arena)
{
	static struct config c;
	int err;

	c = (struct config){ .opts = opts, .arena = arena, .at = text, .end = text + len };
	ini_allow_multiline = false; /* an indented line is one like others */
	err = ini_parse_stream(next_line, &c, on_pair, &c);
	/* the library goes on after a line that it does not understand */
	if (err > 0 && (!*c.why || (unsigned)err < c.line))
		snprintf(c.why, sizeof(c.why), "line %d is not NAME = VALUE", err);
	return *c.why ? c.why : NULL;
}

const char *config_read(const char *path, const struct opt *opts, struct arena *arena)
{
	struct buf text = { 0 };
	const char *why;
	int err = file_read(AT_FDCWD, path, MAX_CONFIG, &text);

	why = err ? strerror(-err) : config_parse(buf_text(&text), text.len, opts, arena);
	buf_release(&text);
	return why;
}
