/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine code of the runtime gives away: its assembly is built with the real offsets, in
 * every release, patch and fork. Code is of the file, as functions of pclntab hold it.
 */
#ifndef PROFILER_GOCODE_H
#define PROFILER_GOCODE_H

#include <stdbool.h>
#include <stdint.h>

/* Where the slot of g is. */
struct gocode_slot {
	int64_t offset; /* from the thread pointer; 0: not in the code */
	uint64_t
		got; /* then: address of the word that holds it, once the loader has run; or 0 */
	uint64_t iscgo; /* arm64: of the byte that says whether the slot is used; or 0 */
};

/* From runtime.stackcheck (amd64) or runtime.load_g (arm64); code stands at addr. -ENOENT: no
 * encoding that is known. */
int gocode_slot(struct gocode_slot *ret, bool arm64, const uint8_t *code, uint32_t len,
		uint64_t addr);

/* Offsets in g and m. */
struct gocode_fields {
	uint32_t g_m, g_syscallsp, m_curg, m_ncgo;
};

/* From runtime.cgoSigtramp, which amd64 programs have, with cgo or not. */
int gocode_fields(struct gocode_fields *ret, const uint8_t *code, uint32_t len);
/* Offset of m.vdsoSP, which m.vdsoPC follows, from runtime.nanotime1 (amd64). */
int gocode_vdsosp(uint32_t *ret, const uint8_t *code, uint32_t len);

#endif
