/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of Go that built a file: the blob that `go version FILE` reads. */
#ifndef SYMBOLIZER_GOBUILDINFO_H
#define SYMBOLIZER_GOBUILDINFO_H

#include <stdbool.h>

struct elf;

enum { GO_VERSION_MAX = 128 };

/* "go1.22.3", "devel go1.23-6b3f7a6bd5 …", cut to fit. false: not built by Go 1.13 or
 * later. */
bool gobuildinfo_version(const struct elf *e, char version[GO_VERSION_MAX]);
/* 22 of "go1.22.3", with whatever stands around it; -1: no such thing. */
int gobuildinfo_minor(const char *version);

#endif
