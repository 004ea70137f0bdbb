/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF images that are in a process's memory and in no file: the vDSO, and programs that were
 * packed (UPX) and have unpacked themselves into anonymous mappings.
 */
#ifndef SYMBOLIZER_IMAGE_H
#define SYMBOLIZER_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profiler/base/cursor.h"

enum { IMAGE_SEGMENTS = 32 };

/* What its headers say of an unpacked image. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[IMAGE_SEGMENTS]; /* its PT_LOADs: at whole pages, p_vaddr as in the
					* process, p_offset as in what image_read() gives */
	uint32_t n;
	size_t size; /* bytes that image_read() gives */
};

/* Zeros where the process has nothing to be read. The caller frees it. NULL: no memory. */
void *memory_read(pid_t pid, uint64_t start, size_t len);
/* Does the process have these bytes at start? */
bool memory_is(pid_t pid, uint64_t start, const void *bytes, size_t len);
/* Reads on in the text of /proc/PID/maps to the next anonymous mapping that begins with the
 * headers of an image. -ENOENT: no more. */
int image_next(struct image *ret, pid_t pid, struct cursor *maps);
/* The image as an ELF file, for elf_parse(): relocated, as it is. The caller frees it. */
void *image_read(const struct image *im, pid_t pid);

#endif
