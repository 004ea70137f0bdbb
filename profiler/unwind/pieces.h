/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of a sample, each unwound for itself. There are up to three, leaf first:
 *
 *	a signal handler's	handler[]		from n_handler_words
 *	    |  above the registers that it has interrupted (handler_uc)
 *	the leaf's		pcs[0, own)		from n_words, n_user; n_c_words
 *	    |  for which the goroutine's own was left (enum resume)
 *	the goroutine's own	pcs[own, n)		from n_resume_words, n_resume
 *
 * Here it is decided which code unwinds which: gounwind.h Go, cunwind.h C, sigstack.c
 * handlers, stackswitch.h code that left the goroutine's own stack without saving where.
 * How much of all that is the sample's stack, unwind.c decides.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/unwind/cunwind.h"

struct space;

enum {
	STACK_PCS = MAX_USER_PCS + LEAF_WORDS_OLD,
	STACK_GAP = 1, /* in place of an address: callers are missing here */
	HANDLER_PCS = 256,
};

struct pieces {
	/*
	 * pcs[0, own): the interrupted PC, then return addresses. pcs[own, n): the same for
	 * the goroutine's own stack, if the sample was taken on another one; the first is a
	 * return address, too. Where a handler has interrupted C, its PC plus 1.
	 * Two values are no addresses: 0 follows what gounwind() takes for cgocallback, and
	 * STACK_GAP may be anywhere.
	 */
	uint64_t pcs[STACK_PCS];
	uint32_t own, n;
	/* Of a signal handler, which has interrupted pcs[0]: its PC, then return addresses,
	 * or, where a second handler has interrupted the first, that PC plus 1. */
	uint64_t handler[HANDLER_PCS];
	uint32_t n_handler;
	bool handled; /* they lead to the registers that were interrupted, so pcs is true */
	bool cut;     /* there are more frames, which were not recorded */
	bool broken;  /* the chain could not be followed further */
	/* what was found there in place of a return address; 0: nothing was */
	uint64_t stray;
	bool c;      /* pcs begins in C, and pcs[0, own) are its frames: ... */
	bool c_root; /* ... up to the thread's first function, ... */
	bool c_gap;  /* ... or not all of them */
	/* where SP was at the last address that gounwind() has added; 0: not known */
	uint64_t sp;
};

/* space NULL: nothing is known of the process, and the chain is taken as it is. */
void pieces_find(struct pieces *ret, struct space *space, struct cunwind *u,
		 const struct sample *s);

/*
 * Fills ret->handler with the handler's PC and return addresses; uses the rest of *ret as
 * scratch space. Includes handlers that were interrupted by others on the same stack. True:
 * they lead to the saved registers, so s->ip is what they have interrupted.
 */
bool sigstack_unwind(struct pieces *ret, struct space *space, struct cunwind *u,
		     const struct sample *s);

/* The copy of the thread's stack, from sp on, with the registers of the sample. Size 0: sp
 * is not in it. */
struct cstack cstack_at(const struct sample *s, uint64_t sp);
