/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the functions whose calls are to be recorded, and decides where they may be probed:
 * only at an entry that a table of functions has, and only if the process has the file's
 * bytes there. The kernel does not notice a probe inside an instruction; the process dies
 * of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/kernel/probes.h"

struct space;

enum { CALLS_MAX = 10000 /* functions that are probed unless told otherwise */ };

/* What calls_find() has found. { 0 } is empty. */
struct calls {
	struct probe *rows; /* sorted by address; one of runtime.newstack among them */
	uint32_t n, cap;
	uint32_t matches; /* functions that matched, probed or not */
	uint32_t refused; /* matches where the process's bytes are not the file's */
	uint32_t missing; /* index of the first pattern that matches nothing */
	/* Places where functions that match were inlined: calls there are not seen. With
	 * -ENOENT those of the missing pattern. */
	uint32_t inlined;
	char name[256];         /* of a refused function, cut */
	char inlined_name[256]; /* of an inlined one that matches, cut */
};

/* Does a function's name match? A pattern is a name, a glob (`*` and `?`, which match any
 * character), or /REGEX/. A broken regular expression matches nothing. */
bool calls_match(const char *pattern, const char *name);
/* NULL, or what is wrong with a pattern: a static string. */
const char *calls_check(const char *pattern);

/*
 * Finds the functions of the program that match any of n patterns. 0; -ENOENT: a pattern
 * matches none; -ENOTSUP: the Go code is not in the program's file; -ENOEXEC: it has no
 * runtime.newstack, without which calls cannot be counted right. To be ended with
 * calls_release() in any case.
 */
int calls_find(struct calls *ret, struct space *sp, pid_t pid, const char *const *patterns,
	       uint32_t n);
/* The probe at this address in the process; NULL: none. */
struct probe *calls_at(const struct calls *c, uint64_t addr);
void calls_release(struct calls *c);
