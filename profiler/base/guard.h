/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of files that others may cut meanwhile. Reading a page behind the new end of such a file
 * raises SIGBUS, which would end us. A handler puts a page of zeros there instead, and notes that
 * the file has changed: what was read from it since may be wrong. For programs of one thread.
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
	const void *start;
	size_t size;
	volatile sig_atomic_t changed; /* ask guard_changed() */
	size_t last; /* offset of the last byte that is not 0, in the last page */
	uint8_t last_byte;
	struct guard *next;
};

/* g->start and g->size are set, and g stays where it is until guard_remove(). The first one
 * installs the handler. Anywhere else SIGBUS ends us, as ever. */
void guard_add(struct guard *g);
void guard_remove(struct guard *g);
/* Around calls of a library that maps files by itself: between them the handler takes any page. Calls nest. */
void guard_enter(void);
void guard_leave(void);
/* Was the file truncated since? It looks at the file's end: if it says no, what was read before
 * is true. Once changed, a file stays changed. */
bool guard_changed(struct guard *g);
/* How many pages were replaced so far, of all mappings. */
unsigned guard_faults(void);

#endif
