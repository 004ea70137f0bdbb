/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/golayout.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/sample.h"

static struct layout found(const char *version)
{
	struct layout l;
	const char *why = NULL;

	cr_assert_eq(golayout_find(&l, version, &why), 0, "%s: %s", version, why);
	cr_assert_eq(l.ok, 1);
	cr_assert_eq(l.tls_g, 0);
	return l;
}

/* What DWARF says of programs of that version: tools/golayout. */
static void expect(const char *version, const unsigned v[9])
{
	struct layout l = found(version);
	unsigned got[9] = { l.g_syscallsp, l.g_goid,        l.g_gopc,
			    l.g_startpc,   l.g_parent_goid, l.m_procid,
			    l.m_curg,      l.m_extra_in_c,  l.m_ncgo };

	for (int i = 0; i < 9; i++)
		cr_expect_eq(got[i], v[i], "%s field %d: %u, not %u", version, i, got[i],
			     v[i]);
}

Test(golayout, offsets_of_each_layout)
{
	expect("go1.13", (unsigned[]){ 112, 152, 280, 296, 0, 72, 192, 0, 312 });
	expect("go1.16.15", (unsigned[]){ 112, 152, 280, 296, 0, 72, 192, 0, 312 });
	expect("go1.17", (unsigned[]){ 112, 152, 296, 312, 0, 72, 192, 0, 312 });
	expect("go1.19.8", (unsigned[]){ 112, 152, 296, 312, 0, 72, 192, 0, 312 });
	expect("go1.20.14", (unsigned[]){ 112, 152, 296, 312, 0, 72, 192, 0, 312 });
	expect("go1.21.0", (unsigned[]){ 112, 152, 280, 296, 272, 72, 192, 282, 312 });
	expect("go1.22.12", (unsigned[]){ 112, 152, 280, 296, 272, 72, 192, 282, 304 });
	expect("go1.23.0", (unsigned[]){ 112, 160, 288, 304, 280, 72, 192, 282, 304 });
	expect("go1.24.0", (unsigned[]){ 112, 160, 288, 304, 280, 72, 192, 282, 304 });
	expect("go1.25.0", (unsigned[]){ 104, 152, 280, 296, 272, 64, 184, 274, 320 });
	expect("go1.26.11", (unsigned[]){ 104, 152, 288, 304, 280, 64, 184, 282, 328 });
	expect("go1.27.4", (unsigned[]){ 104, 152, 288, 304, 280, 64, 184, 282, 328 });
}

Test(golayout, patch_releases_that_moved_ncgo)
{
	cr_expect_eq(found("go1.23.11").m_ncgo, 304);
	cr_expect_eq(found("go1.23.12").m_ncgo, 328);
	cr_expect_eq(found("go1.24.5").m_ncgo, 304);
	cr_expect_eq(found("go1.24.6").m_ncgo, 328);
	cr_expect_eq(found("go1.24.13").m_ncgo, 328);
	cr_expect_eq(found("go1.24.9999").m_ncgo, 328);
}

Test(golayout, suffixes)
{
	cr_expect_eq(found("go1.22.2 X:boringcrypto").m_ncgo, 304);
	cr_expect_eq(found("go1.20.3-bigcorp").g_startpc, 312);
	cr_expect_eq(found("go1.24.6+auto").m_ncgo, 328);
	cr_expect_eq(found("go1.21rc2").g_parent_goid, 272);
	cr_expect_eq(found("go1.25rc1").m_ncgo, 0, "which only the release settles");
	cr_expect_eq(found("go1.18beta1").m_ncgo, 0);
}

Test(golayout, refused_with_a_reason)
{
	static const struct {
		const char *version;
		int err;
	} list[] = {
		{ "go1.28", -ENOTSUP },   { "go1.28rc1", -ENOTSUP },
		{ "go2.0", -ENOTSUP },    { "go1.12.17", -ENOTSUP },
		{ "go1", -ENOTSUP },      { "devel go1.23-abc", -ENOTSUP },
		{ "go0.20", -ENOTSUP },   { "devel +2f3a4b5c Mon Jan 2", -ENOTSUP },
		{ "", -EINVAL },          { "go", -EINVAL },
		{ "1.22.3", -EINVAL },    { "gox1.22", -EINVAL },
		{ "go1.", -EINVAL },      { "go1.22.", -EINVAL },
		{ "go1.-22", -EINVAL },   { "go1.22.x", -EINVAL },
		{ "go1.00022", -EINVAL }, { "go1.22.99999999999999999999", -EINVAL },
		{ "(devel)", -EINVAL },   { "go 1.22", -EINVAL },
	};
	static const struct layout none;

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		struct layout l = { .ok = 1 };
		const char *why = NULL;

		cr_expect_eq(golayout_find(&l, list[i].version, &why), list[i].err, "%s",
			     list[i].version);
		cr_expect(why && *why, "%s", list[i].version);
		cr_expect_arr_eq(&l, &none, sizeof(l));
	}
}

/* Each length is a copy of its own, so that the sanitizer sees a byte read too many. */
static int decode(const void *code, uint32_t len, int64_t *offset)
{
	uint8_t *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, code, len);
	err = golayout_tls(copy, len, offset);
	free(copy);
	return err;
}

