/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a function of x86-64, and any part of it: the first 32 bytes say which
 * instructions are of the part, over and over. The entrance that is found must be one by
 * the words of goflow.h, which this checks in another way: by walks from instruction to
 * instruction.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/goflow.h"

enum { PART = 32, WALKS = 4, STEPS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_rows(const struct flow *f, uint32_t len)
{
	bool *targets = calloc(f->n + 1, sizeof(*targets));

	for (uint32_t i = 0; i < f->n; i++) {
		const struct insn *insn = &f->rows[i];

		check(insn->at < len && (!i || insn->at > f->rows[i - 1].at));
		check(flow_find(f, insn->at) == i);
		check(insn->jump == FLOW_NONE || insn->jump < f->n);
		if (insn->jump != FLOW_NONE)
			targets[insn->jump] = true;
	}
	for (uint32_t i = 0; i < f->n; i++) {
		check(f->rows[i].target == targets[i]);
		check(!flow_joined(f, i) || (i && f->rows[i - 1].falls && !targets[i]));
	}
	check(!f->n || f->rows[0].at == 0);
	check(flow_find(f, len) == FLOW_NONE);
	free(targets);
}

/* The instruction after i on a walk; FLOW_NONE: the walk ends. */
static uint32_t step(const struct flow *f, uint32_t i, bool choice)
{
	const struct insn *insn = &f->rows[i];
	uint32_t next = insn->falls && i + 1 < f->n ? i + 1 : FLOW_NONE;

	if (next == FLOW_NONE || (insn->jump != FLOW_NONE && choice))
		next = insn->jump;
	return next;
}

/* On every walk through the function, the entrance comes before all else of the part, and
 * never directly after an instruction of it. */
static void check_walk(const struct flow *f, const bool *inside, uint32_t entrance,
		       uint32_t from, const uint8_t *choices, size_t n)
{
	bool entered = false, was_inside = false;
	uint32_t i = from;

	for (uint32_t k = 0; k < STEPS && i != FLOW_NONE; k++) {
		check(i != entrance || !was_inside);
		entered |= i == entrance;
		check(!inside[i] || entered);
		was_inside = inside[i];
		i = step(f, i, n && choices[k % n] >> (k / n % 8) & 1);
	}
}

/* Is it reached by nothing that the function shows? Then anything may lead there. */
static bool is_start(const struct flow *f, uint32_t i)
{
	return !i || !(f->rows[i].target || f->rows[i - 1].falls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow f;
	uint32_t len, entrance;
	bool *inside;

	if (size < PART)
		return 0;
	len = (uint32_t)(size - PART);
	flow_open(&f, data + PART, len);
	check_rows(&f, len);
	inside = calloc(f.n + 1, sizeof(*inside));
	for (uint32_t i = 0; i < f.n; i++)
		inside[i] = data[i / 8 % PART] >> i % 8 & 1;
	entrance = flow_entrance(&f, inside);
	if (entrance != FLOW_NONE) {
		check(entrance < f.n && inside[entrance] && !f.rows[entrance].constant);
		for (uint32_t from = 0, n = 0; from < f.n && n < WALKS; from++)
			if (is_start(&f, from))
				check_walk(&f, inside, entrance, from, data + n, size - n),
					n++;
	}
	free(inside);
	flow_release(&f);
	return 0;
}
