/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "profiler/base/buf.h"
#include "symbolizer/goname.h"

/* What the runtimes of Go 1.21 and 1.27 print; NULL: the name as it is. */
static const struct {
	const char *name, *in_21, *in_27;
} names[] = {
	{ "main.main", NULL, NULL },
	{ "main.F[go.shape.int]", "main.F[...]", "main.F[...]" },
	{ "main.F[go.shape.[]int].func1", "main.F[...].func1", "main.F[...].func1" },
	{ "main.F[go.shape.interface { A(); B([4]int) int }].func1", "main.F[...].func1",
	  "main.F[...].func1" },
	{ "main.F[...]", "main.F[...]", "main.F[...]" },
	{ "main.(*T[go.shape.int]).M[go.shape.string]", "main.(*T[...]",
	  "main.(*T[...]).M[...]" },
	{ "main.(*T[go.shape.[]int]).M[go.shape.[]string].func2", "main.(*T[...].func2",
	  "main.(*T[...]).M[...].func2" },
	{ "a[b].c[d].e[f]", "a[...]", "a[...].c[...]" },
	{ "type:.eq.[15]internal/cpu.option", "type:.eq.[...]internal/cpu.option",
	  "type:.eq.[...]internal/cpu.option" },
	{ "ex.com/a.b/pp.v2/dot%2ev1.S.Work", NULL, NULL },
	/* not lists: the tag of a struct can hold anything */
	{ "f[a]b]c", "f[...]c", "f[...]c" },
	{ "f[[a]", "f[...]", NULL },
	{ "f[a]]b[c]", "f[...]", NULL },
	{ "[..]]][", "[...][", "[...][" },
	{ "odd]", NULL, NULL },
	{ "odd[", NULL, NULL },
	{ "o]d[d", NULL, NULL },
	{ "[]", "[...]", "[...]" },
	{ "", NULL, NULL },
};

static void expect_name(const char *name, int minor, const char *want)
{
	struct buf b = { 0 };

	buf_str(&b, "x");
	goname_add(&b, name, minor);
	buf_u8(&b, 0);
	cr_expect_str_eq((const char *)b.data + 1, want ? want : name, "1.%d: %s", minor,
			 name);
	buf_release(&b);
}

Test(goname, as_the_runtime_of_the_version)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		expect_name(names[i].name, 0, NULL);
		expect_name(names[i].name, 20, NULL);
		expect_name(names[i].name, 21, names[i].in_21);
		expect_name(names[i].name, 26, names[i].in_21);
		expect_name(names[i].name, 27, names[i].in_27);
		expect_name(names[i].name, -1, names[i].in_27);
	}
}
