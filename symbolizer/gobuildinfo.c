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
	MODULES_MARK = 16,
	/* false matches that are tried: each costs a walk through all relocations */
	MAX_BLOBS = 64,
};

/* The strings of a blob. */
struct info {
	struct cursor version, modules;
};

static struct cursor take(struct cursor *c, uint64_t len)
{
	struct cursor ret = cursor_slice(c, c->bad ? 0 : c->pos, len);

	cursor_bytes(c, len);
	return ret;
}

/* The Go string whose header is where the word at vaddr points. */
static struct cursor string_at(const struct elf *e, uint64_t vaddr)
{
	struct cursor c = { .bad = true };
	uint64_t header, data, len;

	if (elf_word(e, vaddr, &header) && elf_word(e, header, &data)) {
		c = elf_at(e, header + 8);
		len = cursor_u64(&c);
		c = elf_at(e, data);
		c = take(&c, len);
	}
	return c;
}

/* False: not a blob, or a broken one. */
static bool read_blob(const struct elf *e, uint64_t vaddr, struct cursor blob,
		      struct info *ret)
{
	const void *magic = cursor_bytes(&blob, MAGIC_LEN);
	uint8_t ptr_size = cursor_u8(&blob), flags = cursor_u8(&blob);

	if (!magic || memcmp(magic, MAGIC, MAGIC_LEN))
		return false;
	if (flags & INLINE_STRINGS) {
		cursor_seek(&blob, 32);
		ret->version = take(&blob, cursor_uvarint(&blob));
		ret->modules = take(&blob, cursor_uvarint(&blob));
	} else if (ptr_size == 8 && !(flags & BIG_ENDIAN_WORDS)) {
		ret->version = string_at(e, vaddr + 16);
		ret->modules = string_at(e, vaddr + 24);
	} else {
		return false;
	}
	return cursor_left(&ret->version) > 0;
}

static bool find_blob(const struct elf *e, struct info *ret)
{
	struct cursor bytes;
	uint64_t vaddr;
	int tries = 0;

	if (elf_section(e, ".go.buildinfo", &vaddr, &bytes) &&
	    read_blob(e, vaddr, bytes, ret))
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
				      cursor_slice(&bytes, at, bytes.len - at), ret))
				return true;
			if (++tries == MAX_BLOBS)
				return false;
		}
	}
	return false;
}

static void copy_text(char *to, size_t size, const void *text, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(to, text, len);
	to[len] = 0;
}

bool gobuildinfo_version(const struct elf *e, char version[GO_VERSION_MAX])
{
	struct info info;

	if (!find_blob(e, &info))
		return false;
	copy_text(version, GO_VERSION_MAX, info.version.data, info.version.len);
	return true;
}

/* The first words of the line "key\tvalue\t…"; its length is 0 if there is no such line. */
static struct cursor line_value(struct cursor text, const char *key)
{
	size_t n = strlen(key);

	while (cursor_left(&text) > n) {
		const char *line = (const char *)text.data + text.pos;
		const char *end = memchr(line, '\n', cursor_left(&text));
		size_t len = end ? (size_t)(end - line) : cursor_left(&text);

		if (len > n && !memcmp(line, key, n)) {
			const char *tab = memchr(line + n, '\t', len - n);

			len = tab ? (size_t)(tab - line) : len;
			return cursor_over(line + n, len - n);
		}
		cursor_bytes(&text, end ? len + 1 : len);
	}
	return cursor_over("", 0);
}

/* A program built without modules tells only its package: "github.com/owner/name" of
 * "github.com/owner/name/cmd/x", "k8s.io/name" of "k8s.io/name/cmd/x". The length; 0: the
 * path does not name a repository. */
static size_t repository_len(struct cursor path)
{
	static const char *const with_owner[] = { "github.com/", "gitlab.com/",
						  "bitbucket.org/", "codeberg.org/",
						  "golang.org/" };
	const char *text = (const char *)path.data, *slash = memchr(text, '/', path.len);
	int elements = 2;
	size_t n = 0;

	if (!slash || !memchr(text, '.', (size_t)(slash - text)))
		return 0;
	for (size_t i = 0; i < sizeof(with_owner) / sizeof(*with_owner); i++)
		if (path.len > strlen(with_owner[i]) &&
		    !memcmp(text, with_owner[i], strlen(with_owner[i])))
			elements = 3;
	for (; n < path.len; n++)
		if (text[n] == '/' && !--elements)
			return n;
	return elements == 1 ? n : 0;
}

void gobuildinfo_module(const struct elf *e, char module[GO_MODULE_MAX])
{
	struct cursor value = cursor_over("", 0);
	struct info info;

	if (find_blob(e, &info) && !info.modules.bad) {
		/* the linker puts marks of 16 bytes before and behind */
		if (info.modules.len > 2 * MODULES_MARK)
			cursor_bytes(&info.modules, MODULES_MARK);
		value = line_value(info.modules, "mod\t");
		if (!value.len) {
			value = line_value(info.modules, "path\t");
			value.len = repository_len(value);
		}
	}
	copy_text(module, GO_MODULE_MAX, value.data, value.len);
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
