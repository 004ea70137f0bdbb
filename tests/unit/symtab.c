/* SPDX-License-Identifier: BSD-2-Clause */
/* Libraries built here by the system's compiler; nm tells where their functions are. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/strtab.h"
#include "symbolizer/debugfile.h"
#include "symbolizer/demangle.h"
#include "symbolizer/elf.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

static const char source[] =
	"int plain(int x) {\n" /* line 1 */
	"	return x * 3 +\n"
	"		7; }\n"
	"int weak_plain(int) __attribute__((weak, alias(\"plain\")));\n"
	"int __plain(int) __attribute__((alias(\"plain\")));\n"
	"static __attribute__((noinline)) int local(int x) { return x * x - 5; }\n"
	"int caller(int x) { return local(x) + local(x + 1); }\n"
	"int method(int x) __asm__(\"_ZN2ns5Class6methodEi\");\n"
	"int method(int x) { return x + 1; }\n"
	"int rust(int x) __asm__(\"_ZN4core3fmt5write17h0123456789abcdefE\");\n"
	"int rust(int x) { return x + 2; }\n"
	"int rust0(int x) __asm__(\"_RNvCs15kBYyAo9fc_7mycrate3foo\");\n"
	"int rust0(int x) { return x + 3; }\n"
	"int old(int x) { return x + 4; }\n"
	"__asm__(\".symver old, versioned@V1\");\n"
	"static int chosen(int x) { return x + 5; }\n"
	"static int (*choose(void))(int) { return chosen; }\n"
	"int ifunc(int x) __attribute__((ifunc(\"choose\")));\n"
	"__asm__(\".pushsection .text\\n.p2align 5\\n.globl bare\\nbare: .zero 24, 0x90\\n\"\n"
	"	\".globl sized\\n.type sized, @function\\nsized: .zero 4, 0x90\\ninner: .zero 4, 0x90\\n\"\n"
	"	\".size sized, 8\\n.zero 24, 0x90\\n.globl after\\nafter: ret\\n\"\n"
	"	\".data\\n.globl data\\ndata: .quad 1\\n.popsection\\n\");\n";

static char dir[64], root[128];
static struct strtab *strs;
static struct elf *elf;
static void *table;

static bool run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In dir. */
static bool run(const char *fmt, ...)
{
	char command[1024];
	int n = snprintf(command, sizeof(command), "cd %s && ", dir);
	va_list args;

	va_start(args, fmt);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, args);
	va_end(args);
	return system(command) == 0;
}

static void setup(void)
{
	char path[128];
	FILE *f;

	strcpy(dir, "/tmp/test-symtab-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(root, sizeof(root), "%s/root", dir);
	snprintf(path, sizeof(path), "%s/lib.c", dir);
	f = fopen(path, "w");
	cr_assert(f && fputs(source, f) >= 0 && !fclose(f));
	cr_assert(run("echo 'V1 { };' >lib.map && mkdir -p root/usr/lib/debug .debug"));
	strs = strtab_new();
}

static void shut(void)
{
	symtab_resolver.close(table);
	elf_close(elf);
	table = NULL;
	elf = NULL;
}

static void teardown(void)
{
	shut();
	strtab_free(strs);
	run("rm -rf %s", dir);
}

TestSuite(symtab, .init = setup, .fini = teardown);

/* Builds lib.so, and lib.nm: what nm says about it. */
static void compile(const char *options)
{
	cr_assert(run("gcc -O1 -shared -fPIC -w -Wl,--version-script=lib.map %s "
		      "-o lib.so lib.c && nm lib.so >lib.nm",
		      options));
}

/* Opened anew. */
static void open_lib(const char *name)
{
	static char path[128];
	const char *why = NULL;
	struct binary b = { .path = path, .root = root };
	int fd;

	shut();
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(elf_open(&elf, fd), 0);
	close(fd);
	b.elf = elf;
	cr_assert_eq(symtab_resolver.open(&table, &b, &why), 0);
}

static uint64_t address(const char *symbol)
{
	char path[128], line[256], name[200];
	unsigned long long addr = 0, found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/lib.nm", dir);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %199s", &addr, name) == 2 &&
		    !strcmp(name, symbol))
			found = addr;
	if (f)
		fclose(f);
	cr_assert_neq(found, 0, "nm knows no %s", symbol);
	return found;
}

static struct frame find(uint64_t addr)
{
	struct frame f = { 0 };
	int n = symtab_resolver.find(table, addr, strs, &f, 1);

	cr_assert(n == 0 || n == 1);
	cr_assert_eq(n, f.func != 0);
	cr_expect(!n || (f.kind == FRAME_NATIVE && f.addr == addr && !f.inlined));
	return f;
}

