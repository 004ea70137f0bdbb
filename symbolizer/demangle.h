/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of C++ and Rust as people write them. */
#ifndef SYMBOLIZER_DEMANGLE_H
#define SYMBOLIZER_DEMANGLE_H

#include <setjmp.h>
#include <stddef.h>

/* Where it is written. A name of one KiB can stand for gigabytes; such ones stay mangled. */
struct demangled {
	char text[16 << 10];
	size_t len;
	jmp_buf too_long;
};

/* Without "@VERSION", and as perf does it without parameters. Valid as long as d and name. */
const char *demangle(struct demangled *d, const char *name);

#endif
