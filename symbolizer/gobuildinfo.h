/* SPDX-License-Identifier: BSD-2-Clause */
/* What the go command wrote into a file: the blob that `go version -m FILE` reads. */
#pragma once

#include <stdbool.h>

struct elf;

enum { GO_VERSION_MAX = 128, GO_MODULE_MAX = 256 };

/* "go1.22.3", "devel go1.23-6b3f7a6bd5 …", truncated to fit. False: not built by Go 1.13 or
 * later. */
bool gobuildinfo_version(const struct elf *e, char version[GO_VERSION_MAX]);
/* The path of the module that package main belongs to, such as "example.com/demo". For a
 * program built without modules, the repository that its package is in, if it is named
 * after one. "": unknown. */
void gobuildinfo_module(const struct elf *e, char module[GO_MODULE_MAX]);
/* 22 for any string with "go1.22.3" in it; -1: no version found. */
int gobuildinfo_minor(const char *version);
