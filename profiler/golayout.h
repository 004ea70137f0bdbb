/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Go program keeps g, and the fields of g and m that we read. */
#ifndef PROFILER_GOLAYOUT_H
#define PROFILER_GOLAYOUT_H

#include <stdint.h>

struct layout;

/*
 * Fills all of *ret but tls_g for a version as the build info spells it: "go1.22.3", vendor suffixes and
 * "devel …" included. -EINVAL: not a version; -ENOTSUP: none that is known, *why (a static string)
 * says so. A field whose offset a version does not settle is left 0.
 */
int golayout_find(struct layout *ret, const char *version, const char **why);

/*
 * The offset of g's slot from the thread pointer, decoded from the code of runtime.stackcheck
 * (amd64), which every Go program has. -ENOENT: an encoding that names no constant (c-shared,
 * plugin), or none that is known.
 */
int golayout_tls(const uint8_t *code, uint32_t len, int64_t *offset);

#endif
