/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a Go program keeps g, and the fields of g and m that we read, and how each was
 * found: from the version and the code of its runtime, or from its DWARF. What a live
 * process then contradicts is not used.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/sample.h"

struct cursor;
struct elf;
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

/* What is known of a field beforehand. */
struct layout_field_row {
	const char *name;               /* "g_goid" */
	const char *structure, *member; /* in DWARF: "runtime.g", "goid" */
	/* offsetof() a member of struct layout, from which the field's offset is `plus`. 0:
	 * the offset is `plus`, in every version. */
	uint16_t at;
	int16_t plus;
};
extern const struct layout_field_row layout_fields[FIELDS];

enum layout_check {
	CHECK_FORMULA, /* the ELF rules put the slot in the same place */
	CHECK_G0,      /* g.m.g0.m is m */
	CHECK_PROCID,  /* m.procid is the thread's id, in at least one of several threads */
	CHECK_CURG,    /* the g in the slot is m.curg, m.g0 or m.gsignal */
	CHECK_STACK,   /* g.stack has a low and a high end */
	CHECK_STATUS,  /* g.atomicstatus is a valid status */
	CHECK_GOID,    /* there are goids, and they are unique; g0 has none */
	CHECK_START,   /* g.startpc is the entry of a Go function */
	CHECKS
};

/* "formula", "g0", "procid" …; and the message if it fails. */
extern const struct layout_check_row {
	const char *name, *why;
} layout_checks[CHECKS];

struct golayout {
	struct layout layout; /* for the kernel side; ok 0: no goroutine ids */
	const char *why;      /* why ok is 0 (static); else NULL */
	/* "stackcheck", "stackcheck (GOT)", "load_g" …; NULL: not found */
	const char *slot_how;
	/* address in the file of the word that holds the slot's offset; 0: none */
	uint64_t got;
	uint64_t iscgo; /* arm64: address of runtime.iscgo; 0: unknown */
	bool unproved;  /* unknown Go version: ok only after CHECK_GOID */
	struct {
		int32_t offset;  /* -1: this version has no such field */
		const char *how; /* "dwarf", "table", "cgoSigtramp", "fixed" */
	} fields[FIELDS];
	struct {
		bool ran, ok;
	} checks[CHECKS];
};

/* Looks up the table by version as the build info spells it: "go1.22.3", vendor suffixes
 * included. Fills all of *ret except tls_g; a field that the version does not determine is
 * 0. -EINVAL: not a version; -ENOTSUP: too old, too new, or a development version; *why
 * (static) tells which. */
int golayout_of_version(struct layout *ret, const char *version, const char **why);

/* Finds the fields in the DWARF of a program (godwarf.c); -1: it has no such member.
 * -ENOENT: no DWARF, or none for the runtime; then all are -1. */
int golayout_of_dwarf(int32_t offsets[FIELDS], const struct elf *elf);

/* Determines the layout from the file: from the version and code, or from DWARF, which
 * takes some 10 ms. 0: layout.ok is set, or only needs golayout_check() because of got,
 * iscgo or unproved; else -ENOTSUP, and ret->why. */
int golayout_find(struct golayout *ret, const struct object *o, bool dwarf);

/*
 * Completes the layout with a process, whose space_go() it is for: reads got and iscgo,
 * runs the checks on its threads (n 0: on none), and sets or clears layout.ok. Threads are
 * not stopped: what changes while it is read is read again. -ENOTSUP: a check failed;
 * -EAGAIN: too early in the life of the process; -ESRCH and others: unreadable. Then ok is
 * 0 and l->why tells why.
 */
int golayout_check(struct golayout *l, struct space *space, pid_t pid,
		   const struct thread_state *threads, uint32_t n);

/* The code of a function of the program, and its address in the file. bad: no such
 * function, or not in the file. */
struct cursor golayout_code(const struct object *o, const char *name, uint64_t *entry);
