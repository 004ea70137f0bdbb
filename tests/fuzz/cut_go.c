/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the seeds for fuzzers of Go's tables: tables of a few functions, cut out of real
 * programs and linked anew, because whole tables are megabytes. cut-go
 * gopclntab|gomodule|gobuildinfo DIRECTORY PROGRAM... writes inputs for that fuzzer; those
 * for gobuildinfo are programs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "symbolizer/elf.h"
#include "symbolizer/gobuildinfo.h"
#include "symbolizer/gopclntab.h"
#include "tests/bytes.h"
#include "tests/fuzz/mini_go.h"

enum { NAMES, CUTAB, FILES, PCTAB, FUNCS, TREES, REGIONS };
enum { FUNCS_CUT = 6, CUTS = 5, VALUES = 1024, INLINED_MAX = 64, WRAPINFO = 7 };

struct cut {
	const struct gopclntab *t;
	uint64_t base[REGIONS]; /* base of offsets into a region */
	struct buf out[REGIONS];
	int32_t values[VALUES]; /* of the packed table that was copied last */
	uint32_t n_values;
};

static bool is_wide(const struct gopclntab *t)
{
	return t->format <= FORMAT_116;
}

static uint32_t u32_of(struct cursor c, uint64_t pos)
{
	cursor_seek(&c, pos);
	return cursor_u32(&c);
}

static void buf_word(struct buf *b, uint64_t v, bool wide)
{
	if (wide)
		buf_u64(b, v);
	else
		buf_u32(b, (uint32_t)v);
}

static uint32_t put_string(struct cut *c, int region, struct cursor from, uint32_t off)
{
	uint64_t at = c->base[region] + c->out[region].len;
	const char *s;

	cursor_seek(&from, off);
	s = cursor_str(&from);
	buf_add(&c->out[region], s, strlen(s) + 1);
	return (uint32_t)at;
}

/* Copies a packed table and notes its values. */
static uint32_t put_steps(struct cut *c, uint32_t off)
{
	uint64_t at = c->base[PCTAB] + c->out[PCTAB].len;
	struct cursor in = c->t->pctab;
	uint32_t value = UINT32_MAX;

	c->n_values = 0;
	if (!off)
		return 0;
	cursor_seek(&in, off);
	for (bool first = true;; first = false) {
		uint32_t delta = (uint32_t)cursor_uvarint(&in);

		if (in.bad || (!delta && !first))
			break;
		value += (delta >> 1) ^ -(delta & 1);
		cursor_uvarint(&in);
		if (c->n_values < VALUES)
			c->values[c->n_values++] = (int32_t)value;
	}
	buf_add(&c->out[PCTAB], c->t->pctab.data + off, in.pos - off);
	return (uint32_t)at;
}

/* Copies the files that the last packed table refers to. Returns where they begin. */
static uint32_t put_files(struct cut *c, uint32_t cu)
{
	struct buf *out = &c->out[CUTAB];
	uint32_t begin = c->t->format == FORMAT_12 ? 0 : (uint32_t)out->len / 4;

	for (uint32_t i = 0; i < c->n_values; i++) {
		uint32_t file = (uint32_t)c->values[i], off;

		if (file >= VALUES)
			continue;
		while (out->len < 4 * (begin + file + 1ull))
			buf_u32(out, UINT32_MAX);
		off = put_string(c, FILES, c->t->files,
				 u32_of(c->t->cutab, 4 * (cu + file)));
		memcpy(out->data + 4 * (begin + file), &off, 4);
	}
	return begin;
}

/* Copies as many rows of an inline tree as the last packed table refers to. */
static uint64_t put_tree(struct cut *c, struct cursor tree)
{
	bool narrow = c->t->format >= FORMAT_120;
	uint32_t row = narrow ? 16 : 20, name = narrow ? 4 : 12;
	struct buf *out = &c->out[TREES];
	uint64_t at = c->base[TREES] + out->len;
	int32_t last = -1;

	for (uint32_t i = 0; i < c->n_values; i++)
		if (c->values[i] > last && c->values[i] < INLINED_MAX)
			last = c->values[i];
	for (int32_t i = 0; i <= last; i++) {
		const uint8_t *bytes = cursor_bytes(&tree, row);
		uint32_t off;

		if (!bytes)
			break;
		memcpy(&off, bytes + name, 4);
		off = put_string(c, NAMES, c->t->names, off);
		buf_add(out, bytes, row);
		memcpy(out->data + out->len - row + name, &off, 4);
	}
	while (out->len % 8)
		buf_u8(out, 0);
	return at;
}

