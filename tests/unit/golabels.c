/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels as the runtime leaves them in memory, read like in the kernel side. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/buf.h"
#include "profiler/live/samplelabels.h"
#include "profiler/profile/labels.h"

static long read_user(void *dst, __u32 size, __u64 addr);

#include "bpf/golabels.bpf.h"

enum { LABELS = 0x10008, MAP = 0x10100, TABLE = 0x20f00, OLD = 0x30000, MORE = 0x40000 };
enum { STRINGS = 0x50000, AREA = 0x60000, BASE = 0x10000, NO_PAGE = 0xbad0000 };

/* The process: one area, of which some pages may not be resident. */
static __u8 memory[AREA];
static __u64 missing; /* a page */
static struct label_reader reader;
static __u64 next_string;

static __always_inline struct label_reader *label_reader(__u32 cpu)
{
	return cpu ? NULL : &reader;
}

static long read_user(void *dst, __u32 size, __u64 addr)
{
	if ((__u8 *)dst >= reader.bytes && (__u8 *)dst < (__u8 *)(&reader + 1))
		cr_assert_leq((__u8 *)dst + size, reader.bytes + LABEL_BYTES);
	if (addr < BASE || addr >= BASE + AREA || size > BASE + AREA - addr ||
	    (addr < missing + PAGE && addr + size > missing)) {
		memset(dst, 0, size); /* as bpf_probe_read_user() does */
		return -EFAULT;
	}
	memcpy(dst, memory + (addr - BASE), size);
	return 0;
}

static void put(__u64 addr, const void *data, size_t size)
{
	cr_assert(addr >= BASE && addr + size <= BASE + AREA);
	memcpy(memory + (addr - BASE), data, size);
}

static void put_word(__u64 addr, __u64 v)
{
	put(addr, &v, 8);
}

static void put_string(__u64 at, const char *s, size_t len)
{
	put_word(at, next_string);
	put_word(at + 8, len);
	put(next_string, s, len);
	next_string += len;
}

static void start(void)
{
	memset(memory, 0xa5, sizeof(memory));
	memset(&reader, 0xa5, sizeof(reader));
	missing = NO_PAGE;
	next_string = STRINGS;
}

static void list(__u64 n)
{
	put_word(LABELS, TABLE);
	put_word(LABELS + 8, n);
	put_word(LABELS + 16, n);
}

static void list_pair(int i, const char *key, const char *value)
{
	put_string(TABLE + 32 * i, key, strlen(key));
	put_string(TABLE + 32 * i + 16, value, strlen(value));
}

static void map(__u64 count, __u8 b, __u8 flags, __u64 old)
{
	put_word(LABELS, MAP);
	put_word(MAP, count);
	put(MAP + 8, &flags, 1);
	put(MAP + 9, &b, 1);
	put_word(MAP + 16, TABLE);
	put_word(MAP + 24, old);
}

static void bucket(__u64 addr, __u64 overflow)
{
	static const __u8 empty[8] = { 0, 1, 2, 3, 4, 0, 1, 2 };

	put(addr, empty, 8);
	put_word(addr + 264, overflow);
}

static void slot(__u64 addr, int i, const char *key, const char *value)
{
	static const __u8 hash = TOPHASH_MIN;

	put(addr + i, &hash, 1);
	put_string(addr + 8 + 16 * i, key, strlen(key));
	put_string(addr + 136 + 16 * i, value, strlen(value));
}

static const char *constant(void *arg, uint64_t addr, size_t len)
{
	(void)arg;
	return addr >= BASE && addr < BASE + AREA && len <= BASE + AREA - addr
		       ? (const char *)memory + (addr - BASE)
		       : NULL;
}

static const char *constant_none(void *arg, uint64_t addr, size_t len)
{
	(void)arg, (void)addr, (void)len;
	return NULL;
}

/* The result. */
static const char *labels(bool is_list,
			  const char *(*fn)(void *arg, uint64_t addr, size_t len))
{
	static char text[4 * LABEL_BYTES];
	struct buf b = { 0 };

	labels_read(0, LABELS, is_list);
	cr_assert_leq(reader.len, LABEL_BYTES);
	sample_labels(&b, reader.bytes, reader.len, reader.left, fn, NULL);
	cr_assert_lt(b.len, sizeof(text));
	buf_u8(&b, 0);
	memcpy(text, b.data, b.len);
	buf_release(&b);
	return text;
}

Test(golabels, list)
{
	start();
	list(3);
	list_pair(0, "job", "encode");
	list_pair(1, "", "empty key");
	list_pair(2, "user", "");
	cr_expect_str_eq(labels(true, constant), "=empty key,job=encode,user=");
	list(0);
	cr_expect_str_eq(labels(true, constant), "");
	cr_expect_eq(reader.left, 0);
}

Test(golabels, any_bytes)
{
	start();
	list(1);
	put_string(TABLE, "k\0,=\\", 5);
	put_string(TABLE + 16, "\0\xff", 2);
	cr_expect_str_eq(labels(true, constant), "k\\00\\2c\\3d\\5c=\\00\xff");
}

Test(golabels, map)
{
	start();
	map(2, 0, 0, 0);
	bucket(TABLE, 0);
	slot(TABLE, 7, "job", "encode");
	slot(TABLE, 2, "a", "b");
	cr_expect_str_eq(labels(false, constant), "a=b,job=encode");
	cr_expect_eq(reader.left, 0);
	map(0, 0, 0, 0);
	cr_expect_str_eq(labels(false, constant), "");
	put_word(MAP + 16, 0);
	cr_expect_str_eq(labels(false, constant), "");
	cr_expect_eq(reader.left, 0);
}

