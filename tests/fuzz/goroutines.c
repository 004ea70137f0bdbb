/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of goroutines over memory from a file. The first byte says as which version of
 * Go; the rest is the memory, at BASE, of which the list of goroutines comes first.
 */
#include <stdlib.h>
#include <string.h>

#include "profiler/goruntime/goroutines_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_BASE = 0x10000, FUZZ_READS = 8 << 20 };

static struct {
	const uint8_t *data;
	size_t size;
	uint64_t reads, turn;
} fuzz_memory;

/* Now and then a byte has changed since the last time, as of a program that runs. */
static void fuzz_read(struct memory *m, struct memory_part *parts, uint32_t n)
{
	(void)m;
	fuzz_memory.reads += n;
	if (fuzz_memory.reads > FUZZ_READS) /* work is bounded, whatever is there */
		abort();
	for (uint32_t i = 0; i < n; i++) {
		struct memory_part *p = &parts[i];
		uint64_t at = p->addr - FUZZ_BASE;

		p->ok = at <= fuzz_memory.size && p->len <= fuzz_memory.size - at;
		if (!p->ok)
			continue;
		memcpy(p->to, fuzz_memory.data + at, p->len);
		if (p->len && ++fuzz_memory.turn % 61 == 0)
			((uint8_t *)p->to)[fuzz_memory.turn % p->len] ^= 1;
	}
}

static void fuzz_visit(void *arg, const struct goroutine_seen *s)
{
	uint64_t *sum = arg;

	for (uint32_t i = 0; i < s->n_words; i++)
		*sum += s->words[i];
	for (uint32_t i = 0; i < s->n_label_bytes; i++)
		*sum += ((const uint8_t *)s->label_bytes)[i];
	if (s->wait.n_chans > WAIT_CHANS || s->n_words > STACK_WORDS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory m = { .read = fuzz_read, .bytes = size * 64 };
	struct goroutines *r = calloc(1, sizeof(*r));
	uint64_t sum = 0;
	const uint64_t *gs;
	uint32_t n;

	fuzz_memory.data = size ? data + 1 : data;
	fuzz_memory.size = size ? size - 1 : 0;
	fuzz_memory.reads = fuzz_memory.turn = 0;
	r->m = &m;
	r->allgs = FUZZ_BASE;
	r->words = malloc(POOL_WORDS * 8);
	r->again = malloc(POOL_WORDS * 8);
	r->n_reasons = 16;
	for (uint32_t i = 0; i < 16; i++)
		r->reason_waits[i] = i % (WAIT_SLEEP + 1);
	goroutine_fields_fill(&r->f,
			      &(struct layout){ .g_syscallsp = 104,
						.g_goid = 152,
						.g_gopc = 288,
						.g_startpc = 304,
						.g_parent_goid = 280,
						.m_procid = 64,
						.g_labels = 352,
						.g_schedbp = 96,
						.g_lockedm = 208,
						.labels_list = size && data[0] & 1 },
			      13 + (size ? data[0] % 15 : 0));
	gs = goroutines_list(r, &n);
	goroutines_read(r, gs, n, READ_ALL, fuzz_visit, &sum);
	for (uint32_t i = 0; i < r->n_reasons; i++) {
		struct goroutine_header h = { .status = (uint32_t)sum % 16,
					      .reason = (uint8_t)i,
					      .m = sum };

		sum += *goroutines_state(r, &h) + goroutines_thread(r, &h);
	}
	goroutines_close(r);
	return 0;
}
