/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/debugfile.h"

#include <elfutils/libdwelf.h>
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "profiler/base/arena.h"
#include "symbolizer/elf.h"

enum { MAX_UNPACKED = 64 << 20, PIECE = 1 << 20, EXTENTS_MAX = 10000 };
/* The largest debug file whose checksum is computed; with a build-id none is needed. */
#define MAX_CHECKED ((off_t)1 << 30)

static const char debug_dir[] = "/usr/lib/debug";

/* The number of bytes that libdw would allocate for this section. */
static uint64_t unpacked_size(Elf_Scn *scn, const char *name, const GElf_Shdr *sh)
{
	struct cursor c;
	GElf_Chdr ch;
	Elf_Data *d;

	if (sh->sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(scn, &ch) ? ch.ch_size : 0;
	/* before Go 1.19: "ZLIB", then the size as 8 bytes, big-endian */
	if (strncmp(name, ".zdebug", 7))
		return 0;
	d = elf_rawdata(scn, NULL);
	if (!d || !d->d_buf)
		return 0;
	c = cursor_over(d->d_buf, d->d_size);
	cursor_seek(&c, 4);
	return be64toh(cursor_u64(&c));
}

/* The number of bytes that libdw would unpack from .gnu_debugdata, or anything above
 * MAX_UNPACKED if there are more. Only unpacking can tell: the headers may lie. */
static uint64_t minidebug_size(Elf_Scn *scn)
{
	lzma_stream z = LZMA_STREAM_INIT;
	Elf_Data *d = elf_rawdata(scn, NULL);
	uint8_t *piece;
	uint64_t sum;
	lzma_ret r;

	if (!d || !d->d_buf || lzma_auto_decoder(&z, 2 * MAX_UNPACKED, 0) != LZMA_OK)
		return 0;
	piece = mem_zalloc(PIECE);
	z.next_in = d->d_buf;
	z.avail_in = d->d_size;
	do {
		z.next_out = piece;
		z.avail_out = PIECE;
		r = lzma_code(&z, LZMA_FINISH);
	} while (r == LZMA_OK && z.total_out <= MAX_UNPACKED);
	sum = r == LZMA_MEMLIMIT_ERROR ? UINT64_MAX : z.total_out;
	lzma_end(&z);
	free(piece);
	return sum;
}

/* As unpacked_size(); 0 for section 0 and for a missing one. */
static uint64_t linked_size(const struct elf *e, size_t section)
{
	Elf_Scn *scn = section ? elf_getscn(e->lib, section) : NULL;
	GElf_Shdr sh;

	return scn && gelf_getshdr(scn, &sh) ? unpacked_size(scn, "", &sh) : 0;
}

/* The number of bytes that libdw unpacks from this section before it returns a symbol. */
static uint64_t symbols_size(const struct elf *e, Elf_Scn *scn, const char *name,
			     const GElf_Shdr *sh)
{
	uint64_t own, names;

	if (!strcmp(name, ".gnu_debugdata"))
		return minidebug_size(scn);
	if (sh->sh_type != SHT_SYMTAB && sh->sh_type != SHT_DYNSYM &&
	    sh->sh_type != SHT_SYMTAB_SHNDX)
		return 0;
	own = unpacked_size(scn, "", sh);
	names = linked_size(e, sh->sh_link);
	return own < MAX_UNPACKED && names < MAX_UNPACKED ? own + names : UINT64_MAX;
}

bool debugfile_heavy(const struct elf *e, bool for_symbols)
{
	Elf_Scn *scn = NULL;
	uint64_t sum = 0;
	size_t strs;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(e->lib, &strs))
		return false;
	while (sum <= MAX_UNPACKED && (scn = elf_nextscn(e->lib, scn))) {
		const char *name = gelf_getshdr(scn, &sh)
					   ? elf_strptr(e->lib, strs, sh.sh_name)
					   : NULL;
		uint64_t n;

		if (!name || sh.sh_type == SHT_NOBITS)
			continue;
		n = for_symbols ? symbols_size(e, scn, name, &sh)
				: unpacked_size(scn, name, &sh);
		sum += n < MAX_UNPACKED ? n : MAX_UNPACKED + 1;
	}
	return sum > MAX_UNPACKED;
}

