/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/goname.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"

enum {
	CUTS_ONCE = 21,  /* symbols have type arguments; before, the linker cut them */
	CUTS_TWICE = 27, /* generic methods of generic types have two lists */
};

/*
 * Looks between the first '[' and the last ']' for the place where a first list of type
 * arguments closes and a second one opens. Leaves *close and *open alone if there is only
 * one list. False: the brackets are not such lists.
 */
static bool lists_find(const char *from, const char *to, const char **close,
		       const char **open)
{
	int depth = 1;

	if (!memchr(from, '[', (size_t)(to - from)))
		return true;
	for (const char *s = from; s < to; s++) {
		if (*s == '[' && ++depth == 1) {
			*open = s;
			break;
		}
		if (*s != ']')
			continue;
		if (--depth < 0)
			return false;
		if (!depth)
			*close = s;
	}
	return depth == 1;
}

void goname_add(struct buf *b, const char *name, int minor)
{
	const char *first = strchr(name, '['), *last = first ? strrchr(first, ']') : NULL;
	const char *close = last, *open = last;

	if (!last || (minor >= 0 && minor < CUTS_ONCE) ||
	    ((minor < 0 || minor >= CUTS_TWICE) &&
	     !lists_find(first + 1, last, &close, &open))) {
		buf_str(b, name);
		return;
	}
	buf_add(b, name, (size_t)(first - name));
	buf_str(b, "[...]");
	if (close < open) {
		buf_add(b, close + 1, (size_t)(open - close - 1));
		buf_str(b, "[...]");
	}
	buf_str(b, last + 1);
}

/* The special functions, sorted by name. Other architectures use the same names. */
static const struct special {
	const char *name;
	enum frame_kind kind;
} specials[] = {
	{ "_rt0_amd64", FRAME_MSTART },
	{ "_rt0_amd64_lib", FRAME_MSTART },
	{ "_rt0_amd64_linux", FRAME_MSTART },
	{ "_rt0_amd64_linux_lib", FRAME_MSTART },
	{ "_rt0_arm64_linux", FRAME_MSTART },
	{ "_rt0_arm64_linux_lib", FRAME_MSTART },
	{ "gogo", FRAME_MCALL }, /* runtime.gogo jumps there */
	{ "runtime.asmcgocall", FRAME_ASMCGOCALL },
	{ "runtime.asyncPreempt", FRAME_INJECTED },
	{ "runtime.cgoSigtramp", FRAME_SIGTRAMP },
	{ "runtime.cgocallback", FRAME_CGOCALLBACK },
	{ "runtime.debugCallV2", FRAME_INJECTED },
	{ "runtime.goexit", FRAME_GOEXIT },
	{ "runtime.gopanic", FRAME_PANIC },
	{ "runtime.mcall", FRAME_MCALL },
	{ "runtime.morestack", FRAME_MORESTACK },
	{ "runtime.morestack_noctxt", FRAME_MORESTACK },
	{ "runtime.mstart", FRAME_MSTART },
	{ "runtime.panicwrap", FRAME_PANIC },
	{ "runtime.rt0_go", FRAME_MSTART },
	{ "runtime.sigpanic", FRAME_SIGPANIC },
	{ "runtime.sigpanic0", FRAME_SIGPANIC }, /* jumps to sigpanic (1.17) */
	{ "runtime.sigreturn", FRAME_SIGTRAMP },
	{ "runtime.sigreturn__sigaction", FRAME_SIGTRAMP },
	{ "runtime.sigtramp", FRAME_SIGTRAMP },
	{ "runtime.systemstack", FRAME_SYSTEMSTACK },
};

static int name_cmp(const void *name, const void *row)
{
	return strcmp(name, ((const struct special *)row)->name);
}

enum frame_kind goname_kind(const char *name)
{
	const struct special *s = NULL;

	if (*name == 'r' || *name == '_' || *name == 'g')
		s = bsearch(name, specials, sizeof(specials) / sizeof(*specials),
			    sizeof(*specials), name_cmp);
	return s ? s->kind : FRAME_GO;
}
