/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of Go that built a file, from the blob that `go version FILE` reads. */
#ifndef SYMBOLIZER_GOBUILDINFO_H
#define SYMBOLIZER_GOBUILDINFO_H

#include <stdbool.h>

struct elf;

enum { GO_VERSION_MAX = 128 };

/* "go1.22.3", "devel go1.23-6b3f7a6bd5 …", truncated to fit. False: not built by Go 1.13 or
 * later. */
bool gobuildinfo_version(const struct elf *e, char version[GO_VERSION_MAX]);
/* 22 for any string with "go1.22.3" in it; -1: no version found. */
int gobuildinfo_minor(const char *version);

#endif
