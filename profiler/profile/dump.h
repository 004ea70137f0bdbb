/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look at all goroutines of a process. Each is an event of a profile, of the kind
 * "goroutine", so whatever selects, groups and writes events does so with goroutines. What
 * events have no room for is beside them: the state of each goroutine, and what it waits
 * for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/index.h"

struct buf;
struct frame;
struct profile;

enum wait_object_kind {
	OBJECT_CHAN,
	OBJECT_FILE, /* a file descriptor that the runtime polls */
	OBJECT_MUTEX,
	OBJECT_RWMUTEX,
	OBJECT_WAITGROUP,
	OBJECT_COND,
	OBJECT_SEMA, /* a semaphore of something else */
	OBJECT_SYSCALL,
	OBJECT_KINDS
};

/* What goroutines wait for. */
struct wait_object {
	/* Up to here: what tells it from others. */
	uint64_t addr;    /* in the process; 0: it has none */
	uint32_t process; /* row of the profile */
	uint32_t kind;    /* enum wait_object_kind */
	uint32_t name;    /* string: of OBJECT_SYSCALL, "fsync"; "C code" */
	uint32_t fd;      /* of OBJECT_FILE and OBJECT_SYSCALL, + 1; 0: none */
	uint32_t file;    /* string: "tcp 10.0.0.1:80 <- 10.0.0.2:9", "/var/log/x"; 0 */
	uint32_t tid;     /* of OBJECT_SYSCALL: the thread */

	uint32_t waiters;  /* goroutines that wait for it, that were read */
	uint32_t symbol;   /* string: "main.mu", of a global; 0: it is none, or not known */
	bool closed;       /* a channel */
	uint64_t len, cap; /* of a channel */
	uint32_t word;     /* of OBJECT_MUTEX and OBJECT_RWMUTEX (w): its state */
	int32_t readers, left; /* of OBJECT_RWMUTEX: readerCount, readerWait */
	uint32_t counter;      /* of OBJECT_WAITGROUP */
};

enum { WAIT_OBJECT_KEY = 32 };

enum {
	STATE_UNMOVED = 1, /* has not run between the two looks */
	STATE_WRITE = 2,   /* waits to write to the file */
	STATE_LOCKED = 4,  /* to a thread */
	STATE_SYSTEM = 8,  /* of the runtime itself */
	STATE_SCAN = 16,
};

struct goroutine_state {
	uint64_t g;        /* its address */
	uint64_t mark;     /* equal at two looks: it has not run between them */
	uint64_t since_ns; /* blocked for at least that long at the look; 0: not known */
	int64_t until_ns;  /* a sleep: how long from the look; INT64_MIN: not known */
	uint32_t state;    /* string: "chan receive", "running" */
	uint32_t tid;      /* running, or in a system call; 0: none */
	uint32_t created;  /* row of profile->frames: the go statement; 0: not known */
	uint32_t objects;  /* row of dump->waits, the first of n_objects */
	uint16_t n_objects, cases; /* cases: of a select, all that wait */
	uint8_t flags;             /* STATE_* */
};

struct dump {
	struct profile *profile;        /* owned */
	struct goroutine_state *states; /* owned: one for each event */
	uint32_t n, cap;
	struct wait_object *objects; /* owned; row 0 is none */
	uint32_t n_objects, cap_objects;
	struct index object_index;
	uint32_t *waits; /* owned: rows of objects */
	uint32_t n_waits, cap_waits;

	uint64_t lost, again;    /* could not be read; had to be read again */
	uint64_t took_ns;        /* of the first look */
	uint64_t between_ns;     /* the second look was so much later; 0: there was none */
	bool counted;            /* the runtime counts how often a goroutine has run */
	bool damaged;            /* the list of goroutines ends early */
	const char *not_go_part; /* static: why another runtime was left out; NULL */
};

/* { 0 } with an empty profile. */
void dump_init(struct dump *d);
void dump_release(struct dump *d); /* takes { 0 } */

/* Counts one more waiter of the object, and returns its row. The rest of it is what was
 * seen last. */
uint32_t dump_object(struct dump *d, const struct wait_object *o);
/* The i-th object of a goroutine. */
const struct wait_object *dump_wait(const struct dump *d, const struct goroutine_state *s,
				    uint32_t i);

/* Would the runtime's own traceback show this function? first: it is the innermost. */
bool dump_shows(const char *func, bool first);
/* Is a goroutine with this start function of the runtime itself, by the runtime's rule? */
bool start_is_system(const char *start);
