/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of files that others may truncate. Reading a page beyond the new end of such a
 * file raises SIGBUS, which would end the program. A handler maps a page of zeros there
 * instead and records that the file has changed: what was read from it since may be wrong.
 * SIGBUS of anything else has the effect that it had before guard_add().
 * For single-threaded programs.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
	const void *start;
	size_t size;
	volatile sig_atomic_t changed; /* ask guard_changed() */
	size_t last; /* offset of the last non-zero byte in the last page */
	uint8_t last_byte;
	struct guard *next;
};

/* g->start and g->size must be set, and g must not move before guard_remove(). The first
 * call installs the handler. */
void guard_add(struct guard *g);
void guard_remove(struct guard *g);
/* Call these around calls of a library that maps files itself: in between, the handler
 * accepts any page. Calls may nest. */
void guard_enter(void);
void guard_leave(void);
/* Was the file truncated since? Checks the end of the file: if the answer is no, everything
 * read before is right. A changed file stays changed. */
bool guard_changed(struct guard *g);
/* The number of pages replaced so far in all mappings. */
unsigned guard_faults(void);
