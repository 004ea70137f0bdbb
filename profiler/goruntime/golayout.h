/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a Go program keeps g and the fields of g and m that we read, and how each was found: by
 * its version and what its runtime's code gives away, or from its DWARF. What a live process then
 * contradicts is not used.
 */
#ifndef PROFILER_GOLAYOUT_H
#define PROFILER_GOLAYOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/sample.h"

struct object;
struct space;
struct thread_state;

enum layout_field {
	FIELD_G_M,
	FIELD_G_SYSCALLSP,
	FIELD_G_STATUS,
	FIELD_G_GOID,
	FIELD_G_PARENT_GOID,
	FIELD_G_GOPC,
	FIELD_G_STARTPC,
	FIELD_G_LABELS,
	FIELD_G_LOCKEDM,
	FIELD_G_SCHED_BP,
	FIELD_M_G0,
	FIELD_M_PROCID,
	FIELD_M_GSIGNAL,
	FIELD_M_CURG,
	FIELD_M_EXTRA_IN_C,
	FIELD_M_NCGO,
	FIELD_M_VDSOSP,
	FIELDS
};

/* "g_m", "g_syscallsp" … */
extern const char *const layout_field_names[FIELDS];

enum layout_check {
	CHECK_FORMULA, /* the slot is where the ELF rules put it too */
	CHECK_G0,      /* g.m.g0.m is m */
	CHECK_PROCID,  /* m.procid is the thread; of several, one at least has it */
	CHECK_CURG,    /* the g in the slot is m.curg, m.g0 or m.gsignal */
	CHECK_STACK,   /* g.stack has a low and a high end */
	CHECK_STATUS,  /* g.atomicstatus is a status */
	CHECK_GOID,    /* goids are there and unique; g0 has none */
	CHECK_START,   /* g.startpc is the entry of a Go function */
	CHECKS
};

extern const char *const layout_check_names[CHECKS]; /* "formula", "g0", "procid" … */

struct golayout {
	struct layout layout; /* for the kernel side; ok 0: there are no goroutine keys */
	const char *why;      /* then: why (a static string); else NULL */
	const char *
		slot_how; /* "stackcheck", "stackcheck (GOT)", "load_g" …; NULL: not found */
	uint64_t
		got; /* address in the file of the word that holds the slot's offset; 0: none */
	uint64_t iscgo; /* arm64: of runtime.iscgo; 0: not known */
	bool unproved;  /* of a version that is not known: ok only after CHECK_GOID */
	struct {
		int32_t offset;  /* -1: this version has no such field */
		const char *how; /* "dwarf", "table", "cgoSigtramp", "fixed" */
	} fields[FIELDS];
	struct {
		bool ran, ok;
	} checks[CHECKS];
};

/* The row of the table for a version as the build info spells it: "go1.22.3", vendor suffixes
 * included. Fills all of *ret but tls_g; a field that a version does not settle is 0. -EINVAL: not
 * a version; -ENOTSUP: too old, too new, or a development version: *why (a static string) says so. */
int golayout_of_version(struct layout *ret, const char *version, const char **why);

/* What the file of a Go program tells: the table by version and its code, or its DWARF, which takes
 * some 10 ms. 0 when layout.ok, or would be but for got, iscgo and unproved; else -ENOTSUP, and *why
 * says why. */
int golayout_find(struct golayout *ret, const struct object *o, bool dwarf);

/*
 * The rest, on a process, whose space_go() the layout is of: reads got and iscgo, then
 * runs the checks on its threads (n 0: on none) and clears layout.ok when one fails. Nobody is
 * stopped: what changes while it is read is read again. -ENOTSUP: a check failed; -EAGAIN: the process has
 * not come far enough to say; -ESRCH and the like: it cannot be read. Then ok is 0, and why says why.
 */
int golayout_check(struct golayout *l, struct space *space, pid_t pid,
		   const struct thread_state *threads, uint32_t n);

#endif
