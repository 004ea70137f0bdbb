/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame: one row of a call stack. Inlined calls have frames of their own. */
#ifndef SYMBOLIZER_FRAME_H
#define SYMBOLIZER_FRAME_H

#include <stdint.h>

/* Recordings hold these numbers: never renumber. */
enum frame_kind {
	FRAME_UNNAMED =
		0, /* nothing names this address: module and addr are all there is */
	FRAME_GO = 1,
	FRAME_NATIVE = 2, /* C and the like, from a symbol table */
	FRAME_VDSO = 3,
	FRAME_KERNEL = 4,
	FRAME_CUT = 5, /* not a frame: the stack goes on here, but was not recorded */
	/* Go functions that unwinding or display treats specially: */
	FRAME_WRAPPER = 6, /* made by the compiler; shown only under a FRAME_PANIC callee */
	FRAME_PANIC = 7,   /* gopanic, panicwrap */
	FRAME_SIGPANIC =
		8, /* sigpanic: its caller was interrupted, not calling; panics too */
	FRAME_INJECTED = 9, /* asyncPreempt, debugCallV2: their caller was interrupted */
	FRAME_GOEXIT = 10,  /* root of every goroutine; never shown */
	FRAME_MSTART = 11,  /* mstart, rt0_go: roots of thread stacks */
	FRAME_MCALL = 12,   /* mcall, gogo: a root; what follows is another goroutine's */
	FRAME_MORESTACK = 13,
	FRAME_SYSTEMSTACK =
		14, /* systemstack: the goroutine's own stack continues the chain */
	FRAME_ASMCGOCALL = 15,
	FRAME_CGOCALLBACK = 16,
	FRAME_SIGTRAMP = 17, /* sigtramp, sigreturn: start and end of a signal handler */
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
