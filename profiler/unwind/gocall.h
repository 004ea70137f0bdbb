/* SPDX-License-Identifier: BSD-2-Clause */
/* What Go code calls, by the instruction before a return address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct object;
struct space;

/* The bytes of code from addr on, in its file; bad: there are none. code_at() takes an
 * address in the process, code_in() one in the file of o, which may be NULL. */
struct cursor code_at(const struct space *space, uint64_t addr);
struct cursor code_in(const struct object *o, uint64_t addr);

/* Is ra behind a direct call in Go code? Sets *target to what it calls. */
bool gocall_target(struct space *space, uint64_t ra, uint64_t *target);
/* Is ra behind a call through a register? */
bool gocall_by_register(struct space *space, uint64_t ra);
/* Does a function of assembly begin at pc? */
bool gocall_is_assembly(struct space *space, uint64_t pc);
enum { GOCALL_JUMPS = 3 };
/*
 * Does the assembly at pc begin at `to`, or jump there, directly or through at most `jumps`
 * other functions? Reads from pc to the function's end, or `end`. each, if not NULL, is
 * called with every address that this code loads.
 */
bool gocall_follow(struct space *space, uint64_t pc, uint64_t end, int jumps, uint64_t to,
		   void (*each)(void *arg, uint64_t addr), void *arg);
/* Can ra be the return address of the function that pc is in? Yes if Go code calls that
 * function there, or something that is not known. */
bool gocall_may_be_of(struct space *space, uint64_t ra, uint64_t pc);
