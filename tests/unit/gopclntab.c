/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/oracle/check-pcs compares whole programs with Go itself, address by address.
 * These tests are for what it cannot see. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/goinline.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

static struct elf *elf;
static struct gopclntab *table;
static struct strtab *strs;
static const char *why;

static int open_table(struct elf *e, struct gopclntab **ret)
{
	struct binary b = { .elf = e, .path = "", .root = "" };
	void *self = NULL;
	int err = gopclntab_resolver.open(&self, &b, &why);

	*ret = self;
	return err;
}

static void open_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_eq(elf_open(&elf, fd), 0);
	close(fd);
	cr_assert_eq(open_table(elf, &table), 0, "%s: %s", path, why);
	strs = strtab_new();
}

static void setup(void)
{
	open_program(go_binary());
}

static void teardown(void)
{
	gopclntab_resolver.close(table);
	elf_close(elf);
	strtab_free(strs);
}

TestSuite(gopclntab, .init = setup, .fini = teardown);

/* The function with this name; its outermost frame. */
static struct frame frame_of(const char *name, uint64_t skip, int *n)
{
	struct frame f[FRAMES_AT_PC];
	uint64_t entry;
	uint32_t len;

	cr_assert(gopclntab_function(table, name, &entry, &len), "%s", name);
	*n = gopclntab_resolver.find(table, entry + skip, strs, f, FRAMES_AT_PC);
	cr_assert_geq(*n, 1);
	cr_assert_str_eq(strtab_get(strs, f[*n - 1].func), name);
	return f[*n - 1];
}

Test(gopclntab, kinds_of_special_functions)
{
	static const struct {
		char name[32];
		enum frame_kind kind;
	} want[] = {
		{ "main.main", FRAME_GO },
		{ "runtime.main", FRAME_GO },
		{ "_rt0_amd64_linux", FRAME_MSTART },
		{ "runtime.rt0_go", FRAME_MSTART },
		{ "runtime.mstart", FRAME_MSTART },
		{ "runtime.sigtramp", FRAME_SIGTRAMP },
		{ "runtime.goexit", FRAME_GOEXIT },
		{ "runtime.mcall", FRAME_MCALL },
		{ "runtime.morestack", FRAME_MORESTACK },
		{ "runtime.morestack_noctxt", FRAME_MORESTACK },
		{ "runtime.systemstack", FRAME_SYSTEMSTACK },
		{ "runtime.systemstack_switch", FRAME_GO },
		{ "runtime.asmcgocall", FRAME_ASMCGOCALL },
		{ "runtime.cgocallback", FRAME_CGOCALLBACK },
		{ "runtime.gopanic", FRAME_PANIC },
		{ "runtime.panicwrap", FRAME_PANIC },
		{ "runtime.sigpanic", FRAME_SIGPANIC },
		{ "runtime.sigpanic0", FRAME_SIGPANIC },
		{ "runtime.asyncPreempt", FRAME_INJECTED },
		{ "runtime.debugCallV2", FRAME_INJECTED },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		uint64_t entry;
		uint32_t len;
		int n;

		/* the linker drops what a program cannot reach: cgocallback without cgo */
		if (!gopclntab_function(table, want[i].name, &entry, &len)) {
			cr_expect_eq(want[i].kind, FRAME_CGOCALLBACK, "%s", want[i].name);
			continue;
		}
		cr_expect_eq(frame_of(want[i].name, 0, &n).kind, want[i].kind, "%s",
			     want[i].name);
	}
}

Test(gopclntab, lines_of_a_function)
{
	int n;
	struct frame f = frame_of("main.main", 0, &n);

	cr_expect(strstr(strtab_get(strs, f.file), "gofmt.go"));
	cr_expect_gt(f.line, 1);
	cr_expect_not(f.inlined);
	if (table->minor >= 20)
		cr_expect_eq(f.start_line, f.line);
}

/* The number of functions, and what a walk over them must find. */
struct seen {
	uint32_t n, wrappers, with_file;
	uint64_t end;
};