/* One of two buckets has moved to two of four, and one has a chain. */
Test(golabels, map_that_grows)
{
	for (int same = 0; same < 2; same++) {
		start();
		map(4, same ? 1 : 2, same ? MAP_SAME_SIZE : 0, OLD);
		for (int i = 0; i < 4; i++)
			bucket(TABLE + 272 * i, 0);
		bucket(OLD, 0);
		bucket(OLD + 272, MORE);
		bucket(MORE, 0);
		slot(TABLE, 0, "a", "1");
		slot(TABLE + 272 * (same ? 1 : 3), 1, "b", "2");
		slot(OLD + 272, 1, "c", "3");
		slot(MORE, 0, "d", "4");
		cr_expect_str_eq(labels(false, constant), "a=1,b=2,c=3,d=4");
		cr_expect_eq(reader.left, 0);
	}
}

Test(golabels, bucket_on_a_page_not_yet_written)
{
	start();
	map(2, 1, 0, 0);
	bucket(TABLE, 0);
	slot(TABLE, 0, "job", "encode"); /* on the page before */
	missing = 0x21000;
	cr_expect_str_eq(labels(false, constant), "job=encode,\\+", "one of two");
	cr_expect(reader.left);
	put_word(MAP, 1);
	cr_expect_str_eq(labels(false, constant), "job=encode");
	cr_expect_eq(reader.left, 0);
}

Test(golabels, strings_that_cannot_be_read)
{
	char page[PAGE] = { 0 };

	start();
	list(2);
	put_string(TABLE, "a", 1);
	next_string += PAGE - next_string % PAGE - 3;
	put_string(TABLE + 16, "constant", 8);
	list_pair(1, "key", "value");
	missing = 0x51000;
	cr_expect_str_eq(labels(true, constant), "a=constant,key=value");
	cr_expect_eq(reader.left, 0);
	cr_expect_str_eq(labels(true, constant_none), "a=\\+,\\+");

	/* no room for an address */
	next_string = STRINGS;
	put_string(TABLE + 16, page, 4096 - 4 - 1 - 7);
	list(2);
	next_string = 0x51000;
	list_pair(1, "", "x");
	cr_expect_eq(strlen(labels(true, constant)), 4 + 3 * (4096 - 12) + 3);
	cr_expect(reader.left);
	list(1);
	next_string = STRINGS;
	put_string(TABLE, page, 4096 - 4 - 5);
	next_string = 0x51000;
	put_string(TABLE + 16, "value", 5);
	cr_expect_str_eq(labels(true, constant) + 3 * (4096 - 9), "=\\+");
}

Test(golabels, what_does_not_fit)
{
	static char big[5000];
	const char *set;

	memset(big, 'x', sizeof(big));
	start();
	list(2);
	put_string(TABLE, "k", 1);
	put_string(TABLE + 16, big, LABEL_BYTES - 5);
	cr_expect_eq(strlen(labels(true, constant)), LABEL_BYTES - 5 + 2 + 3, "k=xxx…,\\+");
	list(1);
	cr_expect_eq(strlen(labels(true, constant)), LABEL_BYTES - 5 + 2);
	cr_expect_eq(reader.left, 0);

	put_string(TABLE + 16, big, LABEL_BYTES - 4);
	set = labels(true, constant);
	cr_expect_eq(strlen(set), LABEL_BYTES - 5 + 2 + 2);
	cr_expect_str_eq(set + LABEL_BYTES - 5 + 2, "\\+");
	cr_expect_eq(reader.left, 0);
	list(2);
	cr_expect_str_eq(labels(true, constant) + LABEL_BYTES - 5 + 2, "\\+,\\+");
	cr_expect_eq(reader.left, 1);

	list(1);
	put_string(TABLE, big, sizeof(big));
	cr_expect_str_eq(labels(true, constant), "\\+");
	cr_expect(reader.left);
}

/* Memory that is overwritten while we read it, or is not what we expect. */
Test(golabels, hostile)
{
	static const __u64 values[] = { 0,
					1,
					7,
					4096,
					0xffff,
					0x100000003,
					TABLE,
					STRINGS,
					0x7fffffffffffffff,
					1ull << 63,
					0xfffffffffffffff0,
					~0ull };
	enum { N = sizeof(values) / sizeof(*values) };

	for (int at = 0; at < 8; at++)
		for (int v = 0; v < N * N; v++) {
			start();
			list(3);
			list_pair(0, "a", "1");
			list_pair(1, "b", "2");
			list_pair(2, "c", "3");
			put_word((at < 4 ? LABELS : TABLE - 32) + 8 * at, values[v % N]);
			put_word(TABLE + 8 * at, values[v / N]);
			labels(true, constant);

			start();
			map(2, (__u8)values[v % N], (__u8)v, OLD);
			bucket(TABLE, values[v / N]);
			slot(TABLE, 0, "a", "1");
			put_word(MAP + 8 * at, values[v % N]);
			put_word(TABLE + 8 * at, values[v / N]);
			labels(false, constant);
		}
	start();
	map(9, 0, 0, 0);
	bucket(TABLE, TABLE); /* an endless chain */
	labels(false, constant);
	cr_expect(reader.left);
	start();
	list(1ull << 40);
	labels(true, constant);
	cr_expect(reader.left);
	missing = 0x10000;
	for (int is_list = 0; is_list < 2; is_list++) {
		cr_expect_str_eq(labels(is_list, constant), "\\+");
		cr_expect(reader.left);
	}
}
