/* SPDX-License-Identifier: BSD-2-Clause */
/* Common to everything that is loaded into the kernel. */
#pragma once

#include <stdint.h>

/* Sends the messages of libbpf to log_debug(). */
void bpfload_log(void);

/* The value of our_pidns: the pid namespace that /proc shows, whose ids our user knows. 0:
 * the initial one. */
uint32_t bpfload_pidns(void);

/* 0, or -EMFILE if n files more are above the limit. libbpf may take this error for a
 * kernel that lacks something. */
int bpfload_files(uint32_t n);
