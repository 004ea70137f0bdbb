/* SPDX-License-Identifier: BSD-2-Clause */
/* What a sample was, where its goroutine does not say it all. */
#ifndef PROFILER_CLASS_H
#define PROFILER_CLASS_H

/* Why a sample has no goroutine, or what it did for one. In the order of precedence. */
enum event_class {
	CLASS_STARTING,  /* before the layout of the process, or its runtime, was there */
	CLASS_SIGNAL,    /* in a signal handler */
	CLASS_C,         /* a thread that is not in Go and never was */
	CLASS_GC,        /* a goroutine of the garbage collector */
	CLASS_SCHEDULER, /* on g0, for no goroutine */
	CLASS_CGO,       /* in C, called by the goroutine */
	CLASS_KERNEL,    /* system call, page fault, interrupt */
	CLASS_RUNTIME,   /* on g0, for the goroutine */
	CLASS_USER,
	CLASS_UNKNOWN, /* the goroutine could not be read or trusted */
	CLASS_MAX
};

/* "starting", "gc" … */
extern const char *const event_class_names[CLASS_MAX];

#endif
