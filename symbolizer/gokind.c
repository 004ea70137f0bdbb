/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/gokind.h"

#include <stdlib.h>
#include <string.h>

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

enum frame_kind gokind_of(const char *name)
{
	const struct special *s = NULL;

	if (*name == 'r' || *name == '_' || *name == 'g')
		s = bsearch(name, specials, sizeof(specials) / sizeof(*specials),
			    sizeof(*specials), name_cmp);
	return s ? s->kind : FRAME_GO;
}