static int count(void *arg, const struct func *f)
{
	struct seen *s = arg;
	struct frame frames[FRAMES_AT_PC];
	int n = gopclntab_resolver.find(table, f->addr, strs, frames, FRAMES_AT_PC);

	cr_assert_geq(n, 1);
	cr_assert_str_eq(strtab_get(strs, frames[n - 1].func), f->name);
	cr_assert_geq(f->addr, s->end, "%s", f->name);
	s->end = f->addr + f->size;
	s->n++;
	s->with_file += f->file != NULL;
	s->wrappers += frames[n - 1].kind == FRAME_WRAPPER;
	return strcmp(f->name, "main.main") ? 0 : 7;
}

static int count_all(void *arg, const struct func *f)
{
	count(arg, f);
	return 0;
}

Test(gopclntab, each_goes_over_all_until_told)
{
	struct seen all = { 0 }, some = { 0 };

	cr_assert_eq(gopclntab_resolver.each(table, count_all, &all), 0);
	cr_expect_eq(all.n, table->n_funcs);
	cr_expect_gt(all.wrappers, 10);
	cr_expect_gt(all.with_file, all.n / 10 * 9);
	cr_assert_eq(gopclntab_resolver.each(table, count, &some), 7);
	cr_expect_lt(some.n, all.n);
}

static bool spdelta(const struct gopclntab *t, uint64_t addr, uint32_t *ret)
{
	struct go_pc pc;
	bool found = gopclntab_pc(t, addr, &pc) && pc.has_spdelta;

	*ret = found ? pc.spdelta : 0;
	return found;
}

Test(gopclntab, outside_is_not_ours)
{
	struct frame f[FRAMES_AT_PC];
	struct seen all = { 0 };
	uint32_t delta;

	gopclntab_resolver.each(table, count_all, &all);
	for (int i = 0; i < 4; i++) {
		uint64_t addr = (uint64_t[]){ 0, table->text - 1, all.end, UINT64_MAX }[i];

		cr_expect_eq(gopclntab_resolver.find(table, addr, strs, f, FRAMES_AT_PC),
			     0);
		cr_expect_not(gopclntab_covers(table, addr));
		cr_expect_not(spdelta(table, addr, &delta));
		cr_expect_eq(gopclntab_start(table, addr, strs), 0);
	}
	cr_expect(gopclntab_covers(table, table->text));
	cr_expect(gopclntab_covers(table, all.end - 1));
}

Test(gopclntab, spdelta_follows_the_prologue)
{
	uint64_t entry;
	uint32_t len, delta, most = 0;

	cr_assert(gopclntab_function(table, "main.main", &entry, &len));
	cr_assert(spdelta(table, entry, &delta));
	cr_expect_eq(delta, 0, "nothing is pushed at the first instruction");
	for (uint32_t i = 0; i < len; i++)
		if (spdelta(table, entry + i, &delta) && delta > most)
			most = delta;
	cr_expect(most >= 8 && most < 4096 && most % 8 == 0, "%u", most);
}

/* Assembly that may hold data in the frame pointer: md5 has a frame; memmove is the
 * runtime's. */
Test(gopclntab, ranges_of_assembly)
{
	struct go_range many[64], few[2];
	uint64_t entry, covered[2] = { 0 };
	uint32_t n, len;
	char go[512];

	teardown();
	snprintf(go, sizeof(go), "%.*s", (int)(strlen(go_binary()) - 3), go_binary());
	open_program(go); /* gofmt has no such assembly, its neighbour go has */
	n = gopclntab_bp_data(table, many, 64);
	for (uint32_t i = 0; i < n; i++) {
		cr_expect_lt(many[i].start, many[i].end);
		cr_expect(!i || many[i - 1].end <= many[i].start);
	}
	for (int i = 0; i < 2; i++) {
		cr_assert(gopclntab_function(
			table, i ? "runtime.memmove" : "crypto/md5.block", &entry, &len));
		for (uint32_t j = 0; j < n; j++)
			covered[i] += entry >= many[j].start && entry + len <= many[j].end;
	}
	cr_expect_eq(covered[0], 1);
	cr_expect_eq(covered[1], 0);
	cr_assert_gt(n, 2);
	cr_expect_eq(gopclntab_bp_data(table, few, 2), 2);
	cr_expect_eq(few[0].start, many[0].start);
	cr_expect_eq(few[1].end, many[n - 1].end);
}

