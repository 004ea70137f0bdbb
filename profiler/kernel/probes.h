/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes at the entries of functions. They all hang on one link, which the kernel takes
 * away with us, however we end. Kernels before Linux 6.6 have no such links: there each
 * probe is a perf event of its own, and to close one takes a tenth of a second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* expected_attach_type of a program that probes_attach() takes */
enum { PROBES_ATTACH_TYPE = 48 /* BPF_TRACE_UPROBE_MULTI */ };

/* Without such links at most so many are probed. */
enum { PROBES_EACH_MAX = 200 };

/* Can this kernel hang all probes on one link? */
bool probes_multi(void);

struct probe {
	uint64_t offset; /* in the file */
	uint64_t cookie; /* what the program gets to know of it */
	bool off;        /* not to be attached */
	bool refused;    /* the kernel does not take it; then it is off too */
	/* The kernel probably refuses it: is tried alone if it refuses the whole, which
	 * takes less time than searching. */
	bool doubtful;
	/* for the caller: its address in the process, the function's name, and whether this
	 * is that function's entry */
	uint64_t addr;
	bool entry;
	int link; /* of probes_attach_each(), plus 1; 0: none */
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
 * Attaching and detaching go on to their end if we are killed (apart.h): else the kernel
 * would leave probes in the process.
 *
 * Attaches a program to the probes that are not off. `tag`, not 0, is in bits 56 and above
 * of their cookies. Those that the kernel refuses are turned off. The kernel does not
 * notice an offset inside an instruction, and the process dies of it: the caller has
 * verified them.
 * Returns the link, or a negative errno; -ENOENT: no probe is left.
 */
int probes_attach(int prog, const struct probes *p, uint8_t tag);
/* Closes that link. */
void probes_detach(int link);
/* The same without such links: attaches those that are neither attached nor off, and
 * detaches those that are attached and off. 0 or a negative errno. */
int probes_attach_each(int prog, const struct probes *p, uint8_t tag);
void probes_detach_each(const struct probes *p);