/* Writes the funcdata at the end of the _func that `in` is in. */
static void put_funcdata(struct cut *c, struct cursor *in, uint32_t n)
{
	bool wide = is_wide(c->t);
	uint32_t inltree = c->t->format == FORMAT_12 ? 4 : 3;
	struct buf *out = &c->out[FUNCS];

	while (wide && (c->base[FUNCS] + out->len) % 8)
		buf_u8(out, 0);
	while (wide && (c->t->skew + in->pos) % 8 && !in->bad)
		cursor_u8(in);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t v = wide ? cursor_u64(in) : cursor_u32(in);
		struct cursor at = wide ? elf_at(c->t->elf, v) : c->t->funcdata;
		bool none = wide ? !v : v == UINT32_MAX;

		if (!wide)
			cursor_seek(&at, v);
		if (!none && i == inltree) {
			v = put_tree(c, at);
		} else if (!none && i == WRAPINFO && !wide) {
			v = c->base[TREES] + c->out[TREES].len;
			buf_u64(&c->out[TREES], cursor_u32(&at));
		} else {
			none = true;
		}
		buf_word(out, none ? (wide ? 0 : UINT32_MAX) : v, wide);
	}
}

static void put_func(struct cut *c, struct cursor in)
{
	struct buf *out = &c->out[FUNCS];
	uint32_t n_pcdata, n_funcdata, cu = 0, pcfile;

	buf_word(out, is_wide(c->t) ? cursor_u64(&in) : cursor_u32(&in), is_wide(c->t));
	buf_u32(out, put_string(c, NAMES, c->t->names, cursor_u32(&in)));
	buf_u32(out, cursor_u32(&in)); /* args, deferreturn */
	buf_u32(out, cursor_u32(&in));
	buf_u32(out, put_steps(c, cursor_u32(&in)));
	pcfile = cursor_u32(&in);
	buf_u32(out, put_steps(c, pcfile));
	cu = c->t->format >= FORMAT_116 ? u32_of(in, in.pos + 8) : 0;
	cu = put_files(c, cu);
	buf_u32(out, put_steps(c, cursor_u32(&in)));
	n_pcdata = cursor_u32(&in);
	buf_u32(out, n_pcdata);
	if (c->t->format >= FORMAT_116) {
		buf_u32(out, cu);
		cursor_u32(&in);
	}
	if (c->t->format >= FORMAT_120)
		buf_u32(out, cursor_u32(&in));
	n_funcdata = cursor_u32(&in);
	buf_u32(out, n_funcdata);
	n_funcdata >>= 24;
	/* the inline tree is the third of at most five; its values are kept for
	 * put_funcdata() */
	for (uint32_t i = 0; i < n_pcdata; i++) {
		uint32_t off = cursor_u32(&in);

		buf_u32(out, i == 2 ? put_steps(c, off) : 0);
	}
	put_funcdata(c, &in, n_funcdata);
}

/* Writes functions from row on; offsets are right if base is. */
static void cut_regions(struct cut *c, uint32_t row)
{
	const struct gopclntab *t = c->t;
	uint32_t n = FUNCS_CUT, width = is_wide(t) ? 16 : 8;
	struct buf *out = &c->out[FUNCS];

	for (int i = 0; i < REGIONS; i++)
		c->out[i].len = 0;
	buf_u8(&c->out[PCTAB], 0); /* offset 0 means none */
	buf_u8(&c->out[NAMES], 0);
	for (uint32_t i = 0; i <= n; i++) {
		struct cursor in = t->funcs;

		cursor_seek(&in, t->functab + (uint64_t)(row + i) * width);
		buf_word(out, is_wide(t) ? cursor_u64(&in) : cursor_u32(&in), is_wide(t));
		if (i < n || t->format == FORMAT_12)
			buf_word(out, 0, is_wide(t) && i < n);
	}
	while (out->len % 8)
		buf_u8(out, 0);
	for (uint32_t i = 0; i < n; i++) {
		struct cursor in = t->funcs, func = t->funcs;
		uint64_t at = c->base[FUNCS] + out->len, off;

		cursor_seek(&in, t->functab + (uint64_t)(row + i) * width + width / 2);
		off = is_wide(t) ? cursor_u64(&in) : cursor_u32(&in);
		memcpy(out->data + (uint64_t)i * width + width / 2, &at, width / 2);
		cursor_seek(&func, off);
		put_func(c, func);
		while (out->len % 8)
			buf_u8(out, 0);
	}
}