static void expect(const char *symbol, uint64_t skip, const char *name)
{
	struct frame f = find(address(symbol) + skip);

	cr_expect_str_eq(strtab_get(strs, f.func), name, "%s+%d: %s", symbol, (int)skip,
			 strtab_get(strs, f.func));
}

/* Expects everything that a complete symbol table tells. */
static void expect_all(void)
{
	expect("plain", 0, "plain"); /* global, and before __plain */
	expect("plain", 3, "plain");
	expect("local", 1, "local");
	expect("_ZN2ns5Class6methodEi", 0, "ns::Class::method");
	expect("_ZN4core3fmt5write17h0123456789abcdefE", 2, "core::fmt::write");
	expect("_RNvCs15kBYyAo9fc_7mycrate3foo", 0, "mycrate::foo");
	expect("ifunc", 0, "ifunc");
	expect("bare", 0, "bare");
	expect("bare", 23, "bare"); /* to the next */
	expect("sized", 0, "sized");
	expect("sized", 7, "sized"); /* inner is not a function */
	expect("sized", 8, "");      /* unknown owner */
	expect("sized", 31, "");
	expect("after", 0, "after");
	expect("data", 0, "");
}

static void expect_lines(void)
{
	struct frame f = find(address("plain"));

	cr_expect(strstr(strtab_get(strs, f.file), "lib.c"));
	cr_expect_eq(f.start_line, 1, "%u of %s", f.start_line, strtab_get(strs, f.file));
	cr_expect_geq(f.line, 1);
	cr_expect_leq(f.line, 3);
	f = find(address("_ZN2ns5Class6methodEi"));
	cr_expect_eq(f.start_line, 9);
}

Test(symtab, symbols_and_lines)
{
	compile("-g");
	open_lib("lib.so");
	expect_all();
	expect_lines();
	expect("old", 0, "old");
}

Test(symtab, exported_symbols)
{
	compile("-g");
	cr_assert(run("strip lib.so"));
	open_lib("lib.so");
	expect("plain", 0, "plain");
	expect("_ZN2ns5Class6methodEi", 0, "ns::Class::method");
	expect("local", 0, "");
	expect("old", 0, "old");
	cr_expect_eq(find(address("plain")).line, 0);
	/* without section headers we know what is exported, and how long it is */
	cr_assert(run("llvm-strip --strip-sections lib.so"));
	open_lib("lib.so");
	expect("plain", 0, "plain");
	expect("sized", 7, "sized");
	expect("sized", 8, "");
	expect("after", 0, ""); /* its length is unknown */
}

Test(symtab, mini_debug_info)
{
	compile("");
	cr_assert(run("objcopy --strip-debug lib.so mini && strip lib.so && xz -f mini && "
		      "objcopy --add-section .gnu_debugdata=mini.xz lib.so"));
	open_lib("lib.so");
	expect_all();
}

/* No honest file has so many symbols: a few KB must not take hundreds of MB. */
Test(symtab, mini_debug_info_that_unpacks_to_much)
{
	compile("");
	cr_assert(run(
		"objcopy --strip-debug lib.so mini && strip lib.so && cp lib.so bare.so"));
	for (int size_mib = 30; size_mib <= 100; size_mib += 70) {
		cr_assert(run("(cat mini; head -c %dM /dev/zero) | xz >mini.xz && objcopy "
			      "--add-section .gnu_debugdata=mini.xz bare.so lib.so",
			      size_mib));
		open_lib("lib.so");
		expect("local", 0, size_mib < 64 ? "local" : "");
	}
}

/* Rewrites lib.so: its .strtab is compressed, with so many bytes of zeros after the
 * names. */
static void compress_names(size_t zeros)
{
	struct buf file = { 0 }, names = { 0 }, packed = { 0 };
	Elf64_Chdr head = { .ch_type = ELFCOMPRESS_ZLIB, .ch_addralign = 1 };
	Elf64_Ehdr *eh;
	Elf64_Shdr *sh;
	char path[128];
	uLongf len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/lib.so", dir);
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &file), 0);
	eh = (Elf64_Ehdr *)(void *)file.data;
	sh = (Elf64_Shdr *)(void *)(file.data + eh->e_shoff);
	while (sh->sh_type != SHT_SYMTAB)
		sh++;
	sh = (Elf64_Shdr *)(void *)(file.data + eh->e_shoff) + sh->sh_link;
	buf_add(&names, file.data + sh->sh_offset, sh->sh_size);
	memset(buf_room(&names, zeros), 0, zeros);
	names.len += zeros;
	head.ch_size = names.len;
	buf_add(&packed, &head, sizeof(head));
	len = compressBound(names.len);
	cr_assert_eq(compress2(buf_room(&packed, len), &len, names.data, names.len, 1),
		     Z_OK);
	packed.len += len;
	sh->sh_flags = SHF_COMPRESSED;
	sh->sh_offset = file.len;
	sh->sh_size = packed.len;
	buf_add(&file, packed.data, packed.len);
	f = fopen(path, "w");
	cr_assert(f && fwrite(file.data, 1, file.len, f) == file.len && !fclose(f));
	buf_release(&file);
	buf_release(&names);
	buf_release(&packed);
}

