/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes at the entries of functions. They all hang on one link, which the kernel takes
 * away with us, however we end. Needs Linux 6.6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* expected_attach_type of a program that probes_attach() takes */
enum { PROBES_ATTACH_TYPE = 48 /* BPF_TRACE_UPROBE_MULTI */ };

struct probe {
	uint64_t offset; /* in the file */
	uint64_t cookie; /* what the program gets to know of it */
	bool off;        /* not to be attached */
	bool refused;    /* the kernel does not take it; then it is off too */
	/* for the caller: its address in the process, the function's name, and whether this
	 * is that function's entry */
	uint64_t addr;
	bool entry;
	char *name;
};

/* The functions of one file that are to be probed, in one process only. */
struct probes {
	const char *path;
	pid_t pid;
	struct probe *rows;
	uint32_t n;
};

/*
 * Attaches a program to the probes that are not off. `tag`, not 0, is in bits 56 and above
 * of their cookies. Those that the kernel refuses are turned off. The kernel does not
 * notice an offset inside an instruction, and the process dies of it: the caller has
 * verified them.
 * Returns the link, or a negative errno; -ENOENT: no probe is left.
 */
int probes_attach(int prog, const struct probes *p, uint8_t tag);
