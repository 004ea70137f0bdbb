/* SPDX-License-Identifier: BSD-2-Clause */
/* What the instruction before a return address in Go code calls. */
#ifndef PROFILER_GOCALL_H
#define PROFILER_GOCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct space;

/* The bytes of code from addr on, in its file; bad: there are none. */
struct cursor code_at(const struct space *space, uint64_t addr);

/* Is ra behind a direct call in Go code? Of *target then. */
bool gocall_target(struct space *space, uint64_t ra, uint64_t *target);
/* Is ra behind a call of what a register points to? */
bool gocall_by_register(struct space *space, uint64_t ra);
/* Does a function of assembly begin at pc? */
bool gocall_is_assembly(struct space *space, uint64_t pc);
enum { GOCALL_JUMPS = 3 };
/*
 * Assembly from pc to its end or `end`, and what it jumps to, at most `jumps` one after the other: does that
 * jump to `to`, or begin there? each, if not NULL, gets the addresses that it loads before that.
 */
bool gocall_follow(struct space *space, uint64_t pc, uint64_t end, int jumps, uint64_t to,
		   void (*each)(void *arg, uint64_t addr), void *arg);
/* Can ra be the return address of the function that pc is in? Go code calls it there, or something
 * that is not known. */
bool gocall_may_be_of(struct space *space, uint64_t ra, uint64_t pc);

#endif