Test(symtab, names_that_unpack_to_much)
{
	for (size_t size_mib = 1; size_mib <= 100; size_mib += 99) {
		compile("");
		compress_names(size_mib << 20);
		open_lib("lib.so");
		cr_expect_eq(debugfile_heavy(elf, true), size_mib > 64);
		expect("local", 0, ""); /* libelf's copy of the names is not in the file */
	}
}

Test(symtab, debug_file_by_build_id)
{
	char id[80] = "";

	compile("-g -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567");
	cr_assert(run("objcopy --only-keep-debug lib.so lib.debug && strip lib.so"));
	cr_assert(run("mkdir -p root/usr/lib/debug/.build-id/01 && mkfifo "
		      "root/usr/lib/debug/.build-id/01/%s.debug",
		      "23456789abcdef0123456789abcdef01234567"));
	open_lib("lib.so");
	strcpy(id, elf->build_id);
	cr_assert_str_eq(id, "0123456789abcdef0123456789abcdef01234567");
	expect("local", 0, ""); /* and does not wait for the pipe */
	cr_assert(run("mv -f lib.debug root/usr/lib/debug/.build-id/01/%s.debug", id + 2));
	open_lib("lib.so");
	expect_all();
	expect_lines();

	/* another one in its place */
	cr_assert(run(
		"mv root/usr/lib/debug/.build-id/01/*.debug . && echo 'int local;' | gcc -g -shared -fPIC "
		"-w -Wl,--build-id -o root/usr/lib/debug/.build-id/01/%s.debug -xc -",
		id + 2));
	open_lib("lib.so");
	expect("plain", 0, "plain");
	expect("local", 0, "");
}

Test(symtab, debug_file_by_link)
{
	static const char *const places[] = { ".debug", ".", "root%s", "root%s/.debug",
					      "root/usr/lib/debug%s" };

	compile("-g -Wl,--build-id=none");
	cr_assert(run("objcopy --only-keep-debug lib.so lib.debug && strip lib.so && "
		      "objcopy --add-gnu-debuglink=lib.debug lib.so && mv lib.debug kept"));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char place[256];
		const char *s = strstr(places[i], "%s");

		snprintf(place, sizeof(place), "%.*s%s%s",
			 s ? (int)(s - places[i]) : (int)strlen(places[i]), places[i],
			 s ? dir : "", s ? s + 2 : "");
		cr_assert(run("mkdir -p %s && cp kept %s/lib.debug", place, place));
		open_lib("lib.so");
		expect_all();
		expect_lines();
		cr_assert(run("echo >>%s/lib.debug", place));
		open_lib("lib.so");
		expect("plain", 0, "plain");
		expect("local", 0, "");
		cr_assert(run("rm %s/lib.debug", place));
	}
}

Test(symtab, compressed_debug_info)
{
	compile("-g -gz");
	open_lib("lib.so");
	expect_all();
	expect_lines();
}

Test(symtab, static_program)
{
	cr_assert(run("echo 'int main(void) { return 0; }' >>lib.c && "
		      "gcc -static -g -w -o lib.so -xc lib.c && nm lib.so >lib.nm"));
	open_lib("lib.so");
	expect("main", 0, "main");
	expect("plain", 0, "plain");
	expect("malloc", 0, "malloc"); /* not __libc_malloc, __malloc */
	expect("qsort", 5, "qsort");
}

static int count(void *arg, const struct func *f)
{
	uint64_t *last = arg;

	cr_expect_gt(f->addr, last[1]);
	cr_expect_gt(f->size, 0);
	last[1] = f->addr;
	last[0]++;
	if (!strcmp(f->name, "mycrate::foo"))
		cr_expect_eq(f->line, 13);
	cr_expect_eq(f->addr == address("sized") ? f->size : 8, 8);
	return 0;
}

Test(symtab, all_of_them)
{
	uint64_t seen[2] = { 0 };

	compile("-g");
	open_lib("lib.so");
	cr_assert_eq(symtab_resolver.each(table, count, seen), 0);
	cr_expect_gt(seen[0], 14);
}