Test(gopclntab, assembly_before_its_wrapper)
{
	uint64_t entry;
	uint32_t len;
	int n;

	/* both have wrappers for calls from Go code, after or before them */
	cr_expect_neq(frame_of("runtime.asmcgocall", 0, &n).kind, FRAME_WRAPPER);
	cr_expect_neq(frame_of("runtime.morestack_noctxt", 0, &n).kind, FRAME_WRAPPER);
	cr_expect_not(gopclntab_function(table, "no.such", &entry, &len));
}

Test(gopclntab, start_is_what_a_wrapper_calls)
{
	const char *wrapper = table->minor >= 22 ? "runtime.gcenable.gowrap1"
						 : "runtime.gcenable.func1";
	uint64_t entry;
	uint32_t len, name;

	cr_assert(gopclntab_function(table, wrapper, &entry, &len));
	name = gopclntab_start(table, entry, strs);
	cr_expect_str_eq(strtab_get(strs, name), "runtime.bgsweep");
	cr_assert(gopclntab_function(table, "runtime.main", &entry, &len));
	name = gopclntab_start(table, entry, strs);
	cr_expect_str_eq(strtab_get(strs, name), "runtime.main");
}

/* A copy of the program that tests may change. */
static uint8_t *program_copy(void)
{
	uint8_t *copy = mem_zalloc(elf->size);

	memcpy(copy, elf->data, elf->size);
	return copy;
}

/* Opens the copy, after one more change to it, and frees it. */
static int open_changed(uint8_t *copy, size_t at, const void *bytes, size_t n)
{
	struct gopclntab *t;
	struct elf *e;
	int err;

	memcpy(copy + at, bytes, n);
	cr_assert_eq(elf_parse(&e, copy, elf->size), 0);
	err = open_table(e, &t);
	cr_expect_eq(err != 0, why != NULL);
	if (!err)
		cr_expect_eq(t->wrapper, table->wrapper);
	gopclntab_resolver.close(t);
	elf_close(e);
	free(copy);
	return err;
}

static size_t offset_of(const char *section)
{
	struct cursor bytes;
	uint64_t vaddr;

	cr_assert(elf_section(elf, section, &vaddr, &bytes));
	return (size_t)(bytes.data - elf->data);
}

Test(gopclntab, broken_tables_are_refused)
{
	static const uint64_t huge = UINT64_MAX;
	size_t at = offset_of(".gopclntab");

	cr_expect_eq(open_changed(program_copy(), at, elf->data + at, 8), 0);
	cr_expect_eq(open_changed(program_copy(), at + 4, "\1", 1), -EBADMSG, "zero");
	cr_expect_eq(open_changed(program_copy(), at + 6, "\3", 1), -EBADMSG, "quantum");
	cr_expect_eq(open_changed(program_copy(), at + 7, "\4", 1), -EBADMSG,
		     "pointer size");
	cr_expect_eq(open_changed(program_copy(), at + 8, &huge, 8), -EBADMSG, "functions");
	for (size_t off = 32; off < 72; off += 8)
		cr_expect_eq(open_changed(program_copy(), at + off, &huge, 8), -EBADMSG,
			     "region at %zu", off);
	cr_expect_eq(open_changed(program_copy(), at + 8, "\1\0\0\0\0\0\0\0", 8), -EBADMSG,
		     "moduledata disagrees");
}

