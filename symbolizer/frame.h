/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame: one row of a call stack. Inlined calls have frames of their own. */
#ifndef SYMBOLIZER_FRAME_H
#define SYMBOLIZER_FRAME_H

#include <stdint.h>

enum frame_kind {
	FRAME_UNNAMED, /* nothing names this address: module and addr are all there is */
	FRAME_GO,
	FRAME_NATIVE, /* C and the like, from a symbol table */
	FRAME_VDSO,
	FRAME_KERNEL,
	FRAME_CUT, /* no frame: the stack goes on here, but was not recorded */
	/* Go functions with a part of their own in unwinding or in what is shown: */
	FRAME_WRAPPER, /* made by the compiler; shown only under a FRAME_PANIC callee */
	FRAME_PANIC,   /* gopanic, panicwrap */
	FRAME_SIGPANIC, /* sigpanic: its caller was interrupted, and did not call it; panics too */
	FRAME_INJECTED, /* asyncPreempt, debugCallV2: their caller was interrupted */
	FRAME_GOEXIT,   /* root of every goroutine; never shown */
	FRAME_MSTART,   /* mstart, rt0_go: roots of thread stacks */
	FRAME_MCALL,    /* mcall, gogo: root by rule, what follows is another goroutine's */
	FRAME_MORESTACK,
	FRAME_SYSTEMSTACK, /* systemstack: the chain goes on on the goroutine's own stack */
	FRAME_ASMCGOCALL,
	FRAME_CGOCALLBACK,
	/* sigtramp, sigreturn: begin and end of a signal handler, which nothing has called */
	FRAME_SIGTRAMP,
	FRAME_KIND_MAX
};

/* Strings are ids in the owner's strtab, 0 is "". */
struct frame {
	uint64_t
		addr; /* in the module's file (ELF vaddr), or of the kernel; calls: return address - 1 */
	uint32_t func;             /* full symbol, as the linker wrote it; 0: no name */
	uint32_t file;             /* path; 0: not known */
	uint32_t module;           /* row of the owner's module table; 0: none */
	uint32_t line, start_line; /* of the address, of its function; 0: not known */
	uint8_t kind;              /* enum frame_kind */
	uint8_t inlined; /* the next frame towards the root is where it was inlined */
};

#endif
