/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a part of a function is entered. */
#include <criterion/criterion.h>
#include <string.h>

#include "symbolizer/goflow.h"

static struct flow flow;

/* The offset of the entrance of the part that `part` has an 'x' for, one letter for each
 * instruction of the code; -1: none. */
static int entrance_of(const char *code, uint32_t len, const char *part)
{
	bool inside[32] = { 0 };
	uint32_t insn;
	int ret;

	flow_open(&flow, (const uint8_t *)code, len);
	cr_assert_eq(flow.n, strlen(part), "%u instructions", flow.n);
	for (uint32_t i = 0; i < flow.n; i++)
		inside[i] = part[i] == 'x';
	insn = flow_entrance(&flow, inside);
	ret = insn == FLOW_NONE ? -1 : (int)flow.rows[insn].at;
	flow_release(&flow);
	return ret;
}

#define ENTRANCE_OF(code, part) entrance_of(code, sizeof(code) - 1, part)

#define INC_CX    "\x48\xff\xc1"
#define ADD_CX_DX "\x48\x01\xca"
#define CMP_CX_AX "\x48\x39\xc8"
#define XOR_DX_DX "\x31\xd2"
#define MOV_1_DX  "\xba\x01\0\0\0"
#define LEA_DX    "\x48\x8d\x15\x10\0\0\0" /* of a static address */
#define LEA_1_DX  "\x48\x8d\x51\x01"       /* 1(CX) */
#define CALL      "\xe8\0\x10\0\0"
#define JMP(by)   "\xeb" by
#define JL(by)    "\x7c" by
#define JMP_DX    "\xff\xe2"
#define RET       "\xc3"

Test(goflow, where_it_begins)
{
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX CMP_CX_AX RET, ".xx."), 3);
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX RET, "x.."), 0, "the function's entry");
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX RET, "..."), -1, "nothing");
}

Test(goflow, loops)
{
	/* the loop is around the part: each turn is a call */
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX CMP_CX_AX JL("\xf8") RET, ".x..."), 3);
	/* it is in the part, and begins with it */
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX CMP_CX_AX JL("\xf8") RET, ".xxx."), -1);
	/* it is in the part, which begins before */
	cr_expect_eq(ENTRANCE_OF(INC_CX ADD_CX_DX CMP_CX_AX JL("\xfb") RET, ".xxx."), 3);
	/* the part is entered at its end, by a jump */
	cr_expect_eq(ENTRANCE_OF(JMP("\x03") INC_CX ADD_CX_DX JL("\xf8") RET, ".xxx."), -1);
}

Test(goflow, constants)
{
	cr_expect_eq(ENTRANCE_OF(XOR_DX_DX JMP("\x03") INC_CX ADD_CX_DX RET, "x..x."), 7,
		     "set far away");
	cr_expect_eq(ENTRANCE_OF(MOV_1_DX JMP("\x03") INC_CX ADD_CX_DX RET, "x..x."), 10);
	cr_expect_eq(ENTRANCE_OF(LEA_DX JMP("\x03") INC_CX ADD_CX_DX RET, "x..x."), 12);
	cr_expect_eq(ENTRANCE_OF(LEA_1_DX JL("\x03") INC_CX ADD_CX_DX RET, "x..x."), 0);
	cr_expect_eq(ENTRANCE_OF(XOR_DX_DX RET, "x."), -1, "nothing else");
}

Test(goflow, in_pieces)
{
	/* the compiler mixed it with its neighbours */
	cr_expect_eq(ENTRANCE_OF(INC_CX CMP_CX_AX ADD_CX_DX RET, "x.x."), 0);
	/* the second piece is always behind the first */
	cr_expect_eq(ENTRANCE_OF(INC_CX CALL ADD_CX_DX RET, "x.x."), 0);
	/* it is not: a jump leads around the first */
	cr_expect_eq(ENTRANCE_OF(JL("\x03") INC_CX CALL ADD_CX_DX RET, ".x.x."), -1);
}

Test(goflow, jumps_to_nobody_knows_where)
{
	cr_expect_eq(ENTRANCE_OF(JMP_DX INC_CX ADD_CX_DX RET, ".xx."), 2);
	cr_expect_eq(ENTRANCE_OF(INC_CX JMP_DX ADD_CX_DX RET, "xxx."), -1);
	cr_expect_eq(ENTRANCE_OF(JL("\x01") INC_CX RET, ".x."), 2, "into an instruction");
}

Test(goflow, joined)
{
	const char code[] = INC_CX ADD_CX_DX CALL INC_CX JL("\xfb") RET;

	flow_open(&flow, (const uint8_t *)code, sizeof(code) - 1);
	cr_assert_eq(flow.n, 6);
	cr_expect_not(flow_joined(&flow, 0));
	cr_expect(flow_joined(&flow, 1));
	cr_expect(flow_joined(&flow, 2));
	cr_expect_not(flow_joined(&flow, 3), "the call may not return");
	cr_expect(flow_joined(&flow, 4));
	cr_expect_not(flow_joined(&flow, 5), "the jump may be taken");
	cr_expect_eq(flow_find(&flow, 3), 1);
	cr_expect_eq(flow_find(&flow, 4), FLOW_NONE);
	flow_release(&flow);
}

Test(goflow, what_is_no_code)
{
	flow_open(&flow, (const uint8_t *)"\x48\xff\xc1\x06\x90", 5);
	cr_expect_eq(flow.n, 1, "up to there");
	flow_release(&flow);
	flow_open(&flow, (const uint8_t *)"\x48\xff", 2);
	cr_expect_eq(flow.n, 0);
	flow_release(&flow);
}