Test(gopclntab, old_and_unknown_versions)
{
	size_t at = offset_of(".go.buildinfo") + 33, magic = offset_of(".gopclntab");
	uint8_t *copy = program_copy();

	cr_expect_eq(open_changed(program_copy(), at, "go1.12", 6), -ENOTSUP);
	cr_expect(strstr(why, "1.12 or older"));
	cr_expect_eq(open_changed(program_copy(), at, "gone.17", 7), 0,
		     "the magic says it");
	cr_expect_eq(open_changed(program_copy(), at, "go1.99", 6), 0, "newer are tried");
	/* as tools that hide names do */
	cr_expect_eq(open_changed(program_copy(), magic, "\x12\x34\x56\x78", 4), 0,
		     "the version and moduledata say it");
	memcpy(copy + at, "go1.99", 6);
	cr_expect_eq(open_changed(copy, magic, "\xf2\xff\xff\xff", 4), -EBADMSG);
	cr_expect(strstr(why, "newer than 1.27"), "%s", why);
}

static uint32_t n_inlined;

static bool want_inlined(void *arg, const char *name)
{
	(void)arg;
	return *name;
}

static void on_inlined(void *arg, const struct go_place *place)
{
	strtab_add(arg, place->name);
	n_inlined++;
}

/* Every inlined call that a look-up shows in a function is among those that are listed. */
static void expect_inlined(const char *function)
{
	struct strtab *names = strtab_new();
	struct frame f[FRAMES_AT_PC];
	uint32_t len, n_names, found = 0;
	uint64_t entry;

	n_inlined = 0;
	goinline_each(table, NULL, want_inlined, on_inlined, names);
	n_names = strtab_count(names);
	cr_expect_gt(n_inlined, n_names);
	cr_assert(gopclntab_function(table, function, &entry, &len));
	for (uint64_t pc = entry; pc < entry + len; pc++) {
		int n = gopclntab_resolver.find(table, pc, strs, f, FRAMES_AT_PC);

		for (int i = 0; i < n - 1; i++, found++)
			cr_assert_lt(strtab_add(names, strtab_get(strs, f[i].func)),
				     n_names, "%s", strtab_get(strs, f[i].func));
	}
	cr_expect(found, "%s has no inlined calls", function);
	strtab_free(names);
}

Test(gopclntab, inlined_calls)
{
	expect_inlined("runtime.mallocgc");
}

/* Go's own programs of several years, if Go has downloaded them before. */
Test(gopclntab_formats, tables_of_all_formats)
{
	static const struct {
		char version[8];
		uint8_t minor;
		enum gopclntab_format format;
	} want[] = {
		{ "1.13.15", 13, FORMAT_12 },  { "1.15.15", 15, FORMAT_12 },
		{ "1.16.15", 16, FORMAT_116 }, { "1.17.13", 17, FORMAT_116 },
		{ "1.18.10", 18, FORMAT_118 }, { "1.20.14", 20, FORMAT_120 },
		{ "1.26.11", 26, FORMAT_120 }, { "1.27.4", 27, FORMAT_120 },
	};
	uint32_t opened = 0, delta, len;
	uint64_t entry;

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const char *path = go_binary_of(want[i].version);
		struct seen all = { 0 };
		struct frame f;
		int n;

		if (!path)
			continue;
		open_program(path);
		cr_expect_eq(table->minor, want[i].minor);
		cr_expect_eq(table->format, want[i].format);
		f = frame_of("main.main", 0, &n);
		cr_expect(strstr(strtab_get(strs, f.file), "gofmt.go"), "%s", path);
		cr_expect_gt(f.line, 1);
		cr_expect_eq(frame_of("runtime.mcall", 0, &n).kind, FRAME_MCALL);
		cr_assert(gopclntab_function(table, "main.main", &entry, &len));
		cr_expect(spdelta(table, entry, &delta) && !delta);
		cr_expect(spdelta(table, entry + len / 2, &delta) && delta >= 8);
		cr_expect(gopclntab_trees_hold(table));
		expect_inlined("runtime.newproc1");
		gopclntab_resolver.each(table, count_all, &all);
		cr_expect_eq(all.n, table->n_funcs);
		cr_expect_gt(all.wrappers, 10, "%s: %u", path, all.wrappers);
		cr_expect_gt(all.with_file, all.n / 10 * 9);
		teardown();
		opened++;
	}
	if (!opened)
		cr_skip_test("no older Go here");
}
