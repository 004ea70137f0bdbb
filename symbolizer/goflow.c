/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/goflow.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"

uint32_t flow_find(const struct flow *f, uint32_t at)
{
	uint32_t until = table_until(f->n, i, f->rows[i].at <= at);

	return until && f->rows[until - 1].at == at ? until - 1 : FLOW_NONE;
}

/* XORL AX, AX; MOVL $1, AX; LEAQ name(SB), AX; and the like. */
static bool is_constant(const ZydisDecodedInstruction *z)
{
	bool modrm = z->attributes & ZYDIS_ATTRIB_HAS_MODRM;
	bool direct = !modrm || z->raw.modrm.mod == 3;

	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_XORPS:
		return modrm && direct && z->raw.modrm.reg == z->raw.modrm.rm &&
		       z->raw.rex.R == z->raw.rex.B;
	case ZYDIS_MNEMONIC_MOV: return direct && z->raw.imm[0].size;
	case ZYDIS_MNEMONIC_LEA:
		return modrm && z->raw.modrm.mod == 0 && z->raw.modrm.rm == 5;
	default: return false;
	}
}

/* jump is an offset for now; FLOW_NONE: out of the function. */
static struct insn insn_of(const ZydisDecodedInstruction *z, uint32_t at, uint32_t len)
{
	struct insn insn = {
		.at = at, .jump = FLOW_NONE, .falls = true, .constant = is_constant(z)
	};
	uint64_t target = at + z->length + z->raw.imm[0].value.u;

	switch (z->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
		insn.falls = z->meta.category == ZYDIS_CATEGORY_COND_BR;
		if (!z->raw.imm[0].is_relative)
			insn.anywhere = true;
		else if (target < len)
			insn.jump = (uint32_t)target;
		break;
	case ZYDIS_CATEGORY_RET: insn.falls = false; break;
	case ZYDIS_CATEGORY_CALL: insn.call = true; break;
	default:
		/* what the compiler puts behind calls that do not return, and as padding */
		insn.falls = z->mnemonic != ZYDIS_MNEMONIC_UD2 &&
			     z->mnemonic != ZYDIS_MNEMONIC_INT3;
	}
	return insn;
}

void flow_open(struct flow *f, const uint8_t *code, uint32_t len)
{
	ZydisDecodedInstruction z;
	ZydisDecoder decoder;

	*f = (struct flow){ 0 };
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (uint32_t at = 0; at < len; at += z.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, code + at,
								len - at, &z)))
			break;
		*table_add(f->rows, f->n, f->cap) = insn_of(&z, at, len);
	}
	for (uint32_t i = 0; i < f->n; i++) {
		uint32_t *jump = &f->rows[i].jump;

		if (*jump != FLOW_NONE)
			*jump = flow_find(f, *jump);
		if (*jump != FLOW_NONE)
			f->rows[*jump].target = true;
	}
}

bool flow_joined(const struct flow *f, uint32_t i)
{
	const struct insn *before = i ? &f->rows[i - 1] : NULL;

	return before && before->falls && before->jump == FLOW_NONE && !before->anywhere &&
	       !before->call && !f->rows[i].target;
}

void flow_release(struct flow *f)
{
	free(f->rows);
	*f = (struct flow){ 0 };
}

enum { MAX_TRIES = 8 /* ways into a part; each takes a walk over the function */ };

/* How an instruction is reached. */
enum reached {
	FROM_INSIDE = 1 << 0,
	FROM_OUTSIDE = 1 << 1,
	FROM_NOWHERE = 1 << 2, /* the first one, or by a jump that may go anywhere */
};

static void reach(uint8_t *reached, const bool *inside, uint32_t from, uint32_t to)
{
	reached[to] |= inside[from] ? FROM_INSIDE : FROM_OUTSIDE;
}

static void find_reached(const struct flow *f, const bool *inside, uint8_t *reached)
{
	memset(reached, 0, f->n);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct insn *insn = &f->rows[i];

		if (insn->falls && i + 1 < f->n)
			reach(reached, inside, i, i + 1);
		if (insn->jump != FLOW_NONE)
			reach(reached, inside, i, insn->jump);
	}
	for (uint32_t i = 0; i < f->n; i++)
		if (!i || !reached[i])
			reached[i] |= FROM_NOWHERE;
}

/* Instructions that can only run between two of the part become part of it. */
static void fill_gaps(const struct flow *f, bool *inside)
{
	uint32_t last = FLOW_NONE; /* of the part, on a straight way to here */

	for (uint32_t i = 0; i < f->n; i++) {
		if (!flow_joined(f, i))
			last = FLOW_NONE;
		if (!inside[i])
			continue;
		for (uint32_t k = last; last != FLOW_NONE && k < i; k++)
			inside[k] = true;
		last = i;
	}
}

/* Does any way into the part avoid the instruction at `gate`? seen: room for it. */
static bool goes_around(const struct flow *f, const bool *inside, const uint8_t *reached,
			uint32_t gate, bool *seen, uint32_t *todo)
{
	uint32_t n = 0;

	memset(seen, 0, f->n);
	seen[gate] = true;
	for (uint32_t i = 0; i < f->n; i++)
		if (reached[i] & FROM_NOWHERE && !seen[i])
			seen[todo[n++] = i] = true;
	while (n) {
		uint32_t i = todo[--n], next[2] = { f->rows[i].jump, FLOW_NONE };

		if (inside[i])
			return true;
		if (f->rows[i].falls && i + 1 < f->n)
			next[1] = i + 1;
		for (int k = 0; k < 2; k++)
			if (next[k] != FLOW_NONE && !seen[next[k]])
				seen[todo[n++] = next[k]] = true;
	}
	return false;
}

uint32_t flow_entrance(const struct flow *f, bool *inside)
{
	uint8_t *reached = mem_zalloc(f->n + 1);
	bool *seen = mem_zalloc(f->n + 1);
	uint32_t *todo = mem_zalloc((f->n + 1) * sizeof(*todo)), ret = FLOW_NONE, tries = 0;
	bool anywhere = false;

	for (uint32_t i = 0; i < f->n; i++)
		inside[i] = inside[i] && !f->rows[i].constant;
	fill_gaps(f, inside);
	find_reached(f, inside, reached);
	for (uint32_t i = 0; i < f->n; i++)
		anywhere |= inside[i] && f->rows[i].anywhere;
	for (uint32_t i = 0; i < f->n && ret == FLOW_NONE && !anywhere; i++)
		if (inside[i] && reached[i] & (FROM_OUTSIDE | FROM_NOWHERE) &&
		    !(reached[i] & FROM_INSIDE) && tries++ < MAX_TRIES &&
		    !goes_around(f, inside, reached, i, seen, todo))
			ret = i;
	free(reached);
	free(seen);
	free(todo);
	return ret;
}
