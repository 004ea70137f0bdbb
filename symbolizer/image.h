/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF images that are in a process's memory but in no file: the vDSO, and packed programs
 * (UPX) that have unpacked themselves into anonymous mappings.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/base/cursor.h"

enum { IMAGE_SEGMENTS = 32 };

/* The headers of an unpacked image. */
struct image {
	Elf64_Ehdr eh;
	/* its PT_LOADs, page-aligned: p_vaddr in the process, p_offset in what image_read()
	 * returns */
	Elf64_Phdr ph[IMAGE_SEGMENTS];
	uint32_t n;
	size_t size; /* bytes that image_read() returns */
};

/* Reads memory; zeros where the process has nothing readable. The caller frees it. NULL:
 * out of memory. */
void *memory_read(pid_t pid, uint64_t start, size_t len);
/* Does the process have these bytes at start? */
bool memory_is(pid_t pid, uint64_t start, const void *bytes, size_t len);
/* Advances in the text of /proc/PID/maps to the next anonymous mapping that begins with the
 * headers of an image. -ENOENT: no more. */
int image_next(struct image *ret, pid_t pid, struct cursor *maps);
/* The image as an ELF file for elf_parse(), already relocated. The caller frees it. */
void *image_read(const struct image *im, pid_t pid);