Test(golayout, tls_encodings)
{
	static const uint8_t exe[] = "\x64\x48\x8b\x04\x25\xf8\xff\xff\xff";
	static const uint8_t pie[] = "\x48\xc7\xc1\xf0\xff\xff\xff\x64\x48\x8b\x01";
	static const uint8_t later[] = "\x90\x90\x90\x64\x48\x8b\x04\x25\x40\xff\xff\xff";
	static const uint8_t shared[] = "\x48\x8b\x0d\x01\x02\x03\x00\x64\x48\x8b\x01";
	static const uint8_t far[] = "\x64\x48\x8b\x04\x25\x00\x00\xff\xff";
	static const uint8_t above[] = "\x64\x48\x8b\x04\x25\x08\x00\x00\x00";
	static const uint8_t odd[] = "\x64\x48\x8b\x04\x25\xf9\xff\xff\xff";
	int64_t off = 0;

	cr_expect_eq(decode(exe, sizeof(exe) - 1, &off), 0);
	cr_expect_eq(off, -8);
	cr_expect_eq(decode(pie, sizeof(pie) - 1, &off), 0);
	cr_expect_eq(off, -16);
	cr_expect_eq(decode(later, sizeof(later) - 1, &off), 0);
	cr_expect_eq(off, -192);

	off = 77;
	for (uint32_t len = 0; len < sizeof(exe) - 1; len++)
		cr_expect_eq(decode(exe, len, &off), -ENOENT);
	for (uint32_t len = 0; len < sizeof(pie) - 1; len++)
		cr_expect_eq(decode(pie, len, &off), -ENOENT);
	cr_expect_eq(decode(shared, sizeof(shared) - 1, &off), -ENOENT);
	cr_expect_eq(decode(far, sizeof(far) - 1, &off), -ENOENT);
	cr_expect_eq(decode(above, sizeof(above) - 1, &off), -ENOENT);
	cr_expect_eq(decode(odd, sizeof(odd) - 1, &off), -ENOENT);
	cr_expect_eq(off, 77);
}

/* The code of the function whose symbol begins so (".abi0" may follow), at most cap bytes;
 * 0: no such symbol. */
static uint32_t function_code(const char *path, const char *name, uint8_t *code, size_t cap)
{
	int fd = open(path, O_RDONLY);
	Elf *elf;
	Elf_Scn *scn = NULL, *text;
	GElf_Shdr sh, text_sh;
	GElf_Sym sym;
	uint32_t n = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &sh)) {
		Elf_Data *data = sh.sh_type == SHT_SYMTAB ? elf_getdata(scn, NULL) : NULL;

		for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
			const char *s = elf_strptr(elf, sh.sh_link, sym.st_name);

			if (!s || strncmp(s, name, strlen(name)))
				continue;
			text = elf_getscn(elf, sym.st_shndx);
			cr_assert(gelf_getshdr(text, &text_sh));
			n = sym.st_size < cap ? sym.st_size : cap;
			cr_assert_eq(pread(fd, code, n,
					   (off_t)(sym.st_value - text_sh.sh_addr +
						   text_sh.sh_offset)),
				     (ssize_t)n);
		}
	}
	elf_end(elf);
	close(fd);
	return n;
}

/* What golayout_tls() makes of a program that the local Go builds from main.go in dir. */
static int64_t tls_of_build(const char *dir, const char *how)
{
	char cmd[PATH_MAX + 512], path[PATH_MAX];
	uint8_t code[64];
	int64_t off = 0;
	uint32_t n;

	snprintf(cmd, sizeof(cmd),
		 "cd %s && GOENV=off GOFLAGS= GOWORK=off GO111MODULE=on GOTOOLCHAIN=local "
		 "%s -o prog main.go >log 2>&1 || { cat log >&2; false; }",
		 dir, how);
	cr_assert_eq(system(cmd), 0, "%s", how);
	snprintf(path, sizeof(path), "%s/prog", dir);
	n = function_code(path, "runtime.stackcheck", code, sizeof(code));
	cr_assert_gt(n, 0);
	cr_assert_eq(decode(code, n, &off), 0, "%s", how);
	return off;
}

static void source_write(const char *dir, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/main.go", dir);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
}

Test(golayout, tls_of_real_programs)
{
	char dir[] = "/tmp/golayout.XXXXXX", path[4 * PATH_MAX], version[64] = "",
	     cmd[PATH_MAX];
	FILE *p;

	snprintf(path, sizeof(path), "%s:/usr/local/go/bin:/usr/lib/go-1.19/bin",
		 getenv("PATH"));
	setenv("PATH", path, 1);
	p = popen("GOTOOLCHAIN=local go env GOVERSION 2>/dev/null", "r");
	cr_assert(p);
	cr_assert(fscanf(p, "%63[^\n]", version) <= 1);
	pclose(p);
	if (!*version)
		cr_skip_test("there is no Go");
	found(version);

	cr_assert(mkdtemp(dir));
	source_write(dir, "package main\n\nfunc main() { println() }\n");
	cr_expect_eq(tls_of_build(dir, "CGO_ENABLED=0 go build"), -8);
	cr_expect_eq(tls_of_build(dir, "CGO_ENABLED=0 go build -buildmode=pie"), -8);
	source_write(
		dir,
		"package main\n\n/*\n__thread int x;\nint *where(void) { return &x; }\n*/\n"
		"import \"C\"\n\nfunc main() { println(C.where()) }\n");
	cr_expect_eq(tls_of_build(dir, "CGO_ENABLED=1 go build"), -16,
		     "a C variable is nearer");
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	cr_assert_eq(system(cmd), 0);
}
