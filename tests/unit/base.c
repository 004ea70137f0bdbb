/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/cursor.h"
#include "profiler/base/file.h"
#include "profiler/base/index.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/cmd/opt.h"
#include "profiler/base/strtab.h"
#include "tests/bytes.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* arena */

static void say_last(void)
{
	if (write(STDOUT_FILENO, "last", 4) != 4)
		_exit(2);
}

/* Such as restoring a terminal. */
Test(arena, something_can_be_done_before_the_end)
{
	int fds[2], status = 0;
	char said[8] = "";
	uint32_t cap = UINT32_MAX;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(STDERR_FILENO);
		mem_last = say_last;
		table_room(NULL, 1, UINT32_MAX, &cap); /* takes more than there can be */
		_exit(3);
	}
	close(fds[1]);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	cr_expect_eq(read(fds[0], said, sizeof(said)), 4);
	cr_expect_str_eq(said, "last");
	close(fds[0]);
}

Test(arena, gives_nothing_when_it_is_empty)
{
	struct arena a = { 0 };

	cr_expect_not_null(arena_alloc(&a, 0));
	arena_release(&a);
}

Test(arena, gives_zeroed_aligned_bytes_that_stay)
{
	struct arena a = { 0 };
	char *first = arena_strndup(&a, "kept and cut", 4);

	for (size_t n = 0; n < 300; n++) {
		uint8_t *p = arena_alloc(&a, n * n);

		cr_assert_eq((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n * n; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 0xff, n * n);
	}
	cr_expect_str_eq(first, "kept");
	cr_expect_str_eq(arena_printf(&a, "%s-%d", first, 812), "kept-812");
	arena_release(&a);
	cr_expect(!a.chunks && !a.cap);
	arena_release(&a);
}

Test(base, buf_as_text)
{
	struct buf b = { 0 };

	cr_expect_str_eq(buf_text(&b), "");
	buf_str(&b, "main");
	cr_expect_str_eq(buf_text(&b), "main");
	cr_expect_eq(b.len, 4, "the NUL does not count");
	buf_str(&b, ".f");
	cr_expect_str_eq(buf_text(&b), "main.f");
	buf_release(&b);
}

Test(arena, tables_grow_with_zeroed_rows)
{
	struct row {
		uint64_t a;
		uint8_t b;
	} *rows = NULL;
	uint32_t n = 0, cap = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		struct row *r = table_add(rows, n, cap);

		cr_assert(r == &rows[i] && !r->a && !r->b);
		*r = (struct row){ i, 0xff };
		cr_assert_leq(n, cap);
	}
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(rows[i].a, i);
	/* a row that was used before is zeroed too */
	n = 7;
	cr_expect_eq(table_add(rows, n, cap)->a, 0);
	free(rows);
}

/* buf, cursor */

static const uint64_t numbers[] = {
	0,          1,          0x7f,       0x80,       0x3fff,
	0x4000,     UINT32_MAX, 1ull << 32, 1ull << 62, (1ull << 63) - 1,
	1ull << 63, UINT64_MAX,
};

Test(bytes, come_back)
{
	struct buf b = { 0 };
	struct cursor c;

	for (size_t i = 0; i < LEN(numbers); i++) {
		buf_uvarint(&b, numbers[i]);
		buf_svarint(&b, (int64_t)numbers[i]);
		buf_u64(&b, numbers[i]);
		buf_u32(&b, (uint32_t)numbers[i]);
		buf_u8(&b, (uint8_t)numbers[i]);
	}
	buf_str(&b, "end");
	buf_printf(&b, "%0300d", 7);
	buf_add(&b, NULL, 0);
	c = cursor_over(b.data, b.len);
	for (size_t i = 0; i < LEN(numbers); i++) {
		cr_expect_eq(cursor_uvarint(&c), numbers[i]);
		cr_expect_eq(cursor_svarint(&c), (int64_t)numbers[i]);
		cr_expect_eq(cursor_u64(&c), numbers[i]);
		cr_expect_eq(cursor_u32(&c), (uint32_t)numbers[i]);
		cr_expect_eq(cursor_u8(&c), (uint8_t)numbers[i]);
	}
	cr_expect_eq(cursor_left(&c), 303);
	cr_expect(!memcmp(cursor_bytes(&c, 303), "end0000", 7) && !c.bad);
	buf_release(&b);
	cr_expect(!b.data && !b.len && !b.cap);
}

