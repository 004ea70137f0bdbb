/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/golayout.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/goruntime/gocode.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"

static struct layout found(const char *version)
{
	struct layout l;
	const char *why = NULL;

	cr_assert_eq(golayout_of_version(&l, version, &why), 0, "%s: %s", version, why);
	cr_assert_eq(l.ok, 1);
	cr_assert_eq(l.tls_g, 0);
	return l;
}

/* What DWARF says about programs of that version: tools/golayout. */
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

		cr_expect_eq(golayout_of_version(&l, list[i].version, &why), list[i].err,
			     "%s", list[i].version);
		cr_expect(why && *why, "%s", list[i].version);
		cr_expect_arr_eq(&l, &none, sizeof(l));
	}
}

/* Each length is a copy of its own, so that ASan sees a read of one byte too many. */
static int decode(const void *code, uint32_t len, struct gocode_slot *slot)
{
	uint8_t *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, code, len);
	err = gocode_slot(slot, false, cursor_over(copy, len), 0x1000);
	free(copy);
	return err;
}

Test(golayout, slot_encodings)
{
	static const uint8_t exe[] = "\x64\x48\x8b\x04\x25\xf8\xff\xff\xff";
	static const uint8_t pie[] = "\x48\xc7\xc1\xf0\xff\xff\xff\x64\x48\x8b\x01";
	static const uint8_t later[] = "\x90\x90\x90\x64\x48\x8b\x04\x25\x40\xff\xff\xff";
	static const uint8_t shared[] = "\x48\x8b\x0d\x01\x02\x03\x00\x64\x48\x8b\x01";
	static const uint8_t far[] = "\x64\x48\x8b\x04\x25\x00\x00\xff\xff";
	static const uint8_t above[] = "\x64\x48\x8b\x04\x25\x08\x00\x00\x00";
	static const uint8_t odd[] = "\x64\x48\x8b\x04\x25\xf9\xff\xff\xff";
	static const struct gocode_slot none;
	struct gocode_slot slot;

	cr_expect_eq(decode(exe, sizeof(exe) - 1, &slot), 0);
	cr_expect_eq(slot.offset, -8);
	cr_expect_eq(decode(pie, sizeof(pie) - 1, &slot), 0);
	cr_expect_eq(slot.offset, -16);
	cr_expect_eq(decode(later, sizeof(later) - 1, &slot), 0);
	cr_expect_eq(slot.offset, -192);
	cr_expect_eq(decode(shared, sizeof(shared) - 1, &slot), 0);
	cr_expect_eq(slot.offset, 0);
	cr_expect_eq(slot.got, 0x1007 + 0x30201);

	for (uint32_t len = 0; len < sizeof(exe) - 1; len++)
		cr_expect_eq(decode(exe, len, &slot), -ENOENT);
	for (uint32_t len = 0; len < sizeof(pie) - 1; len++)
		cr_expect_eq(decode(pie, len, &slot), -ENOENT);
	for (uint32_t len = 0; len < sizeof(shared) - 1; len++)
		cr_expect_eq(decode(shared, len, &slot), -ENOENT);
	cr_expect_eq(decode(far, sizeof(far) - 1, &slot), -ENOENT);
	cr_expect_eq(decode(above, sizeof(above) - 1, &slot), -ENOENT);
	cr_expect_eq(decode(odd, sizeof(odd) - 1, &slot), -ENOENT);
	cr_expect_arr_eq(&slot, &none, sizeof(slot));
}

/* The object of dir/prog, which the local Go builds from main.go there. */
static struct object *build(const char *dir, const char *how)
{
	static const struct object_key key = { .inode = 1 };
	char cmd[PATH_MAX + 512], path[PATH_MAX];
	struct object *o;
	int fd;

	snprintf(cmd, sizeof(cmd),
		 "cd %s && GOENV=off GOFLAGS= GOWORK=off GO111MODULE=on GOTOOLCHAIN=local "
		 "%s -o prog main.go >log 2>&1 || { cat log >&2; false; }",
		 dir, how);
	cr_assert_eq(system(cmd), 0, "%s", how);
	snprintf(path, sizeof(path), "%s/prog", dir);
	fd = open(path, O_RDONLY);
	o = object_new(fd, &key, path, strlen(path), "");
	close(fd);
	cr_assert(o->go, "%s: %s", how, o->why);
	return o;
}

