/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/maps.h"

#define PAGE      ((uint64_t)4096)
#define MAX_IMAGE ((uint64_t)1 << 30) /* bytes; more means broken headers */

static int memory_open(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void memory_copy(int fd, void *to, uint64_t from, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, (char *)to + done, len - done, (off_t)(from + done));
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

void *memory_read(pid_t pid, uint64_t start, size_t len)
{
	void *to = calloc(1, len);
	int fd = memory_open(pid);

	if (to && fd >= 0)
		memory_copy(fd, to, start, len);
	if (fd >= 0)
		close(fd);
	return to;
}

bool memory_is(pid_t pid, uint64_t start, const void *bytes, size_t len)
{
	uint8_t piece[1 << 16];
	int fd = memory_open(pid);
	size_t done = 0;

	while (fd >= 0 && done < len) {
		size_t want = len - done < sizeof(piece) ? len - done : sizeof(piece);
		ssize_t n = pread(fd, piece, want, (off_t)(start + done));

		if (n <= 0 || memcmp(piece, (const uint8_t *)bytes + done, (size_t)n))
			break;
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && done == len;
}

/* Sets a PT_LOAD to the address where it is, starting at a page boundary like the
 * kernel. */
static bool place(struct image *im, Elf64_Phdr *ph, uint64_t bias)
{
	uint64_t into = ph->p_vaddr & (PAGE - 1);

	if (ph->p_filesz > MAX_IMAGE)
		return false;
	ph->p_vaddr = ph->p_paddr = ph->p_vaddr - into + bias;
	ph->p_filesz += into;
	ph->p_memsz = ph->p_filesz;
	ph->p_offset = im->size;
	im->size += (ph->p_filesz + PAGE - 1) & ~(PAGE - 1);
	return im->size <= MAX_IMAGE && ph->p_vaddr + ph->p_filesz > ph->p_vaddr;
}

/* Reads the headers at start. */
static bool parse(struct image *im, int fd, uint64_t start)
{
	Elf64_Phdr all[2 * IMAGE_SEGMENTS] = { 0 };
	uint64_t bias = 0;
	bool first = true;

	*im = (struct image){ .size = PAGE };
	memory_copy(fd, &im->eh, start, sizeof(im->eh));
	if (memcmp(im->eh.e_ident, ELFMAG, SELFMAG) ||
	    im->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    im->eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (im->eh.e_type != ET_EXEC && im->eh.e_type != ET_DYN) ||
	    im->eh.e_phentsize != sizeof(*all) || im->eh.e_phnum > 2 * IMAGE_SEGMENTS)
		return false;
	memory_copy(fd, all, start + im->eh.e_phoff, im->eh.e_phnum * sizeof(*all));
	for (uint32_t i = 0; i < im->eh.e_phnum; i++) {
		if (all[i].p_type != PT_LOAD || !all[i].p_filesz)
			continue;
		if (first)
			bias = start - (all[i].p_vaddr & ~(PAGE - 1));
		first = false;
		if (im->n == IMAGE_SEGMENTS || !place(im, &all[i], bias))
			return false;
		im->ph[im->n++] = all[i];
	}
	return im->n > 0;
}

int image_next(struct image *ret, pid_t pid, struct cursor *maps)
{
	int fd = memory_open(pid), err = -ENOENT;
	struct mapping m;

	while (err && fd >= 0 && maps_next(maps, &m))
		if (!m.inode && !m.path_len && !m.writable && parse(ret, fd, m.start))
			err = 0;
	if (fd >= 0)
		close(fd);
	return err;
}

void *image_read(const struct image *im, pid_t pid)
{
	char *to = calloc(1, im->size);
	Elf64_Ehdr eh = im->eh;
	int fd = memory_open(pid);

	if (!to || fd < 0)
		goto out;
	for (uint32_t i = 0; i < im->n; i++)
		memory_copy(fd, to + im->ph[i].p_offset, im->ph[i].p_vaddr,
			    im->ph[i].p_filesz);
	/* keep only the headers that are still true for the copy */
	eh.e_type = ET_EXEC;
	eh.e_phoff = sizeof(eh);
	eh.e_phnum = (Elf64_Half)im->n;
	eh.e_shoff = 0;
	eh.e_shnum = eh.e_shstrndx = 0;
	memcpy(to, &eh, sizeof(eh));
	memcpy(to + sizeof(eh), im->ph, im->n * sizeof(*im->ph));
out:
	if (fd >= 0)
		close(fd);
	return to;
}
