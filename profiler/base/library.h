/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared libraries that are loaded when they are first needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Stores the library's functions of these names, in their order, in the function pointers
 * at `to`. The library stays loaded. False: it is not there, or lacks one of them. */
bool library_load(const char *file, const char *const *names, size_t n, void *to);
