/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs made to take long: each delayed us by a minute or more before there was a limit.
 * Fuzzers cannot find them, because their inputs are small.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "symbolizer/elf.h"
#include "symbolizer/resolver.h"
#include "tests/bytes.h"
#include "tests/fuzz/mini_go.h"

enum { SIZE = 4 << 20, SECONDS = 60 };

static int open_mini(struct mini_go *m, size_t len)
{
	struct binary b = { .path = "", .root = "" };
	const char *why;
	struct elf *e;
	void *self;
	int err;

	alarm(SECONDS);
	cr_assert_eq(elf_parse(&e, m, len), 0);
	b.elf = e;
	err = gopclntab_resolver.open(&self, &b, &why);
	if (!err)
		gopclntab_resolver.close(self);
	elf_close(e);
	free(m);
	return err;
}

static void put_header(struct buf *b, uint64_t n_funcs, uint64_t names, uint64_t pctab,
		       uint64_t funcs)
{
	buf_u32(b, 0xfffffff1);
	buf_u32(b, 0x08010000);
	buf_u64(b, n_funcs);
	buf_u64(b, 0);
	buf_u64(b, 0);
	for (int i = 0; i < 3; i++)
		buf_u64(b, names);
	buf_u64(b, pctab);
	buf_u64(b, funcs);
}

/* Each of them requests a walk through all data. */
Test(hostile, many_headers)
{
	struct buf b = { 0 };
	struct mini_go *m;
	size_t len;

	buf_add(&b, "\x16\0\1\0\x11\0\0\0\0\0\0\0\0", 13); /* no moduledata */
	while (b.len < SIZE)
		put_header(&b, 1, 72, 72, 72);
	m = mini_go_new(b.data, b.len, &len);
	cr_expect_eq(open_mini(m, len), -ENOENT);
	buf_release(&b);
}

/* Each of them requests a walk through all relocations. */
Test(hostile, many_versions)
{
	struct mini_go *m;
	struct buf b = { 0 };
	size_t len;

	buf_add(&b, "\x16\0\0\0", 4);
	buf_add(&b, memset(buf_room(&b, SIZE / 2), 0, SIZE / 2), SIZE / 2);
	while (b.len < SIZE) {
		buf_add(&b, "\xff Go buildinf:\x08\0", 16);
		buf_u64(&b, MINI_TABLE);
		buf_u64(&b, 0);
	}
	m = mini_go_new(b.data, b.len, &len);
	memset(m->info, 0, sizeof(m->info));
	m->dyn[0].d_un.d_val = MINI_TABLE;
	m->dyn[1].d_un.d_val = SIZE / 2;
	cr_expect_eq(open_mini(m, len), -ENOENT);
	buf_release(&b);
}

/* Big functions, all with one packed table that says nothing, queried for their inlined
 * calls. */
Test(hostile, long_packed_tables)
{
	static const uint32_t func[] = { 0, 0, 0, 0, 8, 8, 8, 3, 0, 1, 4u << 24, 0, 0, 8 };
	enum { FUNCS = 4095, FUNC_LEN = 1 << 20, PCTAB = 80, ROWS = PCTAB + SIZE };
	struct buf b = { 0 };
	struct mini_go *m;
	size_t len;

	buf_add(&b, "\x16\0\0\0", 4);
	put_header(&b, FUNCS, 72, PCTAB, ROWS);
	buf_u64(&b, 'x');
	buf_u64(&b, 0);
	while (b.len < 4 + ROWS)
		buf_add(&b, "\1\1\2\1", 4); /* one down, one up, never a row */
	b.len = 4 + ROWS;
	for (uint32_t i = 0; i <= FUNCS; i++) {
		buf_u32(&b, i * FUNC_LEN);
		buf_u32(&b, 8 * (FUNCS + 1));
	}
	for (size_t i = 0; i < sizeof(func) / sizeof(*func); i++)
		buf_u32(&b, func[i]);
	for (int i = 0; i < 4; i++)
		buf_u32(&b, 0);
	m = mini_go_new(b.data, b.len, &len);
	cr_expect_eq(open_mini(m, len), 0);
	buf_release(&b);
}
