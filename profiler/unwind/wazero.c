/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/wazero.h"

#include <string.h>

#include "profiler/unwind/gocall.h"
#include "profiler/unwind/gounwind.h"
#include "profiler/unwind/unwind.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

/* The two ways into WebAssembly, of amd64: a call, and back from a Go function that was called. Both keep
 * nothing on the goroutine's stack but a return address, and have their arguments above it. */
static const struct {
	const char *code;
	uint8_t len;
	uint8_t to; /* the argument that is an address of the code */
} ways[] = {
	{ "\x4c\x8b\x5c\x24\x08" /* mov 8(%rsp),%r11 */
	  "\x4c\x8b\x74\x24\x10" /* mov 16(%rsp),%r14 */
	  "\x48\x8b\x44\x24\x18" /* mov 24(%rsp),%rax */
	  "\x48\x8b\x5c\x24\x20" /* mov 32(%rsp),%rbx */
	  "\x4c\x8b\x64\x24\x28" /* mov 40(%rsp),%r12 */
	  "\x4c\x8b\x6c\x24\x30" /* mov 48(%rsp),%r13 */
	  "\x41\xff\xe3" /* jmp *%r11 */,
	  33, 2 },
	{ "\x48\x8b\x4c\x24\x08" /* mov 8(%rsp),%rcx */
	  "\x48\x8b\x44\x24\x10" /* mov 16(%rsp),%rax: the execution context */
	  "\x48\x89\x68\x10"     /* mov %rbp,16(%rax) */
	  "\x48\x89\x60\x18"     /* mov %rsp,24(%rax) */
	  "\x48\x8b\x6c\x24\x20" /* mov 32(%rsp),%rbp */
	  "\x48\x8b\x64\x24\x18" /* mov 24(%rsp),%rsp */
	  "\xff\xe1" /* jmp *%rcx */,
	  30, 1 },
};

/* The way that ra is behind a call of; -1: none. */
static int way_of(struct space *space, uint64_t ra)
{
	uint64_t target, at;
	const struct object *o;
	struct cursor c;

	if (!gocall_target(space, ra, &target))
		return -1;
	o = space_object(space, target, &at);
	c = o && o->elf ? elf_at(o->elf, at) : (struct cursor){ .bad = true };
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (cursor_left(&c) >= ways[i].len &&
		    !memcmp(c.data + c.pos, ways[i].code, ways[i].len))
			return (int)i;
	return -1;
}

/*
 * The one index of words where the stack was left for code that is mapped as pc is; n: there is none, or no telling.
 * What was left there before may still be there, but leads to the same frame if that is of the same call.
 */
static uint32_t find_place(struct space *space, const __u64 *words, uint32_t n, uint64_t pc)
{
	uint32_t found = n, frame = 0, end, delta;

	for (uint32_t i = 0; i < n; i++) {
		int way = way_of(space, words[i]);

		if (way < 0)
			continue;
		/* of a wrapper, between Go's way of passing arguments and the assembly's */
		if (i + ways[way].to >= n || !space_spdelta(space, words[i], &delta))
			return n;
		end = i + 1 + delta / 8;
		if (frame && end != frame)
			return n;
		frame = end;
		if (space_same_code(space, words[i + ways[way].to], pc))
			found = i;
	}
	return found;
}

void wazero_unwind(struct stack *ret, struct space *space, const struct sample *s)
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
			 .sp = s->resume_sp + 8ull * (at + 1),
			 .words = words,
			 .n_words = n,
			 .words_at = s->resume_sp,
			 .chain = words + n,
		 });
	ret->n_resume = ret->n - before;
	ret->n = before;
}
