/* SPDX-License-Identifier: BSD-2-Clause */
/* C++ and Rust names as programmers write them. */
#pragma once

#include <setjmp.h>
#include <stddef.h>

/* The result. A name of 1 KiB can stand for gigabytes; a result that is too long stays
 * mangled. */
struct demangled {
	char text[16 << 10];
	size_t len;
	jmp_buf too_long;
};

/* Without "@VERSION" and, as in perf, without parameters. Valid as long as d and name. */
const char *demangle(struct demangled *d, const char *name);
