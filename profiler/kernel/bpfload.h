/* SPDX-License-Identifier: BSD-2-Clause */
/* Common to everything that is loaded into the kernel. */
#pragma once

#include <stdint.h>

/* Sends the messages of libbpf to log_debug(). */
void bpfload_log(void);

/* The value of our_pidns: the pid namespace that /proc shows, whose ids our user knows. 0:
 * the initial one. */
uint32_t bpfload_pidns(void);
