/* SPDX-License-Identifier: BSD-2-Clause */
/* Options in a file, where the agent may be asked, and options of receivers. */
#include <string.h>
#include <unistd.h>

#include "profiler/agent/listener.h"
#include "profiler/agent/receiver.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/cmd/config.h"
#include "profiler/cmd/opt.h"
#include "tests/unit/profile_by_hand.h"

static bool flag;
static const char *text;
static struct buf list;

static const char *add(const char *arg, void *data)
{
	(void)data;
	buf_printf(&list, "%s|", arg ? arg : "-");
	return arg && !strcmp(arg, "bad") ? "is bad" : NULL;
}

/* What is wrong with this file; "": nothing. */
static const char *parse(const char *file, size_t len)
{
	static const struct opt opts[] = {
		{ 'f', "flag", NULL, "", .flag = &flag },
		{ 0, "text", "T", "", .str = &text },
		{ 0, "list", "T", "", .parse = add },
		{ 0, "call", NULL, "", .parse = add },
		{ 0 },
	};
	static struct arena arena;
	const char *why;

	arena_release(&arena);
	buf_release(&list);
	flag = false;
	text = NULL;
	why = config_parse(file, len, opts, &arena);
	return why ? why : "";
}

#define PARSE(file) parse(file, sizeof(file) - 1)

Test(config, options_by_name_in_order)
{
	cr_expect_str_eq(PARSE("# c\n\n[x]\nflag = yes\n  text=a = b ; c\n"
			       "\tlist : 1\n[y]\r\nlist = 2\r\ncall = on\nlist = \"3"),
			 "");
	cr_expect(flag);
	cr_expect_str_eq(text, "a = b");
	cr_expect_str_eq(buf_text(&list), "1|2|-|\"3|");
}

Test(config, false_takes_back)
{
	cr_expect_str_eq(PARSE("flag = 1\nflag = no\ncall = off"), "");
	cr_expect(!flag);
	cr_expect_str_eq(buf_text(&list), "");
}

Test(config, says_where_and_what)
{
	static char longest[300];

	cr_expect_str_eq(PARSE("\nflat = 1"),
			 "line 2: flat: unknown; you may have meant flag");
	cr_expect_str_eq(PARSE("zzzzzz = 1"), "line 1: zzzzzz: unknown");
	cr_expect_str_eq(PARSE("flag = 2"), "line 1: flag: takes true or false");
	cr_expect_str_eq(PARSE("flag ="), "line 1: flag: takes true or false");
	cr_expect_str_eq(PARSE("text ="), "line 1: text: needs a value");
	cr_expect_str_eq(PARSE("list = bad\nlist = 2"), "line 1: list: is bad");
	cr_expect_str_eq(buf_text(&list), "bad|");
	cr_expect_str_eq(PARSE("text = x\nrubbish\nflag = 2"),
			 "line 2 is not NAME = VALUE");
	cr_expect_str_eq(PARSE("text = x\n\0"), "line 2: it is not text");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "text = ", 7);
	cr_expect_str_eq(parse(longest, 197), "");
	cr_expect_eq(strlen(text), 190);
	cr_expect_str_eq(parse(longest, 198), "line 1 is longer than 197 bytes");
}

Test(config, messages_can_be_diverted)
{
	struct buf to = { 0 };

	log_diverted = &to;
	log_error("a %d", 1);
	log_info("b");
	log_warn("c");
	log_diverted = NULL;
	cr_expect_str_eq(buf_text(&to), "a 1\nc");
	buf_release(&to);
}

/* Addresses. */

static void is_address(const char *s, bool loopback)
{
	struct address a;

	cr_expect_null(address_parse(s, &a), "%s", s);
	cr_expect_eq(a.loopback, loopback, "%s", s);
}

Test(config, addresses)
{
	static const char *const bad[] = { "",       ":",       "x",       "1.2.3.4",
					   "host:1", "1.2.3:4", "[::1:80", "::1:80",
					   "[x]:1",  "65536",   "-1",      "127.0.0.1:" };
	struct address a;
	char name[80];
	const char *why;
	struct listener *l;
	const struct listener_page none[] = { { 0 } };

	is_address("80", true);
	is_address("localhost:80", true);
	is_address("127.9.9.9:80", true);
	is_address("[::1]:80", true);
	is_address("0.0.0.0:80", false);
	is_address("10.0.0.1:0", false);
	is_address("[::]:80", false);
	is_address("[::ffff:127.0.0.1]:80", false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect(address_parse(bad[i], &a), "%s", bad[i]);
	cr_expect(
		address_parse("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1", &a));
	cr_expect_null(address_parse("0", &a));
	l = listener_new(&a, none, name, &why);
	cr_assert(l, "%s", why);
	cr_expect(!strncmp(name, "http://127.0.0.1:", 17));
	listener_free(l);
}

/* Receivers. */

Test(config, receivers_are_equal_or_not)
{
	const struct receiver_options o = { .to = "a", .token = "b", .max_files = 3 };
	struct receiver_options c, d;

	receiver_options_copy(&c, &o);
	cr_expect(receiver_options_equal(&c, &o));
	cr_expect(c.to != o.to);
	d = o;
	d.token = NULL;
	cr_expect(!receiver_options_equal(&c, &d));
	cr_expect(!receiver_options_equal(&d, &c));
	d = o;
	d.tenant = "x";
	cr_expect(!receiver_options_equal(&c, &d));
	d = o;
	d.max_files = 4;
	cr_expect(!receiver_options_equal(&c, &d));
	receiver_options_release(&c);
}