static struct golayout layout_of_build(const char *dir, const char *how, bool dwarf)
{
	struct object *o = build(dir, how);
	struct golayout l;

	cr_expect_eq(golayout_find(&l, o, dwarf), 0, "%s: %s", how, l.why);
	object_free(o);
	return l;
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

static char work[] = "/tmp/golayout.XXXXXX";

static void with_go(void)
{
	char path[4 * PATH_MAX];

	snprintf(path, sizeof(path), "%s:/usr/local/go/bin:/usr/lib/go-1.19/bin",
		 getenv("PATH"));
	setenv("PATH", path, 1);
	if (system("GOTOOLCHAIN=local go env GOVERSION >/dev/null 2>&1"))
		cr_skip_test("there is no Go");
	cr_assert(mkdtemp(work));
	source_write(work, "package main\n\nfunc main() { println() }\n");
}

static void remove_dir(void)
{
	char cmd[PATH_MAX];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", work);
	cr_assert_eq(system(cmd), 0);
}

Test(golayout, slot_of_real_programs, .init = with_go, .fini = remove_dir)
{
	struct golayout l = layout_of_build(work, "CGO_ENABLED=0 go build", false);

	cr_expect_eq(l.layout.tls_g, -8);
	cr_expect(l.layout.ok && l.checks[CHECK_FORMULA].ran && l.checks[CHECK_FORMULA].ok);
	l = layout_of_build(work, "CGO_ENABLED=0 go build -buildmode=pie", false);
	cr_expect_eq(l.layout.tls_g, -8);
	source_write(
		work,
		"package main\n\n/*\n__thread int x;\nint *where(void) { return &x; }\n*/\n"
		"import \"C\"\n\nfunc main() { println(C.where()) }\n");
	l = layout_of_build(work, "CGO_ENABLED=1 go build", false);
	cr_expect_eq(l.layout.tls_g, -16, "a C variable is nearer");
	cr_expect(l.checks[CHECK_FORMULA].ran && l.checks[CHECK_FORMULA].ok);
	l = layout_of_build(work, "CGO_ENABLED=1 go build -buildmode=c-shared", false);
	cr_expect(l.got && !l.layout.ok, "only the process knows");
}

Test(golayout, slot_of_arm64, .init = with_go, .fini = remove_dir)
{
	struct golayout l = layout_of_build(work, "GOARCH=arm64 CGO_ENABLED=0 go build",
					    false);

	cr_expect_eq(l.layout.tls_g, 16);
	cr_expect(l.iscgo && !l.layout.ok);
	l = layout_of_build(work, "GOARCH=arm64 CGO_ENABLED=0 go build -buildmode=pie",
			    false);
	cr_expect_eq(l.layout.tls_g, 16);
	cr_expect(l.iscgo);
}

/* Three independent sources. */
Test(golayout, dwarf_table_and_code_agree, .init = with_go, .fini = remove_dir)
{
	struct golayout dwarf = layout_of_build(work, "go build", true),
			table = layout_of_build(work, "go build -ldflags='-s -w'", false);
	struct object *o = build(work, "go build -ldflags='-s -w'");
	struct gocode_fields f;
	struct cursor code;
	uint64_t entry;
	uint32_t len;

	for (int i = 0; i < FIELDS; i++) {
		cr_expect_eq(dwarf.fields[i].offset, table.fields[i].offset, "%s: %d, %d",
			     layout_fields[i].name, dwarf.fields[i].offset,
			     table.fields[i].offset);
		cr_expect_str_eq(dwarf.fields[i].how, "dwarf");
		cr_expect_str_neq(table.fields[i].how, "dwarf");
	}
	cr_expect_arr_eq(&dwarf.layout, &table.layout, sizeof(table.layout));
	cr_assert(gopclntab_function(o->go, "runtime.cgoSigtramp", &entry, &len));
	code = elf_at(o->elf, entry);
	cr_expect_eq(gocode_fields(&f, cursor_slice(&code, 0, len)), 0);
	cr_expect_eq(f.g_m, 48);
	cr_expect_eq(f.g_syscallsp, dwarf.layout.g_syscallsp);
	cr_expect_eq(f.m_curg, dwarf.layout.m_curg);
	cr_expect_eq(f.m_ncgo, dwarf.layout.m_ncgo);
	object_free(o);
}