Test(bytes, are_little_endian)
{
	struct cursor c = cursor_over("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9);

	cr_expect_eq(cursor_u8(&c), 1);
	cr_expect_eq(cursor_u16(&c), 0x0302);
	cr_expect_eq(cursor_u32(&c), 0x07060504);
	cursor_seek(&c, 1);
	cr_expect_eq(cursor_u64(&c), 0x0908070605040302);
}

Test(cursor, stays_bad)
{
	struct cursor c = cursor_over("\x01\x02\x03", 3), part;

	cr_expect_eq(cursor_u32(&c), 0);
	cr_expect(c.bad);
	/* three bytes are left, but not for a cursor that has failed */
	cr_expect_eq(cursor_u8(&c), 0);
	cr_expect_null(cursor_bytes(&c, 0));
	cr_expect_str_eq(cursor_str(&c), "");
	cr_expect_eq(cursor_left(&c), 0);
	cursor_seek(&c, 0);
	cr_expect(c.bad);
	part = cursor_slice(&c, 0, 1);
	cr_expect(part.bad && !cursor_u8(&part));
}

Test(cursor, keeps_to_its_bytes)
{
	const char bytes[] = { 'a', 'b', 0, 'c', 'd' };
	struct cursor c = cursor_over(bytes, 5), part;

	cr_expect_str_eq(cursor_str(&c), "ab");
	cr_expect_eq(c.pos, 3);
	cr_expect_str_eq(cursor_str(&c), "");
	cr_expect(c.bad, "no NUL follows");
	c = cursor_over(bytes, 5);
	cursor_seek(&c, 5);
	cr_expect(!c.bad && cursor_bytes(&c, 0));
	cr_expect_str_eq(cursor_str(&c), "");
	cr_expect(c.bad, "nothing follows");
	c = cursor_over(bytes, 5);
	cursor_seek(&c, 6);
	cr_expect(c.bad);
	c = cursor_over(bytes, 5);
	cursor_u8(&c);
	cr_expect_null(cursor_bytes(&c, SIZE_MAX));
	cr_expect(c.bad && c.pos == 1);
	c = cursor_over(bytes, 5);
	cr_expect(cursor_slice(&c, 2, 4).bad && cursor_slice(&c, 6, 0).bad);
	cr_expect(cursor_slice(&c, 2, SIZE_MAX).bad && cursor_slice(&c, SIZE_MAX, 2).bad);
	part = cursor_slice(&c, 3, 2);
	cr_expect(cursor_u16(&part) == 0x6463 && !part.bad && !cursor_u8(&part) &&
		  part.bad);
	cr_expect(!c.bad);
}

Test(cursor, varints_have_limits)
{
	struct {
		const char *bytes;
		size_t len;
		bool bad;
	} cases[] = {
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, false },
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10, false },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, true }, /* 65 bits */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, true },
		{ "\xff\xff", 2, true },
		{ "", 0, true },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct cursor c = cursor_over(cases[i].bytes, cases[i].len);
		uint64_t v = cursor_uvarint(&c);

		cr_expect_eq(c.bad, cases[i].bad, "case %zu", i);
		cr_expect_eq(v, i ? 0 : UINT64_MAX, "case %zu", i);
	}
}

/* index, strtab */

static bool same_number(const void *arg, uint32_t id)
{
	return *(const uint32_t *)arg == id * 3;
}

static bool accept_any(const void *arg, uint32_t id)
{
	(void)arg;
	(void)id;
	return true;
}

Test(index, finds_all_rows_as_it_grows)
{
	struct index ix = { 0 };
	uint32_t v, i;

	cr_expect_eq(index_find(&ix, 7, accept_any, NULL), INDEX_NONE);
	/* only 64 hashes, so rows have to be compared */
	for (i = 0; i < 2000; i++)
		index_add(&ix, i % 64, i);
	cr_expect(ix.n == 2000 && ix.cap >= 4000 && !(ix.cap & (ix.cap - 1)));
	for (i = 0; i < 2000; i++) {
		v = i * 3;
		cr_assert_eq(index_find(&ix, i % 64, same_number, &v), i);
		cr_assert_eq(index_find(&ix, (i + 1) % 64, same_number, &v), INDEX_NONE);
	}
	index_release(&ix);
	for (i = 0; i < 100000; i++)
		index_add(&ix, hash_pair(i, 1), i);
	for (i = 0; i < 100000; i++) {
		v = i * 3;
		cr_assert_eq(index_find(&ix, hash_pair(i, 1), same_number, &v), i);
	}
	index_release(&ix);
	cr_expect_eq(ix.cap, 0);
}

