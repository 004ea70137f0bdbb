/* SPDX-License-Identifier: BSD-2-Clause */
/* What the goroutines of a dump wait for: from an address to what it is. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct dump;
struct event;
struct files;
struct goroutine_seen;
struct goroutine_state;
struct goroutines;
struct memory;

struct dump_waits {
	struct dump *dump;
	struct goroutines *reader;
	struct memory *memory;
	struct files *files;
	pid_t pid;
	uint32_t process; /* row of the profile */
};

/* Adds the objects of a goroutine, which is the event e of the profile and st of the
 * dump. */
void dump_waits_add(struct dump_waits *w, struct goroutine_state *st, const struct event *e,
		    const struct goroutine_seen *s);
