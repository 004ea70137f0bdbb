/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/palette.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "profiler/profile/origin.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/view.h"

const char *const palette_names[PALETTE_MAX] = {
	[PALETTE_OWN] = "Own code",
	[PALETTE_LIBRARY] = "Libraries",
	[PALETTE_STANDARD] = "Standard library",
	[PALETTE_RUNTIME] = "Go runtime",
	[PALETTE_GC] = "Garbage collector",
	[PALETTE_KERNEL] = "Kernel",
	[PALETTE_NATIVE] = "C",
	[PALETTE_VDSO] = "vDSO",
	[PALETTE_UNNAMED] = "No name",
};

static bool starts_with_any(const char *s, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(s, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

static bool is_gc(const char *func)
{
	static const char *const gc[] = {
		"runtime.gc",         "runtime.(*gc",        "runtime.bgs",
		"runtime.scan",       "runtime.mark",        "runtime.greyobject",
		"runtime.sweep",      "runtime.(*sweep",     "runtime.(*mspan).sweep",
		"runtime.wb",         "runtime.(*wbBuf)",    "runtime.(*scav",
		"runtime.(*spanScan", "runtime.(*spanQueue", NULL
	};

	return starts_with_any(func, gc);
}

static bool is_runtime(const char *func)
{
	static const char *const runtime[] = { "runtime.", "internal/runtime/",
					       "runtime/internal/", NULL };

	return starts_with_any(func, runtime) || !strchr(func, '.');
}

static enum palette palette_of_go(const struct profile *p, const struct frame *f)
{
	const char *func = profile_string(p, f->func);

	if (is_gc(func))
		return PALETTE_GC;
	if (is_runtime(func))
		return PALETTE_RUNTIME;
	switch (origin_of(p, f)) {
	case ORIGIN_OWN: return PALETTE_OWN;
	case ORIGIN_LIBRARY: return PALETTE_LIBRARY;
	default: return PALETTE_STANDARD;
	}
}

enum palette palette_of(const struct view *v, uint32_t row)
{
	const struct profile *p = v->profile;
	const struct frame *f = view_frame(v, row);

	if (row >= p->n_frames)
		return row == p->n_frames + SIGPROF_VDSO ? PALETTE_VDSO : PALETTE_RUNTIME;
	switch (f->kind) {
	case FRAME_UNNAMED:
	case FRAME_CUT: return PALETTE_UNNAMED;
	case FRAME_NATIVE: return PALETTE_NATIVE;
	case FRAME_VDSO: return PALETTE_VDSO;
	case FRAME_KERNEL: return PALETTE_KERNEL;
	default: return f->func ? palette_of_go(p, f) : PALETTE_UNNAMED;
	}
}