Test(index, finds_rows_by_what_they_begin_with)
{
	struct row {
		uint32_t a, b, rest;
	} *rows = NULL;
	uint32_t n = 0, cap = 0;
	struct index ix = { 0 };

	for (uint32_t i = 0; i < 2000; i++) {
		struct row row = { i % 10, i % 1000 / 10, i };
		uint32_t id = index_row(&ix, rows, sizeof(row), &row, 8, n);

		cr_assert_eq(id, i % 1000);
		if (id == n)
			*table_add(rows, n, cap) = row;
		cr_assert_eq(rows[id].rest, i % 1000, "the first one stays");
	}
	cr_expect_eq(n, 1000);
	index_release(&ix);
	free(rows);
}

Test(index, hashes_see_every_byte)
{
	char s[24] = { 0 };

	for (size_t n = 1; n < sizeof(s); n++) {
		uint64_t h = hash_bytes(s, n);

		cr_expect_neq(h, hash_bytes(s, n - 1), "a NUL more");
		s[n - 1] ^= 1;
		cr_expect_neq((uint32_t)h, (uint32_t)hash_bytes(s, n));
		s[n - 1] ^= 1;
	}
	cr_expect_neq(hash_pair(1, 2), hash_pair(2, 1));
}

Test(strtab, keeps_each_string_once)
{
	struct strtab *t = strtab_new();
	uint32_t ab, abc;
	const char *s;

	cr_expect(strtab_count(t) == 1 && strtab_add(t, "") == 0 && !*strtab_get(t, 0));
	ab = strtab_addn(t, "abc", 2);
	abc = strtab_add(t, "abc");
	cr_expect(ab == 1 && abc == 2);
	cr_expect_eq(strtab_addn(t, "ab\0cd", 5), ab, "a NUL ends it");
	cr_expect_eq(strtab_addn(t, "abcd", 3), abc);
	s = strtab_get(t, abc);
	for (uint32_t i = 0; i < 20000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		cr_assert_eq(strtab_add(t, name), 3 + i);
	}
	cr_expect_eq(strtab_add(t, "f19999"), 20002);
	cr_expect_str_eq(strtab_get(t, 3), "f0");
	cr_expect(s == strtab_get(t, abc) && !strcmp(s, "abc"));
	strtab_free(t);
	strtab_free(NULL);
}

/* opt, log */

