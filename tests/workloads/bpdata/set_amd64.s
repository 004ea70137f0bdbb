// SPDX-License-Identifier: BSD-2-Clause
#include "textflag.h"

TEXT ·setNumber(SB), NOSPLIT, $0
	MOVQ $817650473, BP
	RET

TEXT ·setAddress(SB), NOSPLIT, $0
	LEAQ 0x200(SP), BP
	RET
