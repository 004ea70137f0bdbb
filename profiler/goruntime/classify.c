/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/classify.h"

#include <string.h>

#include "bpf/sample.h"
#include "symbolizer/frame.h"

enum event_class classify(uint32_t flags, bool goroutine, const char *start,
			  uint8_t leaf_kind)
{
	if (flags & SAMPLE_STARTING)
		return CLASS_STARTING;
	if (flags & (SAMPLE_GSIGNAL | SAMPLE_HANDLER))
		return CLASS_SIGNAL;
	if (flags & SAMPLE_NO_G)
		return CLASS_C;
	if (flags & (SAMPLE_G_FAULT | SAMPLE_NO_LAYOUT))
		return flags & SAMPLE_KERNEL ? CLASS_KERNEL : CLASS_UNKNOWN;
	if (!strcmp(start, "runtime.gcBgMarkWorker") || !strcmp(start, "runtime.bgsweep") ||
	    !strcmp(start, "runtime.bgscavenge"))
		return CLASS_GC;
	if (!goroutine)
		return CLASS_SCHEDULER;
	if (flags & SAMPLE_CGO && (leaf_kind == FRAME_UNNAMED || leaf_kind == FRAME_NATIVE))
		return CLASS_CGO;
	if (flags & SAMPLE_KERNEL)
		return CLASS_KERNEL;
	return flags & SAMPLE_G0 ? CLASS_RUNTIME : CLASS_USER;
}
