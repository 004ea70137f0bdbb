/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwinds Go code: from the stack words and the chain of frame records that the kernel side
 * has copied, to return addresses.
 *
 * pclntab says at every PC how far the return address is from SP, so the place of each
 * caller's frame is known exactly. The return address is in the next record of the chain if
 * that record is where the function keeps its own; else it is among the copied words. A
 * record at another place belongs to a function further out, or is none: assembly may hold
 * data in the frame pointer, and what it calls saves that. If neither has the return
 * address, the stack is broken and ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sample.h"
#include "profiler/unwind/stackcopy.h"

struct space;
struct pieces;

/* One stack of a sample. */
struct gostack {
	uint64_t pc;
	/* when pc was reached; 0: not known, and the chain's first record is pc's */
	uint64_t sp;
	uint64_t fp; /* the frame pointer register */
	bool exact;  /* pc was interrupted; else it is a return address */
	struct stack_copy words;
	const __u64 *chain; /* n_chain entries as in bpf/sample.h */
	uint32_t n_chain;
	uint64_t chain_fp;
	/* the word above the record of sigpanic, if the sample has that */
	struct stack_copy above_sigpanic;
};

/* The stack that the thread of a sample runs on, as the kernel side has copied it. */
struct gostack gostack_of(const struct sample *s);
/* The goroutine's own stack of a sample that was taken on another one: from resume_pc
 * on. */
struct gostack gostack_resumed(const struct sample *s);
/* A stack of which there is nothing but a copy and these registers. Stores its chain. */
enum { COPY_RECORDS = 256 };
struct gostack gostack_in(struct stack_copy words, uint64_t pc, uint64_t sp, uint64_t fp,
			  __u64 chain[COPY_RECORDS]);

/*
 * Appends pc and its callers to ret->pcs, while there is room. A 0 separates an address in
 * cgocallback from the Go code that called the C that called back. Sets ret->sp;
 * ret->broken and ret->stray if a caller is missing. space NULL: nothing is known of the
 * process, and the chain is taken as it is.
 */
void gounwind(struct pieces *ret, struct space *space, const struct gostack *g);
