/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of a Go function, and which can follow which. From that, where a part of
 * it is entered: an instruction that runs once each time that part does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_NONE UINT32_MAX

struct insn {
	uint32_t at;   /* from the start of the function, bytes */
	uint32_t jump; /* index of the instruction that it may jump to, or FLOW_NONE */
	bool falls;    /* it may go on to the next one */
	bool anywhere; /* it may jump to any: by a table, say */
	bool constant; /* it only sets a register to a constant */
	bool call;
	bool target; /* another one jumps to it */
};

struct flow {
	struct insn *rows; /* owned; sorted */
	uint32_t n, cap;
};

/* Decodes a function of x86-64. Stops at bytes that are no instruction. To be ended with
 * flow_release(). */
void flow_open(struct flow *f, const uint8_t *code, uint32_t len);
void flow_release(struct flow *f);

/* The instruction that begins at this offset; FLOW_NONE: none does. */
uint32_t flow_find(const struct flow *f, uint32_t at);

/* Does this instruction run each time that the one before it does, and only then? False for
 * the first one, and after a call, which may not return. */
bool flow_joined(const struct flow *f, uint32_t i);

/*
 * The instruction of a part that runs once each time that the part does: every way into the
 * part leads through it, and none from the part back to it. inside: for each instruction,
 * is it of the part? This is changed: constants leave it, as the compiler sets those where
 * it likes, for other code too, and instructions that can only run between two of the part
 * become part of it, as it mixes neighbours. FLOW_NONE: there is none.
 */
uint32_t flow_entrance(const struct flow *f, bool *inside);
