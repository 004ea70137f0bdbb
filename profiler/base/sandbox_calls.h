/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that are left, for sandbox.c. */
#pragma once

struct sandbox_options;

/* Installs the filter in all threads. None of them may block SIGSYS: a thread that does is
 * killed when the filter refuses a call of it. 0 or a negative errno. */
int sandbox_calls(const struct sandbox_options *o);
