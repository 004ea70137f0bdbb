/* SPDX-License-Identifier: BSD-2-Clause */
/* What a thread was doing when it was sampled, apart from which goroutine it ran. */
#pragma once

/*
 * Why a sample has no goroutine, or what it did for one. In the order of precedence.
 * Recordings hold these numbers: never renumber.
 */
enum event_class {
	CLASS_STARTING = 0,  /* before the layout or the runtime of the process is ready */
	CLASS_SIGNAL = 1,    /* in a signal handler */
	CLASS_C = 2,         /* a thread that is not in Go and never was */
	CLASS_GC = 3,        /* a goroutine of the garbage collector */
	CLASS_SCHEDULER = 4, /* on g0, for no goroutine */
	CLASS_CGO = 5,       /* in C, called by the goroutine */
	CLASS_KERNEL = 6,    /* system call, page fault, interrupt */
	CLASS_RUNTIME = 7,   /* on g0, for the goroutine */
	CLASS_USER = 8,
	CLASS_UNKNOWN = 9, /* the goroutine could not be read or trusted */
	CLASS_MAX
};

/* "starting", "gc" … */
extern const char *const event_class_names[CLASS_MAX];
