/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/counts.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/base/index.h"
#include "profiler/kernel/collect.h"

enum { BATCH = 4096 /* rows read at once; more than a bucket of the map has */ };

/* What was handed over before. */
struct counted {
	struct call_key key;
	uint64_t calls;
};

struct counts {
	int call_sums, label_sets;
	struct counted *rows;
	uint32_t n, cap;
	struct index index;
	struct call_key keys[BATCH];
	struct call_sum sums[BATCH];
	struct sample *sample; /* with room for labels */
};

struct counts *counts_new(int call_sums, int label_sets)
{
	struct counts *c = mem_zalloc(sizeof(*c));

	c->call_sums = call_sums;
	c->label_sets = label_sets;
	c->sample = mem_zalloc(sizeof(*c->sample) + LABEL_BYTES);
	return c;
}

void counts_free(struct counts *c)
{
	if (!c)
		return;
	index_release(&c->index);
	free(c->rows);
	free(c->sample);
	free(c);
}

_Static_assert(sizeof(struct call_key) == 4 * 8 + 2 * 4, "padding in a key");

static uint64_t calls_since(struct counts *c, const struct call_key *key, uint64_t calls)
{
	struct counted fresh = { .key = *key };
	uint32_t id = index_put(&c->index, c->rows, c->n, c->cap, &fresh, sizeof(*key));
	uint64_t before = c->rows[id].calls;

	c->rows[id].calls = calls;
	return calls - before;
}

static void hand_over(struct counts *c, const struct call_key *key,
		      const struct call_sum *sum, const struct record_handler *h)
{
	struct sample *s = c->sample;

	*s = (struct sample){
		.type = RECORD_SAMPLE,
		.tgid = sum->tgid,
		.tid = key->tid,
		.cpu = ~0u,
		.time_ns = clock_now_ns(),
		.weight = calls_since(c, key, sum->calls),
		.image = key->image,
		.goid = key->goid,
		.parent_goid = sum->parent_goid,
		.startpc = sum->startpc,
		.gopc = sum->gopc,
		.ip = key->ip,
		.flags = key->flags,
		.call = CALL_SUM,
	};
	if (!s->weight)
		return;
	if (key->labels && bpf_map_lookup_elem(c->label_sets, &key->labels, s->pcs))
		s->flags |= SAMPLE_LABELS_CUT; /* there was no room for them */
	else if (key->labels && sum->n_label_bytes <= LABEL_BYTES)
		s->n_label_bytes = (uint16_t)sum->n_label_bytes;
	h->sample(h->arg, s);
}

void counts_take(struct counts *c, const struct record_handler *h)
{
	uint32_t place, *from = NULL, n;
	int err = 0;

	while (!err) {
		n = BATCH;
		err = bpf_map_lookup_batch(c->call_sums, from, &place, c->keys, c->sums, &n,
					   NULL);
		for (uint32_t i = 0; i < n; i++)
			hand_over(c, &c->keys[i], &c->sums[i], h);
		from = &place;
	}
}
