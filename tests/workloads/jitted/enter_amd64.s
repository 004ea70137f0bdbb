// SPDX-License-Identifier: BSD-2-Clause

#include "textflag.h"

// func enter(preamble, function, context, module, args, stack uintptr)
// As wazero has it.
TEXT ·enter(SB), NOSPLIT|NOFRAME, $0-48
	MOVQ preamble+0(FP), R11
	MOVQ function+8(FP), R14
	MOVQ context+16(FP), AX
	MOVQ module+24(FP), BX
	MOVQ args+32(FP), R12
	MOVQ stack+40(FP), R13
	JMP  R11
