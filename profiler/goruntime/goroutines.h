/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the goroutines of a program from outside, those that wait too: state, stack, labels
 * and what each waits for. Nothing is stopped and nothing is written, so it also works when
 * the program hangs or is stopped.
 *
 *	runtime.allgs ---> [ g g g g ... ]	only grows; a g of a goroutine that has
 *		    |				ended is used again
 *		    v
 *		 header, stack, header again
 *
 * The program runs on meanwhile. A goroutine is only reported if its header was the same
 * before and after its stack was read: since Go 1.17 that includes g.trackingSeq, which
 * counts how often it has stopped running. Where that says nothing (in system calls, and
 * before Go 1.17) the stack is read twice too. What has changed is read again alone, and
 * counted if it never stands still.
 *
 * One reader reads one Go runtime. Offsets beyond those of golayout.h were compared with
 * DWARF for Go 1.13 to 1.27.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/goruntime/golayout.h"
#include "profiler/goruntime/memory.h"

struct go_runtime;
struct goroutines;
struct space;

/* runtime2.go */
enum goroutine_status {
	STATUS_IDLE = 0,
	STATUS_RUNNABLE = 1,
	STATUS_RUNNING = 2, /* sched is stale, and so there is no stack */
	STATUS_SYSCALL = 3,
	STATUS_WAITING = 4,
	STATUS_DEAD = 6,
	STATUS_COPYSTACK = 8,
	STATUS_PREEMPTED = 9,
	STATUS_LEAKED = 10,
	STATUS_DEADEXTRA = 11,
	STATUS_SCAN = 0x1000, /* a bit: the GC reads its stack now */
};

/* What its g says. Addresses are of the process. */
struct goroutine_header {
	uint64_t lo, hi;     /* its stack */
	uint64_t sp, pc, bp; /* of sched */
	uint64_t syscallsp, syscallpc;
	uint64_t goid, parent_goid; /* parent 0: not known */
	uint64_t startpc, gopc;     /* as in struct sample */
	uint64_t m;
	uint64_t lockedm; /* 0: it is not locked to a thread */
	uint64_t waiting; /* its sudogs: where it stands in queues of channels */
	uint64_t labels;
	/* CLOCK_MONOTONIC of the process: it is blocked at least since then; 0: unknown */
	uint64_t since_ns;
	uint64_t wake;   /* Go 1.23: sleepWhen; before: address of its timer */
	uint32_t status; /* enum goroutine_status, without STATUS_SCAN */
	uint8_t reason;  /* of STATUS_WAITING: goroutines_reason() */
	uint8_t seq;     /* trackingSeq; 0 before Go 1.17 */
	bool scan;       /* STATUS_SCAN is set */
};

enum wait_kind {
	WAIT_NONE,   /* for nothing that has an address, or it was not found */
	WAIT_CHAN,   /* chans[0] */
	WAIT_SELECT, /* chans */
	WAIT_POLL,   /* addr: the pollDesc; fd */
	WAIT_SEMA,   /* addr: the semaphore, as a sync.Mutex has one */
	WAIT_COND,   /* addr: the sync.Cond */
	WAIT_SLEEP,  /* until_ns */
};

enum { WAIT_CHANS = 8, SEMA_WORDS = 8, SEMA_BEFORE = 4 };

struct wait_chan {
	uint64_t addr, len, cap;
	bool closed;
};

struct goroutine_wait {
	uint8_t kind; /* enum wait_kind */
	bool write;   /* WAIT_POLL: to write */
	uint32_t fd;
	uint64_t addr;
	uint64_t until_ns; /* CLOCK_MONOTONIC of the process */
	/* WAIT_SEMA: memory from SEMA_BEFORE words of 32 bits before addr on */
	uint32_t sema[SEMA_WORDS];
	struct wait_chan chans[WAIT_CHANS];
	uint32_t n_chans; /* in chans[] */
	uint32_t n_cases; /* of a select that wait: may be more */
};

struct goroutine_seen {
	uint64_t g;   /* its address */
	uint32_t row; /* in the gs of goroutines_read() */
	struct goroutine_header h;
	/* Where it goes on. pc is to be looked up as it is; 0: no stack is known. */
	uint64_t pc, sp;
	const uint64_t *words; /* of its stack, from sp on; valid in the visit only */
	uint32_t n_words;
	bool cut; /* the stack has more words */
	/* Labels, as in struct sample; valid in the visit only. */
	const void *label_bytes;
	uint32_t n_label_bytes;
	bool more_labels; /* not all of them are there */
	struct goroutine_wait wait;
};

/* What to read of each, beside the header. */
enum { READ_STACKS = 1, READ_WAITS = 2, READ_LABELS = 4, READ_ALL = 7 };

struct goroutines_counts {
	uint64_t seen;  /* visited */
	uint64_t dead;  /* no goroutine, but kept by the runtime for another one */
	uint64_t lost;  /* changed at each of five looks, or unreadable */
	uint64_t again; /* had to be read more than once */
};

/*
 * Finds the goroutines of a runtime of this space, in memory that outlives the reader.
 * -ENOTSUP: it cannot be found, or what is there contradicts the layout; -EAGAIN: the
 * runtime has not begun; -ESRCH, -EPERM; *why (static) says more.
 */
int goroutines_open(struct goroutines **ret, struct space *space,
		    const struct go_runtime *runtime, struct memory *memory,
		    const char **why);
void goroutines_close(struct goroutines *r); /* takes NULL */

/* Reads the list of all goroutines, or what was added to it. Returns the addresses of their
 * g, *n of them, valid until the next call. */
const uint64_t *goroutines_list(struct goroutines *r, uint32_t *n);
/* The list ended early: at something that is no address, or that is longer than the memory
 * of the process. */
bool goroutines_list_damaged(const struct goroutines *r);

/* Reads these and calls visit for each that exists and stood still; what: READ_*. 0: only
 * headers, which are read once. */
typedef void (*goroutine_visit)(void *arg, const struct goroutine_seen *s);
void goroutines_read(struct goroutines *r, const uint64_t *gs, uint32_t n, unsigned what,
		     goroutine_visit visit, void *arg);
/* Has it not moved since it was read? */
bool goroutines_still(struct goroutines *r, const struct goroutine_seen *s);

/* "running", or why it waits, in the words of the runtime: "chan receive". Static, or valid
 * until goroutines_close(). */
const char *goroutines_state(const struct goroutines *r, const struct goroutine_header *h);
/* The id of the thread on which it runs or is in a system call; 0: none. */
uint32_t goroutines_thread(struct goroutines *r, const struct goroutine_header *h);
const struct goroutines_counts *goroutines_counts(const struct goroutines *r);
/* Does trackingSeq say whether it has run between two looks? */
bool goroutines_counted(const struct goroutines *r);
