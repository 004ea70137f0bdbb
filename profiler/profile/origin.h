/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose code a function is: the program's own, a library's, or the standard library's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct frame;
struct profile;

enum origin {
	ORIGIN_OWN,      /* of package main, or of the module that main belongs to */
	ORIGIN_LIBRARY,  /* of another module */
	ORIGIN_STANDARD, /* Go's standard library, the runtime included */
	ORIGIN_OTHER,    /* not Go, the kernel, or without a name */
};

enum origin origin_of(const struct profile *p, const struct frame *f);
/* The length of the package's path in "example.com/a/b.(*T).F[example.com/c.X]". */
size_t origin_package_len(const char *func);
/* By the rule of the go command: the first element of the package's path has no dot. A
 * module without a dot in its name looks the same. */
bool origin_is_standard(const char *func);
