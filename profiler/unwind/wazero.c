/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/wazero.h"

#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

/* Is ra behind a call of assembly that enters WebAssembly? As wazero_entry(). */
static uint32_t entry_called(struct space *space, uint64_t ra)
{
	uint64_t target;

	return gocall_target(space, ra, &target) ? wazero_entry(code_at(space, target))
						 : WAZERO_NONE;
}

/*
 * The one index of words at which the stack was left for code in the same mapping as pc. n:
 * there is none, or more than one. A stale word of an earlier call is no contradiction if
 * it leads to the same frame.
 */
static uint32_t find_place(struct space *space, const __u64 *words, uint32_t n, uint64_t pc)
{
	uint32_t found = n, frame = 0, end;
	struct go_pc f;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t argument = entry_called(space, words[i]);

		if (argument == WAZERO_NONE)
			continue;
		/* in a wrapper, which passes Go's arguments the way assembly wants them */
		if (i + argument >= n || !space_go_pc(space, words[i], &f) ||
		    !f.has_spdelta)
			return n;
		end = i + 1 + f.spdelta / 8;
		if (frame && end != frame)
			return n;
		frame = end;
		if (space_same_code(space, words[i + argument], pc))
			found = i;
	}
	return found;
}

void wazero_unwind(struct pieces *ret, struct space *space, const struct sample *s)
{
	const __u64 *words = s->pcs + s->n_words + s->n_user;
	uint32_t n = s->n_resume_words, at, before = ret->n;

	if (!n || n >= COPY_WORDS)
		return;
	at = find_place(space, words, n, s->ip);
	if (at == n)
		return;
	gounwind(ret, space,
		 &(struct gostack){
			 .pc = words[at],
			 .sp = s->resume_sp + 8ull * at + CALL_PUSHES,
			 .words = words,
			 .n_words = n,
			 .words_at = s->resume_sp,
			 .chain = words + n,
		 });
	ret->n_resume = ret->n - before;
	ret->n = before;
}
