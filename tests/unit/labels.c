/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/buf.h"
#include "profiler/live/samplelabels.h"
#include "profiler/profile/labels.h"

static struct buf key, value;

static void release(void)
{
	buf_release(&key);
	buf_release(&value);
}

#define BYTES(s) (s), sizeof(s) - 1

static bool is(const struct buf *b, const char *s, size_t len)
{
	return b->len == len && (!len || !memcmp(b->data, s, len));
}

TestSuite(labels, .fini = release);

Test(labels, encode_sorts_and_escapes)
{
	struct label l[] = {
		{ "user", "42", 4, 2, false }, { "a", "2", 1, 1, false },
		{ "a", "1", 1, 1, false },     { "a\0b", "=,\\+", 3, 4, false },
		{ "", "", 0, 0, false },       { "job", "enc", 3, 3, true },
	};
	const char *set = "=,a=1,a=2,a\\00b=\\3d\\2c\\5c+,job=enc\\+,user=42,\\+";
	struct buf b = { 0 };

	labels_encode(&b, l, 6, true);
	cr_expect(is(&b, set, strlen(set)), "%.*s", (int)b.len, b.data);
	b.len = 0;
	labels_encode(&b, NULL, 0, true);
	cr_expect(is(&b, BYTES("\\+")));
	b.len = 0;
	labels_encode(&b, NULL, 0, false);
	cr_expect_eq(b.len, 0);
	buf_release(&b);
}

/* Any bytes come out as they went in, and different sets are different strings. */
Test(labels, round_trip)
{
	for (unsigned c = 0; c < 256; c++)
		for (unsigned d = 0; d < 256; d++) {
			char k[] = { (char)c, (char)d }, v[] = { (char)d, '\\', (char)c };
			struct label l = { k, v, 2, 3, c & 1 };
			struct buf b = { 0 };
			const char *at;

			labels_encode(&b, &l, 1, d & 1);
			buf_u8(&b, 0);
			cr_assert_eq(strlen((char *)b.data), b.len - 1);
			at = (char *)b.data;
			cr_assert_eq(labels_next(&at, &key, &value),
				     c & 1 ? LABEL_PART : LABEL_WHOLE);
			cr_assert(is(&key, k, 2) && is(&value, v, 3), "%u %u", c, d);
			cr_assert_eq(labels_next(&at, &key, &value),
				     d & 1 ? LABEL_LOST : LABEL_NONE);
			cr_assert_eq(labels_next(&at, &key, &value), LABEL_NONE);
			buf_release(&b);
		}
}

Test(labels, find)
{
	const char *set = "=x,a=1,a\\00b=2,job=enc\\+,user=";

	cr_expect_eq(labels_find(set, BYTES("a"), &value), LABEL_WHOLE);
	cr_expect(is(&value, BYTES("1")));
	cr_expect_eq(labels_find(set, BYTES("a\0b"), &value), LABEL_WHOLE);
	cr_expect(is(&value, BYTES("2")));
	cr_expect_eq(labels_find(set, BYTES(""), &value), LABEL_WHOLE);
	cr_expect(is(&value, BYTES("x")));
	cr_expect_eq(labels_find(set, BYTES("job"), &value), LABEL_PART);
	cr_expect(is(&value, BYTES("enc")));
	cr_expect_eq(labels_find(set, BYTES("user"), &value), LABEL_WHOLE);
	cr_expect_eq(value.len, 0);
	cr_expect_eq(labels_find(set, BYTES("use"), &value), LABEL_NONE);
	cr_expect_eq(value.len, 0);
	cr_expect_eq(labels_find("a=1,\\+", BYTES("b"), &value), LABEL_LOST);
	cr_expect_eq(labels_find("a=1,\\+", BYTES("a"), &value), LABEL_WHOLE);
	cr_expect_eq(labels_find("", BYTES("a"), &value), LABEL_NONE);
}

/* Untrusted strings of a recording. */
Test(labels, no_set)
{
	static const char *const sets[] = { "\\", "\\0", "a=\\", "a=\\3", "a=\\zz",
					    ",",  ",,=", "===",  "\xff",  "\\+\\+," };

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		const char *at = sets[i];
		int n = 0;

		while (labels_next(&at, &key, &value))
			cr_assert_lt(++n, 10);
		cr_expect_eq(at, sets[i] + strlen(sets[i]));
	}
}

static const char *constant(void *arg, uint64_t addr, size_t len)
{
	return addr == 0x1122334455667788 && len == 3 ? arg : NULL;
}

static bool sample(const char *bytes, size_t n, bool cut, const char *want)
{
	struct buf b = { 0 };
	bool whole = sample_labels(&b, bytes, n, cut, constant, "abc");

	cr_expect(is(&b, want, strlen(want)), "%.*s", (int)b.len, b.data);
	buf_release(&b);
	return whole;
}

#define AT_3    "\x03\x80"
#define ADDRESS "\x88\x77\x66\x55\x44\x33\x22\x11"

Test(labels, of_sample)
{
	cr_expect(sample(BYTES("\1\0\2\0bxy\1\0\0\0a"), false, "a=,b=xy"));
	cr_expect(sample(NULL, 0, false, ""));
	cr_expect_not(sample(NULL, 0, true, "\\+"));
	cr_expect_not(sample(BYTES("\1\0\2\x40"
				   "bxy"),
			     true, "b=xy\\+,\\+"));
	cr_expect(sample(BYTES("\1\0" AT_3 "b" ADDRESS), false, "b=abc"));
	cr_expect(sample(BYTES(AT_3 "\1\0" ADDRESS "v"), false, "abc=v"));
	cr_expect_not(sample(BYTES("\1\0\4\x80"
				   "b" ADDRESS),
			     false, "b=\\+"));
	cr_expect_not(sample(BYTES("\4\x80\1\0" ADDRESS "v"), false, "\\+"));
	/* cut off in the middle */
	cr_expect_not(sample(BYTES("\1\0\2\0bx"), false, "\\+"));
	cr_expect_not(sample(BYTES("\1\0\0\0a\1\0"), false, "a=,\\+"));
	cr_expect_not(sample(BYTES("\1\0" AT_3 "b\x88"), false, "\\+"));
}
