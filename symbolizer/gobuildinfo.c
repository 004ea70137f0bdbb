/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blob (see debug/buildinfo) is 16-byte aligned and starts with 14 bytes of magic, the
 * pointer size and flags. Since Go 1.18 flag 2 is set and the strings follow at offset 32,
 * each after its length as a varint; before, the words at 16 and 24 point to Go string
 * headers {pointer, length}.
 */
#include "symbolizer/gobuildinfo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/elf.h"

#define MAGIC "\xff Go buildinf:"

enum {
	MAGIC_LEN = 14,
	BLOB_ALIGN = 16,
	BIG_ENDIAN_WORDS = 1,
	INLINE_STRINGS = 2,
	/* false matches that are tried: each costs a walk through all relocations */
	MAX_BLOBS = 64,
};

/* False: not a blob, or a broken one. */
static bool read_blob(const struct elf *e, uint64_t vaddr, struct cursor blob,
		      char version[GO_VERSION_MAX])
{
	const void *magic = cursor_bytes(&blob, MAGIC_LEN), *s;
	uint8_t ptr_size = cursor_u8(&blob), flags = cursor_u8(&blob);
	uint64_t header, data, len;

	if (!magic || memcmp(magic, MAGIC, MAGIC_LEN))
		return false;
	if (flags & INLINE_STRINGS) {
		cursor_seek(&blob, 32);
		len = cursor_uvarint(&blob);
	} else {
		if (ptr_size != 8 || flags & BIG_ENDIAN_WORDS)
			return false;
		if (!elf_word(e, vaddr + 16, &header) || !elf_word(e, header, &data))
			return false;
		blob = elf_at(e, header + 8);
		len = cursor_u64(&blob);
		blob = elf_at(e, data);
	}
	if (len > cursor_left(&blob))
		return false;
	if (len >= GO_VERSION_MAX)
		len = GO_VERSION_MAX - 1;
	s = cursor_bytes(&blob, len);
	if (!len || !s)
		return false;
	memcpy(version, s, len);
	version[len] = 0;
	return true;
}

bool gobuildinfo_version(const struct elf *e, char version[GO_VERSION_MAX])
{
	struct cursor bytes;
	uint64_t vaddr;
	int tries = 0;

	if (elf_section(e, ".go.buildinfo", &vaddr, &bytes) &&
	    read_blob(e, vaddr, bytes, version))
		return true;
	/* no section headers: it is in a data segment */
	for (uint32_t i = 0; i < e->n_segments; i++) {
		if (!e->segments[i].writable)
			continue;
		bytes = elf_segment_bytes(e, i);
		vaddr = e->segments[i].vaddr;
		for (size_t at = -vaddr % BLOB_ALIGN; at + 32 < bytes.len;
		     at += BLOB_ALIGN) {
			if (memcmp(bytes.data + at, MAGIC, MAGIC_LEN))
				continue;
			if (read_blob(e, vaddr + at,
				      cursor_slice(&bytes, at, bytes.len - at), version))
				return true;
			if (++tries == MAX_BLOBS)
				return false;
		}
	}
	return false;
}

int gobuildinfo_minor(const char *version)
{
	const char *s = strstr(version, "go1.");
	char *end;
	long minor;

	if (!s || s[4] < '0' || s[4] > '9')
		return -1;
	minor = strtol(s + 4, &end, 10);
	return minor < 1000 ? (int)minor : -1;
}
