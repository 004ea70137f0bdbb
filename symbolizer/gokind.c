/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/gokind.h"

#include <stddef.h>
#include <string.h>

/* The special functions, sorted by name. Other architectures use the same names. */
static const struct {
	const char *name;
	enum frame_kind kind;
} special[] = {
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

enum frame_kind gokind_of(const char *name)
{
	size_t lo = 0, hi = sizeof(special) / sizeof(*special);

	if (*name != 'r' && *name != '_' && *name != 'g')
		return FRAME_GO;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = strcmp(name, special[mid].name);

		if (!cmp)
			return special[mid].kind;
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return FRAME_GO;
}
