/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the functions whose calls are to be recorded, and decides where they may be probed:
 * only at an entry that a table of functions has, or where the control flow of a function
 * enters a copy that was inlined there (symbolizer/goinline.h), and only if the process has
 * the file's bytes there. The kernel does not notice a probe inside an instruction; the
 * process dies of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/kernel/probes.h"

struct space;

enum { CALLS_MAX = 10000 /* places that are probed unless told otherwise */ };

/* A copy of a function that is probed. Several may be entered at one address, one in the
 * other. */
struct call_copy {
	uint64_t addr; /* of the probe, in the process */
	uint64_t body; /* in the body, but in none that was inlined there */
};

/* What calls_find() has found. { 0 } is empty. */
struct calls {
	bool no_inlined; /* set by the caller: copies are not probed */

	struct probe *rows; /* sorted by address; one of runtime.newstack among them */
	uint32_t n, cap;
	struct call_copy *copies; /* sorted by address */
	uint32_t n_copies, cap_copies;
	uint32_t entries;   /* of functions that match, among rows */
	uint32_t functions; /* that match, probed or not */
	uint32_t refused;   /* they or copies: the process has other bytes than the file */
	uint32_t unseen;    /* copies that match and are not probed */
	uint32_t missing;   /* index of the first pattern of which nothing is probed */
	/* A pattern that matches copies but no function; NULL: each matches functions. */
	const char *copies_only;
	uint32_t places;       /* copies that match the missing pattern, or copies_only */
	char name[256];        /* of a refused function, cut */
	char copied[256];      /* of one with copies, cut */
	char unseen_name[256]; /* of one whose copies are not probed, cut */
};

/* Does a function's name match? A pattern is a name, a glob (`*` and `?`, which match any
 * character), or /REGEX/. A broken regular expression matches nothing. */
bool calls_match(const char *pattern, const char *name);
/* NULL, or what is wrong with a pattern: a static string. */
const char *calls_check(const char *pattern);

/*
 * Finds the functions of the program that match any of n patterns, and their copies. 0;
 * -ENOENT: nothing can be probed of a pattern; -ENOTSUP: the Go code is not in the
 * program's file; -ENOEXEC: it has no runtime.newstack, without which calls cannot be
 * counted right. To be ended with calls_release() in any case.
 */
int calls_find(struct calls *ret, struct space *sp, pid_t pid, const char *const *patterns,
	       uint32_t n);
/* The copies that are entered at this address in the process: their number, *ret the first
 * of them. */
uint32_t calls_copies(const struct calls *c, uint64_t addr, const struct call_copy **ret);
/* The probe at this address in the process; NULL: none. */
struct probe *calls_at(const struct calls *c, uint64_t addr);
void calls_release(struct calls *c);
