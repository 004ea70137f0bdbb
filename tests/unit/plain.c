/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/plain.h"

#define R "\xef\xbf\xbd" /* U+FFFD */

static const char *plain(const char *s)
{
	static char text[128];
	struct buf b = { 0 };

	plain_add(&b, s);
	cr_assert_lt(b.len, sizeof(text));
	memcpy(text, b.data ? (const void *)b.data : "", b.len);
	text[b.len] = 0;
	buf_release(&b);
	return text;
}

Test(plain, replaces_what_a_terminal_obeys)
{
	cr_expect_str_eq(plain(""), "");
	cr_expect_str_eq(plain("main.(*T).f \xc3\xa4 \xe4\xb8\xad"),
			 "main.(*T).f \xc3\xa4 \xe4\xb8\xad");
	cr_expect_str_eq(plain("a\x1b[31mb\r\n\t\x7f"), "a" R "[31mb" R R R R);
	cr_expect_str_eq(plain("\xc2\x9b"
			       "31m"),
			 R "31m"); /* CSI, of C1 */
	cr_expect_str_eq(plain("\x9b\xff\xc3"), R R R);
	cr_expect_str_eq(plain("\xe2\x80\xae"
			       "a\xe2\x81\xa6\xe2\x81\xa9"),
			 R "a" R R);
	cr_expect_str_eq(plain("\xe2\x80\xa8\xef\xbb\xbf"), R R);
}

static const char *file_name(const char *s, size_t max)
{
	static char text[128];
	struct buf b = { 0 };

	buf_str(&b, "x-");
	plain_file_name(&b, s, max);
	memcpy(text, b.data, b.len);
	text[b.len] = 0;
	buf_release(&b);
	return text + 2;
}

Test(plain, makes_names_of_files)
{
	cr_expect_str_eq(file_name("prometheus", 100), "prometheus");
	cr_expect_str_eq(file_name("../../etc/x", 100), ".._.._etc_x");
	cr_expect_str_eq(file_name("a b$(c)`d`\n\x1b;*?'\"", 100), "a_b__c__d________");
	cr_expect_str_eq(file_name("\xc3\xa4\xff", 100), "\xc3\xa4_");
	/* cut between characters */
	cr_expect_str_eq(file_name("abcdef", 4), "abcd");
	cr_expect_str_eq(file_name("abc\xc3\xa4", 4), "abc");
	cr_expect_str_eq(file_name("", 4), "");
}

static const char *wrapped(const char *s, uint32_t width, uint32_t indent)
{
	static char text[256];
	struct buf b = { 0 };

	plain_wrap(&b, s, width, indent);
	cr_assert_lt(b.len, sizeof(text));
	memcpy(text, b.data ? (const void *)b.data : "", b.len);
	text[b.len] = 0;
	buf_release(&b);
	return text;
}

Test(plain, breaks_lines_between_words)
{
	cr_expect_str_eq(wrapped("", 10, 0), "");
	cr_expect_str_eq(wrapped("one two three", 0, 2), "one two three");
	cr_expect_str_eq(wrapped("one two three", 7, 0), "one two\nthree");
	cr_expect_str_eq(wrapped("one two three", 9, 2), "one two\n  three");
	cr_expect_str_eq(wrapped("\xc3\xa4\xc3\xa4\xc3\xa4 two", 7, 0),
			 "\xc3\xa4\xc3\xa4\xc3\xa4 two");
	/* a longer word is not broken; indentation stays */
	cr_expect_str_eq(wrapped("a longestword b", 5, 0), "a\nlongestword\nb");
	cr_expect_str_eq(wrapped("a:\n\n  b  c\n", 9, 0), "a:\n\n  b  c\n");
}