/* Is at least half of the file data? It is in every debug file, and reading the holes of a
 * large sparse file would take minutes. The number of blocks does not tell, because some
 * file systems compress. */
static bool is_mostly_data(int fd, off_t size)
{
	off_t at = 0, data = 0;

	for (int i = 0; i < EXTENTS_MAX && at < size; i++) {
		off_t start = lseek(fd, at, SEEK_DATA);
		off_t end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);

		if (end < 0)
			break;
		data += end - start;
		at = end;
	}
	return data >= size / 2;
}

/* Does the file have this checksum? */
static bool crc_matches(int fd, GElf_Word crc)
{
	uint32_t sum = (uint32_t)crc32_z(0, NULL, 0);
	struct stat st;
	uint8_t *piece;
	ssize_t n = 0;

	if (fstat(fd, &st) || st.st_size > MAX_CHECKED || !is_mostly_data(fd, st.st_size))
		return false;
	piece = mem_zalloc(PIECE);
	for (off_t at = 0; at < st.st_size; at += n) {
		n = pread(fd, piece, PIECE, at);
		if (n <= 0)
			break;
		sum = (uint32_t)crc32_z(sum, piece, (size_t)n);
	}
	free(piece);
	return n > 0 && sum == crc;
}

/* Is this the debug file of d, whose link, if any, has that checksum? */
static bool debug_matches(const struct debugfile *d, const struct elf *e, int fd,
			  GElf_Word crc)
{
	char hex[sizeof(d->b.elf->build_id)] = "";
	const uint8_t *id;
	const void *bits;
	ssize_t n;

	if (!*d->b.elf->build_id)
		return crc && crc_matches(fd, crc);
	n = dwelf_elf_gnu_build_id(e->lib, &bits);
	id = bits;
	for (ssize_t i = 0; i < n && i < 32; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	return !strcmp(hex, d->b.elf->build_id);
}

static int debug_open(struct debugfile *d, const char *path, GElf_Word crc)
{
	struct elf *e = NULL;
	bool matches = false, heavy;
	struct stat st;
	int fd;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (!elf_open(&e, fd) && !debugfile_heavy(e, true) &&
	    debug_matches(d, e, fd, crc)) {
		heavy = debugfile_heavy(e, false);
		d->heavy |= heavy;
		matches = !heavy || !d->only_lines;
	}
	elf_close(e);
	if (matches)
		return fd;
	close(fd);
	return -1;
}

int debugfile_find(Dwfl_Module *m, void **arg, const char *module, Dwarf_Addr base,
		   const char *file, const char *link, GElf_Word crc, char **ret)
{
	struct debugfile *d = *arg;
	const char *id = d->b.elf->build_id, *slash = strrchr(d->b.path, '/');
	const char *roots[] = { d->b.root, "" };
	int dir = slash ? (int)(slash - d->b.path) : 0, fd = -1;
	char path[PATH_MAX];

	(void)m, (void)module, (void)base, (void)file;
	/* a link without checksum names a file shared by several (dwz), which libdw
	 * finds */
	if ((link && !crc) || (link && strchr(link, '/')))
		return -1;
	for (int i = *d->b.root ? 0 : 1; fd < 0 && i < 2; i++) {
		const char *in[] = { debug_dir, "", "" }, *sub[] = { "", "/.debug", "" };

		if (*id) {
			snprintf(path, sizeof(path), "%s%s/.build-id/%.2s/%s.debug",
				 roots[i], debug_dir, id, id + 2);
			fd = debug_open(d, path, 0);
			d->ours = fd >= 0 && i == 1;
		}
		for (int k = 0; link && fd < 0 && k < 3; k++) {
			snprintf(path, sizeof(path), "%s%s%.*s%s/%s", roots[i], in[k], dir,
				 d->b.path, sub[k], link);
			fd = debug_open(d, path, crc);
			d->ours = fd >= 0 && i == 1 && k == 0;
		}
	}
	if (fd >= 0)
		*ret = mem_strdup(path);
	return fd;
}
