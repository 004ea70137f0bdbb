/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind tables of one ELF file: where a function's caller has its registers, at each
 * address. From .eh_frame, and from .debug_frame unless it is compressed.
 *
 * We read them ourselves, because the files are the target's and anyone can write one:
 * libdw lets five bytes of a table allocate 2 GiB, and libunwind 1.6 crashes on several (a
 * return-address column or register out of range, INT64_MIN / -1 in an expression) or
 * spends 9 s on one. Read through cursors with limits, no table costs more than a few ms.
 * libunwind checks that the result is right: make cfi compares every row of the C
 * libraries, and whole stacks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"
#include "profiler/unwind/arch.h"

struct elf;

/* The CFA, canonical frame address, is SP before the call. Its rule is behind those of the
 * registers. */
enum { CFI_CFA = REGS };

enum cfi_how {
	CFI_KEPT,    /* the function has not changed it */
	CFI_LOST,    /* not known; of REG_PC: there is no caller */
	CFI_AT,      /* in memory, value bytes from the CFA */
	CFI_IS,      /* value bytes from the CFA; the CFA itself: from reg */
	CFI_IN,      /* in reg */
	CFI_AT_EXPR, /* in memory, where an expression says: len bytes at value in exprs */
	CFI_IS_EXPR, /* what that says */
};

struct cfi_rule {
	uint8_t how, reg; /* reg < REGS */
	uint16_t len;
	int32_t value;
};

struct cfi_row {
	struct cfi_rule rules[REGS + 1];
	const uint8_t *exprs; /* of the file, which outlives the row */
	bool signal;          /* the caller was interrupted, and did not call */
};

/* A function's part of a table. */
struct cfi_range {
	uint64_t start;
	uint32_t size;
	uint32_t entry; /* (where in the section) * 2 + which section */
};

struct cfi {
	struct cursor sections[2];
	uint64_t vaddr[2];
	struct cfi_range *ranges; /* owned, by start */
	uint32_t n, cap;
};

/* Reads which function is where; 0.1 us for each. */
void cfi_init(struct cfi *t, const struct elf *e);
void cfi_release(struct cfi *t);
/* false: no table is about addr, or one that lies. 0.3 us, at most 1 ms. */
bool cfi_find(const struct cfi *t, uint64_t addr, struct cfi_row *ret);

/* LEB128 with sign, of at most 10 bytes. */
int64_t cfi_sleb(struct cursor *c);
