// SPDX-License-Identifier: BSD-2-Clause
#include "textflag.h"

TEXT ·setNumber(SB), NOSPLIT, $0
	MOVQ $817650473, BP
	RET

TEXT ·setAddress(SB), NOSPLIT, $0
	LEAQ 0x200(SP), BP
	RET

// A leaf: the runtime gives up where such a function has called.
TEXT ·moveSP(SB), NOSPLIT|NOFRAME, $0
	SUBQ $512, SP
	MOVQ $1000, CX
loop:
	DECQ CX
	JNZ  loop
	ADDQ $512, SP
	RET
