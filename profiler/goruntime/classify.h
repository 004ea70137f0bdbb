/* SPDX-License-Identifier: BSD-2-Clause */
/* Derives the class of a sample from what the kernel side read of its thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/profile/class.h"

/* flags: enum sample_flags. start: the goroutine's start function, or "". leaf_kind: enum
 * frame_kind of the leaf. */
enum event_class classify(uint32_t flags, bool goroutine, const char *start,
			  uint8_t leaf_kind);