static void put_table(struct buf *out, const struct gopclntab *t, uint32_t row)
{
	static const uint8_t magic[] = { 0xfb, 0xfa, 0xf0, 0xf1 };
	static const uint8_t header[] = { 16, 64, 72, 72 };
	static const int order_12[] = { FUNCS, CUTAB, NAMES, FILES, PCTAB, TREES };
	struct cut c = { .t = t };
	uint64_t at[REGIONS], end = header[t->format];
	size_t begin = out->len;
	uint32_t files;

	c.base[FUNCS] = t->format == FORMAT_12 ? end : 0;
	cut_regions(&c, row);
	for (int i = 0; i < REGIONS; i++) {
		int region = t->format == FORMAT_12 ? order_12[i] : i;

		at[region] = end;
		c.base[region] = t->format == FORMAT_12 || region == TREES ? end : 0;
		if (region == TREES && is_wide(t))
			c.base[region] += MINI_TABLE;
		end = (end + c.out[region].len + 7) & ~7ull;
	}
	cut_regions(&c, row);
	if (t->format == FORMAT_12) {
		files = (uint32_t)at[CUTAB];
		memcpy(c.out[FUNCS].data + FUNCS_CUT * 16 + 8, &files, 4);
	}
	buf_u32(out, 0xffffff00 + magic[t->format]);
	buf_u32(out, 0x08000000 + ((uint32_t)t->quantum << 16));
	buf_u64(out, FUNCS_CUT);
	if (t->format >= FORMAT_116)
		buf_u64(out, c.out[CUTAB].len / 4);
	if (t->format >= FORMAT_118)
		buf_u64(out, t->minor >= 26 ? 0 : MINI_TEXT);
	for (int i = 0; t->format >= FORMAT_116 && i < TREES; i++)
		buf_u64(out, at[i]);
	for (int i = 0; i < REGIONS; i++) {
		int region = t->format == FORMAT_12 ? order_12[i] : i;

		while (out->len - begin < at[region])
			buf_u8(out, 0);
		buf_add(out, c.out[region].data, c.out[region].len);
	}
	for (int i = 0; i < REGIONS; i++)
		buf_release(&c.out[i]);
}

static void seed_write(const char *dir, const void *data, size_t len)
{
	static int n;
	char name[512];
	FILE *f;

	snprintf(name, sizeof(name), "%s/%d", dir, n++);
	f = fopen(name, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(name);
		exit(1);
	}
}

static void seeds_of(const char *format, const char *dir, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct gopclntab t;
	const char *why;
	struct elf *e;

	if (fd < 0 || elf_open(&e, fd) || gopclntab_open(&t, e, &why))
		return;
	close(fd);
	for (int i = 0; i < CUTS; i++) {
		struct buf seed = { 0 };
		uint8_t flags = (uint8_t)((t.minor < 18 ? MINI_POINTERS : 0) |
					  (i & 1 ? MINI_SECTIONS : 0) |
					  (i & 2 ? MINI_RELA : 0));
		struct mini_go *mini;
		size_t len;

		if (!strcmp(format, "gopclntab")) {
			buf_u8(&seed, (uint8_t)(t.minor - GO_OLDEST));
		} else {
			buf_u8(&seed, t.minor);
			buf_u8(&seed, flags);
			buf_add(&seed, "\0\0", 2);
		}
		put_table(&seed, &t, t.n_funcs / (CUTS + 1) * (uint32_t)(i + 1));
		mini = mini_go_new(seed.data, seed.len, &len);
		if (!strcmp(format, "gobuildinfo"))
			seed_write(dir, mini, len);
		else
			seed_write(dir, seed.data, seed.len);
		free(mini);
		buf_release(&seed);
	}
	free(t.copy);
	elf_close(e);
}

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		seeds_of(argv[1], argv[2], argv[i]);
	return argc < 4;
}