Test(symtab, names_that_grow)
{
	static struct demangled d;
	char bomb[600] = "_Z1f", many[5000];

	cr_expect_str_eq(demangle(&d, "memcpy@@GLIBC_2.14"), "memcpy");
	cr_expect_str_eq(demangle(&d, "_Z3fooi@V1"), "foo");
	cr_expect_str_eq(demangle(&d, "_dl_start"), "_dl_start");
	cr_expect_str_eq(demangle(&d, "_Zfoo"), "_Zfoo");
	/* f<A, B<A, A>, B<that, that>, …>: doubles in length each time */
	strcat(bomb, "I1A1BIS0_S0_E");
	for (const char *c = "23456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"; *c; c++) {
		char pair[16];

		snprintf(pair, sizeof(pair), "S1_IS%c_S%c_E", *c, *c);
		strcat(bomb, pair);
	}
	strcat(bomb, "Evv");
	cr_expect_eq(demangle(&d, bomb) != NULL, true);
	cr_expect_str_eq(d.text, bomb, "stays mangled");
	memset(many, 'x', sizeof(many));
	memcpy(many, "_Z4990", 6);
	many[sizeof(many) - 1] = 0;
	cr_expect_eq(demangle(&d, many), many);
}

/* C and C++. */
static const char inlining[] =
	"static inline __attribute__((always_inline)) int inner(int x) {\n" /* line 1 */
	"	__asm__ volatile(\"mark: nop\" : \"+r\"(x));\n"
	"	return x * 7; }\n"
	"static inline __attribute__((always_inline)) int middle(int x) {\n"
	"	return inner(x) + 1; }\n"
	"int outer(int x) {\n"
	"	return middle(x) - 2; }\n";

static void expect_frame(const struct frame *f, const char *name, uint32_t line,
			 uint32_t start_line, bool inlined)
{
	const char *file = strtab_get(strs, f->file);

	cr_expect_str_eq(strtab_get(strs, f->func), name);
	cr_expect(strlen(file) > 8 && !strcmp(file + strlen(file) - 8, "inline.c"),
		  "%s of %s", file, name);
	cr_expect(f->line == line && f->start_line == start_line, "%s: %u, from %u", name,
		  f->line, f->start_line);
	cr_expect(f->inlined == inlined && f->kind == FRAME_NATIVE);
}

Test(symtab, inlined_calls)
{
	static const char *const compilers[] = {
		"gcc -g",
		"g++ -g",
		"gcc -g -gdwarf-4",
		"gcc -g -gz",
		"clang -g",
		"clang -g -gdwarf-aranges",
		"clang -g -gdwarf-4",
		/* units in order and out of it, of several ranges */
		"gcc -g -ffunction-sections",
		"clang -g -ffunction-sections",
	};
	struct frame f[FRAMES_AT_PC];
	char path[128];
	FILE *source_file;

	snprintf(path, sizeof(path), "%s/inline.c", dir);
	source_file = fopen(path, "w");
	cr_assert(source_file && fputs(inlining, source_file) >= 0 && !fclose(source_file));
	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++) {
		bool plus = compilers[i][1] == '+';

		cr_assert(run(
			"%s -O2 -shared -fPIC -w -Wl,--version-script=lib.map -o lib.so %s inline.c && nm lib.so >lib.nm",
			compilers[i], plus ? "" : "lib.c"));
		open_lib("lib.so");
		cr_assert_eq(
			symtab_resolver.find(table, address("mark"), strs, f, FRAMES_AT_PC),
			3, "%s", compilers[i]);
		expect_frame(&f[0], "inner", 2, 1, true);
		expect_frame(&f[1], "middle", 5, 4, true);
		expect_frame(&f[2], "outer", 7, 6, false);
		/* no room for all: only the outermost function is certain */
		cr_assert_eq(symtab_resolver.find(table, address("mark"), strs, f, 2), 1);
		expect_frame(&f[0], "outer", 2, 6, false);
		cr_assert(run("strip -g lib.so"));
		open_lib("lib.so");
		cr_assert_eq(
			symtab_resolver.find(table, address("mark"), strs, f, FRAMES_AT_PC),
			1);
		cr_expect_str_eq(strtab_get(strs, f->func), "outer");
	}
}

