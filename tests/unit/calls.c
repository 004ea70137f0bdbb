/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions are probed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/live/calls.h"
#include "symbolizer/symbolizer.h"

Test(calls, patterns)
{
	cr_expect(calls_match("main.work", "main.work"));
	cr_expect_not(calls_match("main.work", "main.worker"));
	cr_expect_not(calls_match("main.work", "main.wor"));
	cr_expect(calls_match("net/http.(*conn).serve", "net/http.(*conn).serve"));
	cr_expect(calls_match("net/http.*", "net/http.(*conn).serve"));
	cr_expect(calls_match("*.serve", "net/http.(*conn).serve"));
	cr_expect(calls_match("*", ""));
	cr_expect_not(calls_match("net/http.*", "net/httptrace"));
	cr_expect(calls_match("main.f[...]", "main.f[...]"), "brackets are no set");
	cr_expect(calls_match("main.?", "main.f"));
	cr_expect_not(calls_match("main.?", "main."));
	cr_expect(calls_match("/^main\\.(a|b)$/", "main.b"));
	cr_expect_not(calls_match("/^main\\.(a|b)$/", "main.bc"));
	cr_expect_not(calls_match("/(/", "("), "broken");
	cr_expect_not(calls_check("/x/"));
	cr_expect(calls_check("/(/"));
	cr_expect(calls_check(""));
}

Test(calls, a_program_that_is_not_go_has_none)
{
	const char *pattern = "main";
	struct strtab *strs = strtab_new();
	struct symbolizer *symbolizer = symbolizer_new(strs);
	struct space *space = NULL;
	struct calls calls = { 0 };

	cr_assert_not(space_open(&space, symbolizer, getpid()));
	cr_expect_eq(calls_find(&calls, space, getpid(), &pattern, 1), -ENOTSUP);
	cr_expect_null(calls_at(&calls, 0x1000));
	calls_release(&calls);
	space_close(space);
	symbolizer_close(symbolizer);
	strtab_free(strs);
}
