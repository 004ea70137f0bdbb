/* SPDX-License-Identifier: BSD-2-Clause */
/* What all that is loaded into the kernel has in common. */
#ifndef PROFILER_KERNELSIDE_H
#define PROFILER_KERNELSIDE_H

#include <stdint.h>

/* What libbpf says goes to log_debug(). */
void kernelside_log(void);

/* The value of our_pidns: of the namespace whose ids /proc has, and so our user. */
uint32_t kernelside_pidns(void);

#endif