Test(number, sizes)
{
	static const struct {
		const char *s;
		int err;
		uint64_t bytes;
	} cases[] = {
		{ "1", 0, 1 },
		{ "64k", 0, 64 << 10 },
		{ "500M", 0, 500ull << 20 },
		{ "2g", 0, 2ull << 30 },
		{ "17179869183G", 0, 17179869183ull << 30 },
		{ "17179869184G", -ERANGE, 0 },
		{ "0", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1GB", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 0;

		cr_expect_eq(size_parse(cases[i].s, &bytes), cases[i].err, "'%s'",
			     cases[i].s);
		cr_expect_eq(bytes, cases[i].bytes, "'%s'", cases[i].s);
	}
}

Test(opt, durations)
{
	struct {
		const char *s;
		int err;
		uint64_t ns;
	} cases[] = {
		{ "30", 0, 30000000000 },
		{ "30s", 0, 30000000000 },
		{ "2m", 0, 120000000000 },
		{ "1h", 0, 3600000000000 },
		{ "500ms", 0, 500000000 },
		{ "1.5s", 0, 1500000000 },
		{ ".5", 0, 500000000 },
		{ "10us", 0, 10000 },
		{ "0", 0, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "9999999h", -ERANGE, 0 },
		{ "1e300", -ERANGE, 0 },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		uint64_t ns = 0;

		cr_expect_eq(duration_parse(cases[i].s, &ns), cases[i].err, "'%s'",
			     cases[i].s);
		cr_expect_eq(ns, cases[i].ns, "'%s'", cases[i].s);
	}
}

Test(opt, numbers)
{
	uint64_t v;

	cr_expect(!number_parse("0", 0, 9, &v) && v == 0);
	cr_expect(!number_parse("18446744073709551615", 0, UINT64_MAX, &v) &&
		  v == UINT64_MAX);
	cr_expect_eq(number_parse("18446744073709551616", 0, UINT64_MAX, &v), -ERANGE);
	cr_expect_eq(number_parse("0", 1, 9, &v), -ERANGE);
	cr_expect_eq(number_parse("10", 1, 9, &v), -ERANGE);
	cr_expect_eq(number_parse("", 0, 9, &v), -EINVAL);
	cr_expect_eq(number_parse("-1", 0, 9, &v), -EINVAL);
	cr_expect_eq(number_parse("+1", 0, 9, &v), -EINVAL);
	cr_expect_eq(number_parse("1x", 0, 9, &v), -EINVAL);
	cr_expect_eq(number_parse(" 1", 0, 9, &v), -EINVAL);
}

static const char *parse_small(const char *arg, void *data)
{
	uint64_t *v = data;

	return number_parse(arg, 0, 9, v) ? "no" : NULL;
}

struct options {
	const char *out;
	bool flag;
	uint64_t small;
};

/* Splits words at spaces; leaves the unparsed ones in argv. */
static int parse(const char *words, struct options *o, bool permute, int *argc, char **argv)
{
	static char copy[128];
	struct opt opts[] = {
		{ 'o', "output", "FILE", "where to", .str = &o->out },
		{ 'q', "quiet", NULL, "say less", .flag = &o->flag },
		{ 0, "small", "N", "0 to 9", .parse = parse_small, .data = &o->small },
		{ 0 },
	};
	char **args = argv;

	*o = (struct options){ 0 };
	strcpy(copy, words);
	*argc = 0;
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[(*argc)++] = w;
	argv[*argc] = NULL;
	if (opt_parse(opts, argc, &args, permute))
		return -EINVAL;
	memmove(argv, args, ((size_t)*argc + 1) * sizeof(*argv));
	return 0;
}

Test(opt, reads_options)
{
	struct options o;
	char *argv[16];
	int argc;

	cr_assert_eq(parse("verb -q -o a --small 7 b c", &o, false, &argc, argv), 0);
	cr_expect(o.flag && !strcmp(o.out, "a") && o.small == 7);
	cr_expect(argc == 2 && !strcmp(argv[0], "b") && !argv[2]);
	cr_assert_eq(parse("verb --output=a b -q", &o, false, &argc, argv), 0);
	cr_expect(!o.flag && argc == 2 && !strcmp(argv[1], "-q"),
		  "ends at the first operand");
	cr_assert_eq(parse("verb b -q", &o, true, &argc, argv), 0);
	cr_expect(o.flag && argc == 1 && !strcmp(argv[0], "b"));
	cr_assert_eq(parse("verb -- -q", &o, true, &argc, argv), 0);
	cr_expect(!o.flag && argc == 1 && !strcmp(argv[0], "-q"));
	cr_assert_eq(parse("verb -o -", &o, true, &argc, argv), 0);
	cr_expect(!strcmp(o.out, "-") && argc == 0);
}

Test(opt, says_what_is_wrong_in_one_line, .init = cr_redirect_stderr)
{
	struct options o;
	char *argv[16];
	int argc;

	cr_expect_eq(parse("verb -o", &o, true, &argc, argv), -EINVAL);
	cr_expect_eq(parse("verb --small", &o, true, &argc, argv), -EINVAL);
	cr_expect_eq(parse("verb -x", &o, true, &argc, argv), -EINVAL);
	cr_expect_eq(parse("verb --xx b", &o, true, &argc, argv), -EINVAL);
	cr_expect_eq(parse("verb --outptu=a", &o, true, &argc, argv), -EINVAL);
	cr_expect_eq(parse("verb --small 10 b", &o, true, &argc, argv), -EINVAL);
	fflush(stderr);
	cr_expect_stderr_eq_str(
		"gostrobe: --output needs an argument: FILE\n"
		"gostrobe: --small needs an argument: N\n"
		"gostrobe: unknown option -x\n"
		"gostrobe: unknown option --xx\n"
		"gostrobe: unknown option --outptu; you may have meant --output\n"
		"gostrobe: --small 10: no\n");
}

Test(log, levels, .init = cr_redirect_stderr)
{
	for (int level = LOG_QUIET; level <= LOG_VERBOSE; level++) {
		log_level = (enum log_level)level;
		log_error("e%d", level);
		log_warn("w%d", level);
		log_info("i%d", level);
		log_debug("d%d", level);
	}
	fflush(stderr);
	cr_expect_stderr_eq_str("gostrobe: e0\ngostrobe: w0\n"
				"gostrobe: e1\ngostrobe: w1\ni1\n"
				"gostrobe: e2\ngostrobe: w2\ni2\ndebug: d2\n");
}

/* file */

static char dir[] = "/tmp/gostrobe-test-XXXXXX";

static void enter_dir(void)
{
	cr_assert(mkdtemp(dir) && !chdir(dir));
}

static void leave_dir(void)
{
	struct dirent *e;
	DIR *d = opendir(".");

	while ((e = readdir(d)))
		unlink(e->d_name);
	closedir(d);
	rmdir(dir);
}

TestSuite(file, .init = enter_dir, .fini = leave_dir);

static int files_here(void)
{
	int n = 0;
	DIR *d = opendir(".");

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void write_file(const char *path, const char *text)
{
	struct outfile f;

	cr_assert_eq(outfile_open(&f, path), 0);
	fputs(text, f.out);
	cr_assert_eq(outfile_commit(&f), 0);
	outfile_abort(&f);
}

static void expect_file(const char *path, const char *text)
{
	struct buf b = { 0 };

	cr_assert_eq(file_read(AT_FDCWD, path, 4096, &b), 0);
	buf_u8(&b, 0);
	cr_expect_str_eq((char *)b.data, text);
	buf_release(&b);
}

Test(file, reads_whole_files)
{
	struct buf b = { 0 };
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	write_file("a", "12345");
	buf_str(&b, "0");
	cr_expect_eq(file_read(fd, "a", 5, &b), 0);
	cr_expect(b.len == 6 && !memcmp(b.data, "012345", 6), "is added to what is there");
	cr_expect_eq(file_read(fd, "a", 4, &b), -EFBIG);
	cr_expect_eq(file_read(fd, "none", 4, &b), -ENOENT);
	cr_expect_eq(file_read(AT_FDCWD, "/", 4, &b), -EISDIR);
	b.len = 0;
	cr_expect_eq(file_read(AT_FDCWD, "/proc/self/maps", 1 << 20, &b), 0);
	cr_expect_gt(b.len, 100, "its size is said to be 0");
	buf_release(&b);
	close(fd);
}

Test(file, output_appears_whole_or_not_at_all)
{
	struct outfile f;
	struct stat st;

	write_file("a", "old");
	cr_assert_eq(outfile_open(&f, "a"), 0);
	fputs("half", f.out);
	fflush(f.out);
	expect_file("a", "old");
	outfile_abort(&f);
	outfile_abort(&f);
	expect_file("a", "old");
	cr_expect_eq(files_here(), 1);
	umask(027);
	write_file("a", "new");
	expect_file("a", "new");
	cr_expect_eq(files_here(), 1);
	cr_expect(!stat("a", &st) && (st.st_mode & 0777) == 0640);
}

Test(file, output_that_cannot_be)
{
	struct outfile f;

	cr_expect_eq(outfile_open(&f, "/"), -EISDIR);
	cr_expect_eq(outfile_open(&f, "."), -EISDIR);
	cr_expect_eq(outfile_open(&f, "none/a"), -ENOENT);
	write_file("a", "old");
	cr_expect_eq(outfile_open(&f, "a/b"), -ENOTDIR);
	outfile_abort(&f);
	cr_expect_eq(files_here(), 1);
}

Test(file, a_full_disk_is_an_error)
{
	struct outfile f;

	/* small: stays in the stream's buffer until the commit */
	cr_assert_eq(outfile_open(&f, "/dev/full"), 0);
	fputs("x", f.out);
	cr_expect_eq(outfile_commit(&f), -ENOSPC);
	/* large: the error comes long before the commit */
	cr_assert_eq(outfile_open(&f, "/dev/full"), 0);
	for (int i = 0; i < 100000; i++)
		fputs("xxxxxxxxxxxxxxxx", f.out);
	cr_expect_lt(outfile_commit(&f), 0);
	cr_expect(!access("/dev/full", W_OK), "it was written in place");
}

Test(file, devices_are_written_in_place)
{
	struct stat st;

	write_file("/dev/null", "x");
	cr_expect(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
}

Test(file, dash_is_stdout, .init = cr_redirect_stdout)
{
	write_file("-", "to stdout");
	write_file("-", ", which stays open");
	cr_expect_stdout_eq_str("to stdout, which stays open");
}

/* Like "-o latest.html" or "-o /dev/stdout". */
Test(file, a_symlink_is_followed)
{
	struct stat st;

	write_file("real", "old");
	cr_assert_eq(symlink("real", "link"), 0);
	write_file("link", "new");
	expect_file("real", "new");
	cr_expect(!lstat("link", &st) && S_ISLNK(st.st_mode));
}
