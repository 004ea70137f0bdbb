/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtime's machine code reveals: its assembly is built with the real offsets in
 * every release, patch and fork. Code is that of the file, for a function in pclntab.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

/* The location of the slot of g. */
struct gocode_slot {
	int64_t offset; /* from the thread pointer; 0: not in the code */
	/* address of the word that holds the offset once the loader has run; or 0 */
	uint64_t got;
	uint64_t iscgo; /* arm64: address of the byte that says if the slot is used; or 0 */
};

/* Decodes runtime.stackcheck (amd64) or runtime.load_g (arm64), whose code is at addr.
 * -ENOENT: unknown encoding. */
int gocode_slot(struct gocode_slot *ret, bool arm64, struct cursor code, uint64_t addr);

/* Offsets in g and m. */
struct gocode_fields {
	uint32_t g_m, g_syscallsp, m_curg, m_ncgo;
};

/* Decodes runtime.cgoSigtramp, which all amd64 programs have, with cgo or not. */
int gocode_fields(struct gocode_fields *ret, struct cursor code);
/* Decodes the offset of m.vdsoSP, which is followed by m.vdsoPC, from runtime.nanotime1
 * (amd64). */
int gocode_vdsosp(uint32_t *ret, struct cursor code);

/* Decodes runtime.allgadd (amd64), whose code is at addr: the address of runtime.allgs, the
 * slice of all goroutines. 0: unknown encoding. */
uint64_t gocode_allgs(struct cursor code, uint64_t addr);
/* The addresses that a function at addr takes of data by lea (amd64). At most max are
 * stored; returns how many. */
uint32_t gocode_addresses(struct cursor code, uint64_t addr, uint64_t *ret, uint32_t max);
