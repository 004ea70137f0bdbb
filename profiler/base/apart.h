/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that must not be cut short by SIGKILL. */
#pragma once

#include <sched.h>

/* of clone(); the sandbox allows these and no others */
enum { APART_FLAGS = CLONE_VM | CLONE_VFORK | CLONE_FILES };

/*
 * Calls fn in a process of its own, which shares our memory and open files, and waits for
 * it. If we are killed meanwhile, fn goes on to its end in that process, and what we had
 * open is closed then. No signal but SIGKILL reaches it. Returns what fn returns; -EINTR if
 * that process was killed. If there can be no such process, fn is called in this one.
 */
int apart_run(int (*fn)(void *arg), void *arg);
