/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/elf.h"
#include "symbolizer/gobuildinfo.h"
#include "tests/unit/go_binary.h"

/* An ELF file without sections: headers, then one writable segment at 0x400000 for the
 * whole file. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	_Alignas(16) uint8_t blob[256];
};

enum { BASE = 0x400000 };

static struct image image_new(void)
{
	return (struct image){
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phoff = offsetof(struct image, ph),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1 },
		.ph = { .p_type = PT_LOAD,
			.p_flags = PF_R | PF_W,
			.p_vaddr = BASE,
			.p_filesz = sizeof(struct image),
			.p_memsz = sizeof(struct image) },
	};
}

static bool version_of(const struct image *im, char version[GO_VERSION_MAX])
{
	struct elf *e;
	bool found;

	cr_assert_eq(elf_parse(&e, im, sizeof(*im)), 0);
	found = gobuildinfo_version(e, version);
	elf_close(e);
	return found;
}

Test(gobuildinfo, version_of_a_real_program)
{
	const char *path = go_binary();
	char version[GO_VERSION_MAX], command[600], line[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf *e;
	FILE *p;

	cr_assert_eq(elf_open(&e, fd), 0);
	close(fd);
	cr_assert(gobuildinfo_version(e, version));
	elf_close(e);
	snprintf(command, sizeof(command), "%.*s/go version %s",
		 (int)(strrchr(path, '/') - path), path, path);
	p = popen(command, "r");
	cr_assert(p && fgets(line, sizeof(line), p));
	pclose(p);
	line[strcspn(line, "\n")] = 0;
	cr_assert_str_eq(strrchr(line, ' ') + 1, version);
}

Test(gobuildinfo, strings_in_the_blob)
{
	struct image im = image_new();
	char version[GO_VERSION_MAX];

	memcpy(im.blob + 16, "\xff Go buildinf:\x08\x02", 16);
	memcpy(im.blob + 48, "\x07go1.22\0", 8);
	im.blob[48] = 6;
	cr_assert(version_of(&im, version));
	cr_assert_str_eq(version, "go1.22");
	im.blob[48] = 0;
	cr_assert_not(version_of(&im, version), "an empty string is no version");
	memset(im.blob + 48, 0xff, 12);
	cr_assert_not(version_of(&im, version), "a length that is none");
}

static void expect_module(struct image *im, const char *want)
{
	char module[GO_MODULE_MAX];
	struct elf *e;

	cr_assert_eq(elf_parse(&e, im, sizeof(*im)), 0);
	gobuildinfo_module(e, module);
	cr_expect_str_eq(module, want, "%s, not %s", module, want);
	elf_close(e);
}

/* As the go command writes it, between two marks of 16 bytes. */
#define expect_module_of(text, want) expect_module_in(text, sizeof(text) - 1, want)
static void expect_module_in(const char *text, size_t n, const char *want)
{
	struct image im = image_new();

	memcpy(im.blob + 16, "\xff Go buildinf:\x08\x02", 16);
	memcpy(im.blob + 48, "\6go1.22", 7);
	im.blob[55] = (uint8_t)n;
	memcpy(im.blob + 56, text, n);
	expect_module(&im, want);
}

Test(gobuildinfo, module_of_main)
{
	struct image im = image_new();

#define MARK \
	"0w\xaf\x0c\x92t\x08\x02" \
	"A\xe1\xc1\x07\xe6\xd6\x18\xe6"
#define END \
	"\xf9" \
	"2C1\x86\x18 r\0\x82" \
	"B\x10" \
	"A\x16\xd8\xf2"
	expect_module_of(MARK "path\ta.b/c/x\nmod\ta.b/c\t(devel)\t\ndep\tx\tv1\n" END,
			 "a.b/c");
	expect_module_of(MARK "path\tdemo\nmod\tdemo\t(devel)\n" END, "demo");
	/* built without modules: the repository */
	expect_module_of(MARK "path\tgithub.com/o/p/cmd/p\nbuild\t-x\n" END,
			 "github.com/o/p");
	expect_module_of(MARK "path\tgithub.com/o/p\n" END, "github.com/o/p");
	expect_module_of(MARK "path\tgithub.com/o\n" END, "");
	expect_module_of(MARK "path\tk8s.io/k/cmd/x\n" END, "k8s.io/k");
	expect_module_of(MARK "path\tgo.etcd.io/etcd\n" END, "go.etcd.io/etcd");
	expect_module_of(MARK "path\tcommand-line-arguments\n" END, "");
	expect_module_of(MARK "path\ta/b/c/d\n" END, "");
	expect_module_of("", "");
	/* a length that goes past the file */
	memcpy(im.blob + 16, "\xff Go buildinf:\x08\x02", 16);
	memcpy(im.blob + 48, "\6go1.22\xff\xff\xff\xff\x7fmod\tx\t\n", 20);
	expect_module(&im, "");
}

Test(gobuildinfo, pointers_before_1_18)
{
	struct image im = image_new();
	char version[GO_VERSION_MAX];
	uint64_t blob = BASE + offsetof(struct image, blob);
	uint64_t words[] = { blob + 64, 0 }, header[] = { blob + 96, 8 };

	memcpy(im.blob, "\xff Go buildinf:\x08\x00", 16);
	memcpy(im.blob + 16, words, sizeof(words));
	memcpy(im.blob + 64, header, sizeof(header));
	memcpy(im.blob + 96, "go1.13.8", 8);
	cr_assert(version_of(&im, version));
	cr_assert_str_eq(version, "go1.13.8");
	words[1] = blob + 112;
	memcpy(im.blob + 16, words, sizeof(words));
	header[0] = blob + 128;
	header[1] = 12;
	memcpy(im.blob + 112, header, sizeof(header));
	memcpy(im.blob + 128, "mod\ta.b/c\tv1", 12);
	expect_module(&im, "a.b/c");
	header[0] = blob + 96;
	header[1] = 1 << 20;
	memcpy(im.blob + 64, header, sizeof(header));
	cr_assert_not(version_of(&im, version), "it would end past the file");
}

Test(gobuildinfo, c_programs_have_none)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char version[GO_VERSION_MAX];
	struct elf *e;

	cr_assert_eq(elf_open(&e, fd), 0);
	close(fd);
	cr_assert_not(gobuildinfo_version(e, version));
	elf_close(e);
}

Test(gobuildinfo, minor)
{
	cr_expect_eq(gobuildinfo_minor("go1.22.3"), 22);
	cr_expect_eq(gobuildinfo_minor("go1.9"), 9);
	cr_expect_eq(gobuildinfo_minor("go1.24rc1"), 24);
	cr_expect_eq(gobuildinfo_minor("go1.21.1-vendor X:boringcrypto"), 21);
	cr_expect_eq(gobuildinfo_minor("devel go1.23-6b3f7a6bd5 Thu"), 23);
	cr_expect_eq(gobuildinfo_minor("unknown"), -1);
	cr_expect_eq(gobuildinfo_minor("go1."), -1);
	cr_expect_eq(gobuildinfo_minor("go1.99999999999999999999"), -1);
}