/* Queries what was known before its DWARF was damaged. */
static void find_in(const struct buf *file, uint64_t addr)
{
	struct binary b = { .path = "", .root = root };
	struct frame f[FRAMES_AT_PC];
	const char *why;

	shut();
	cr_assert_eq(elf_parse(&elf, file->data, file->len), 0);
	b.elf = elf;
	cr_assert_eq(symtab_resolver.open(&table, &b, &why), 0);
	for (int64_t skip = -16; skip < 16; skip++) {
		int n = symtab_resolver.find(table, addr + (uint64_t)skip, strs, f,
					     FRAMES_AT_PC);

		cr_assert(n >= 0 && n <= FRAMES_AT_PC);
		for (int i = 0; i < n; i++)
			cr_assert(f[i].func && f[i].inlined == (i < n - 1));
	}
}

Test(symtab, damaged_debug_info, .timeout = 100)
{
	static const char *const sections[] = { ".debug_info", ".debug_abbrev",
						".debug_rnglists", ".debug_str" };
	struct buf file = { 0 };
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/inline.c", dir);
	f = fopen(path, "w");
	cr_assert(f && fputs(inlining, f) >= 0 && !fclose(f));
	cr_assert(run(
		"gcc -g -O2 -shared -fPIC -ffunction-sections -w -Wl,--version-script=lib.map -o lib.so lib.c inline.c && "
		"nm lib.so >lib.nm"));
	snprintf(path, sizeof(path), "%s/lib.so", dir);
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &file), 0);
	srand(1);
	for (int i = 0; i < 400; i++) {
		struct cursor bytes;
		uint64_t vaddr;
		uint8_t old[3], *at;

		cr_assert_eq(elf_parse(&elf, file.data, file.len), 0);
		cr_assert(elf_section(elf, sections[i % 4], &vaddr, &bytes));
		at = file.data + (bytes.data - file.data) +
		     (size_t)rand() % (bytes.len - sizeof(old));
		elf_close(elf);
		elf = NULL;
		memcpy(old, at, sizeof(old));
		at[rand() % 3] = (uint8_t)rand();
		at[rand() % 3] = (uint8_t)(rand() % 4 ? at[0] : 0xff);
		find_in(&file, address("mark"));
		shut();
		memcpy(at, old, sizeof(old));
	}
	buf_release(&file);
}

/* Assembles code with a function f, which must be found, and in little time. */
static void find_f(const char *code)
{
	char path[128];
	struct frame f;
	FILE *s;

	snprintf(path, sizeof(path), "%s/f.s", dir);
	s = fopen(path, "w");
	cr_assert(s);
	fputs(code, s);
	cr_assert_eq(fclose(s), 0);
	cr_assert(run("gcc -shared -Wl,-z,noexecstack -o lib.so f.s && nm lib.so >lib.nm"));
	open_lib("lib.so");
	f = find(address("f"));
	cr_expect_str_eq(strtab_get(strs, f.func), "f");
}

/* Attributes and DIEs that take few bytes of the file, but much time. */
Test(symtab, attributes_without_end, .timeout = 100)
{
	find_f(".globl f\n.type f, @function\nf: .zero 64, 0x90\n.size f, 64\n"
	       ".section .debug_abbrev,\"\",@progbits\n"
	       ".byte 1, 0x11, 1, 0x11, 1, 0x12, 7, 0, 0\n"
	       ".byte 2, 0x34, 0\n.rept 100000\n.byte 0x3f, 0x19\n.endr\n.byte 0, 0, 0\n"
	       ".section .debug_info,\"\",@progbits\n"
	       ".long 2f - 1f\n1: .value 4\n.long 0\n.byte 8, 1\n.quad f, 64\n"
	       ".rept 1000000\n.byte 2\n.endr\n.byte 0\n2:\n");
}

/* Without a limit, each DIE would be passed once for each DIE around it. */
Test(symtab, blocks_in_blocks, .timeout = 100)
{
	find_f(".globl f\n.type f, @function\nf: .zero 64, 0x90\n.size f, 64\n"
	       ".section .debug_abbrev,\"\",@progbits\n"
	       ".byte 1, 0x11, 1, 0x11, 1, 0x12, 7, 0, 0\n"
	       ".byte 2, 0x34, 0\n.rept 30\n.byte 0x3f, 0x19\n.endr\n.byte 0, 0\n"
	       ".byte 3, 0x2e, 1, 0x11, 1, 0x12, 7, 0, 0, 4, 0x0b, 1, 0, 0, 0\n"
	       ".section .debug_info,\"\",@progbits\n"
	       ".long 2f - 1f\n1: .value 4\n.long 0\n.byte 8, 1\n.quad f, 64\n"
	       ".byte 3\n.quad f, 64\n.rept 100\n.byte 4\n.endr\n"
	       ".rept 15000000\n.byte 2\n.endr\n.rept 103\n.byte 0\n.endr\n2:\n");
}
