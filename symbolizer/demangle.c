/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/demangle.h"

#include <stdbool.h>
#include <string.h>

#include <libiberty/demangle.h>

enum { MAX_MANGLED = 4 << 10 };

static void add(const char *s, size_t n, void *arg)
{
	struct demangled *d = arg;

	if (n >= sizeof(d->text) - d->len)
		longjmp(d->too_long, 1);
	memcpy(d->text + d->len, s, n);
	d->len += n;
	d->text[d->len] = 0;
}

/* If the result gets too long, leaves by longjmp(): libiberty keeps everything on the stack
 * here. */
static __attribute__((noinline)) bool demangle_text(struct demangled *d, const char *name)
{
	if (setjmp(d->too_long))
		return false;
	/* Rust first: its old names are valid C++ names too, with a hash at the end */
	d->len = 0;
	if (rust_demangle_callback(name, DMGL_NO_OPTS, add, d))
		return true;
	d->len = 0;
	return cplus_demangle_v3_callback(name, DMGL_NO_OPTS, add, d);
}

const char *demangle(struct demangled *d, const char *name)
{
	size_t n = strcspn(name, "@");
	char plain[MAX_MANGLED];

	if (n >= MAX_MANGLED || (!name[n] && *name != '_'))
		return name;
	memcpy(plain, name, n);
	plain[n] = 0;
	if (*name == '_' && demangle_text(d, plain) && d->len)
		return d->text;
	memcpy(d->text, plain, n + 1);
	return d->text;
}
