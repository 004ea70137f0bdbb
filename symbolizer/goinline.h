/* SPDX-License-Identifier: BSD-2-Clause */
/* The places where functions of a Go program were inlined. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct elf;
struct gopclntab;

/* Addresses are in the file. */
struct go_place {
	const char *name; /* of the function that was inlined; points into the table */
	uint64_t entry;   /* of the function around it */
	uint32_t len;     /* of that, bytes */
	/* An instruction that runs once for each call, as far as can be told: the compiler
	 * may have merged, moved or doubled some of the body. 0: there is none. */
	uint64_t addr;
	uint64_t body; /* if addr is set: in the body, but in none that was inlined there */
};

/*
 * Calls fn for each place whose function is wanted. addr is what the inline tree marks, if
 * that is an instruction made for it; else where the control flow enters the body. It
 * begins both an instruction and a range of one of the function's tables. elf: the program,
 * for its code; NULL: addr is 0. On other machines than x86-64 addr is 0.
 */
void goinline_each(const struct gopclntab *t, const struct elf *elf,
		   bool (*wanted)(void *arg, const char *name),
		   void (*fn)(void *arg, const struct go_place *place), void *arg);
