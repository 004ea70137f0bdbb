/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/stackswitch.h"

#include "profiler/unwind/arch.h"
#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/pieces.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/symbolizer.h"

/* How far a stack may have grown or shrunk since it called Go, in bytes. */
enum { STACK_MOVES_MAX = 64 << 10 };

/* Is ra behind a call of assembly that enters WebAssembly? */
static bool entry_called(struct space *space, uint64_t ra, struct wazero_entry *ret)
{
	uint64_t target;

	return gocall_target(space, ra, &target) &&
	       wazero_entry(code_at(space, target), ret);
}

/* Did the assembly enter the stack of the sample? args[1] is its first argument. */
static bool entered(struct space *space, const struct sample *s,
		    const struct wazero_entry *e, const __u64 *args)
{
	uint64_t sp = args[e->sp];

	if (e->code)
		return space_same_code(space, args[e->code], s->ip);
	return sp - s->sp + STACK_MOVES_MAX <= 2 * STACK_MOVES_MAX;
}

/*
 * The one index of words at which the goroutine's stack was left for that of the sample. n:
 * there is none, or more than one. A stale word of an earlier call is no contradiction if
 * it leads to the same frame.
 */
static uint32_t find_place(struct space *space, const struct sample *s, const __u64 *words,
			   uint32_t n)
{
	uint32_t found = n, frame = 0, end;
	struct wazero_entry e;
	struct go_pc f;

	for (uint32_t i = 0; i < n; i++) {
		if (!entry_called(space, words[i], &e))
			continue;
		/* in a wrapper, which passes Go's arguments the way assembly wants them */
		if (i + e.code + e.sp >= n || !space_go_pc(space, words[i], &f) ||
		    !f.has_spdelta)
			return n;
		end = i + 1 + f.spdelta / WORD;
		if (frame && end != frame)
			return n;
		frame = end;
		if (entered(space, s, &e, words + i))
			found = i;
	}
	return found;
}

void wazero_unwind(struct pieces *ret, struct space *space, const struct sample *s)
{
	struct gostack g = gostack_resumed(s);
	uint32_t n = s->n_resume_words, at;
	const __u64 *words = g.words.bytes;

	if (!n || n >= COPY_WORDS)
		return;
	at = find_place(space, s, words, n);
	if (at == n)
		return;
	g.pc = words[at];
	g.sp += WORD * at + CALL_PUSHES;
	g.n_chain = 0;
	gounwind(ret, space, &g);
}
