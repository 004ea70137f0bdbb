/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/kallsyms.h"

static const char *why;

static int open_text(struct kallsyms **ret, const char *text)
{
	char path[] = "/tmp/test-kallsyms-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	int err;

	fputs(text, f);
	fclose(f);
	err = kallsyms_open(ret, path, &why);
	unlink(path);
	return err;
}

static const char *at(const struct kallsyms *k, uint64_t addr)
{
	static char text[256];
	const char *name, *module;

	if (!kallsyms_find(k, addr, &name, &module))
		return "";
	snprintf(text, sizeof(text), "%s %s", name, module);
	return text;
}

Test(kallsyms, nearest_function_before)
{
	struct kallsyms *k;

	cr_assert_eq(open_text(&k, "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000100 W weak_alias\n"
				   "ffffffff81000100 t local_name\n"
				   "ffffffff81000100 T do_work\n"
				   "ffffffff81000180 D jiffies\n"
				   "garbage\n"
				   "ffffffffc0a01000 t nft_do_chain\t[nf_tables]\n"
				   "ffffffffc0a00000 t veth_xmit\t[veth]\n"),
		     0);
	cr_expect_str_eq(at(k, 0xffffffff80ffffff), "");
	cr_expect_str_eq(at(k, 0xffffffff81000000), "_stext [kernel]");
	cr_expect_str_eq(at(k, 0xffffffff810000ff), "_stext [kernel]");
	cr_expect_str_eq(at(k, 0xffffffff81000100), "do_work [kernel]",
			 "the global name is the best");
	cr_expect_str_eq(at(k, 0xffffffff81000190), "do_work [kernel]",
			 "data is no function");
	cr_expect_str_eq(at(k, 0xffffffffa0000000), "", "too far off to be of it");
	cr_expect_str_eq(at(k, 0xffffffffc0a00fff), "veth_xmit [veth]",
			 "modules are not in order");
	cr_expect_str_eq(at(k, 0xffffffffc0a01001), "nft_do_chain [nf_tables]");
	kallsyms_close(k);
}

Test(kallsyms, hidden_addresses_are_said)
{
	struct kallsyms *k = NULL;

	cr_assert_eq(
		open_text(&k, "0000000000000000 T _stext\n0000000000000000 t do_work\n"),
		-EPERM);
	cr_assert(strstr(why, "kptr_restrict"));
	cr_assert_eq(open_text(&k, ""), -ENOENT);
	cr_assert_not_null(why);
	cr_assert_eq(kallsyms_open(&k, "/no/such/file", &why), -ENOENT);
	cr_assert_not_null(why);
	cr_assert_null(k);
}
