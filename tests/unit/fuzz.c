/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the fuzz targets on what fuzzers have found (tests/fuzz/fixtures/FORMAT/) and on the
 * seeds of tests/fuzz/run.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "tests/unit/go_binary.h"

#define LLVMFuzzerTestOneInput fuzz_added
#include "tests/fuzz/added.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_cunwind
#include "tests/fuzz/cunwind.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_elf
#include "tests/fuzz/elf.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_gobuildinfo
#include "tests/fuzz/gobuildinfo.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_gomodule
#include "tests/fuzz/gomodule.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_gopclntab
#include "tests/fuzz/gopclntab.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_goroutines
#include "tests/fuzz/goroutines.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_identity
#include "tests/fuzz/identity.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_kallsyms
#include "tests/fuzz/kallsyms.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_labels
#include "tests/fuzz/labels.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_maps
#include "tests/fuzz/maps.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_recording
#include "tests/fuzz/recording.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_sample
#include "tests/fuzz/sample.c"
#undef LLVMFuzzerTestOneInput
int cut_go(int argc, char **argv);
#define main cut_go
#include "tests/fuzz/cut_go.c"
#undef main

static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} targets[] = {
	{ "elf", fuzz_elf },
	{ "gobuildinfo", fuzz_gobuildinfo },
	{ "gomodule", fuzz_gomodule },
	{ "gopclntab", fuzz_gopclntab },
	{ "kallsyms", fuzz_kallsyms },
	{ "labels", fuzz_labels },
	{ "maps", fuzz_maps },
	{ "recording", fuzz_recording },
	{ "sample", fuzz_sample },
	{ "cunwind", fuzz_cunwind },
	{ "added", fuzz_added },
	{ "identity", fuzz_identity },
	{ "goroutines", fuzz_goroutines },
};

/* Every file of a directory. Returns their number; 0: no such directory. */
static int replay(int (*run)(const uint8_t *, size_t), const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int n = 0;

	while (d && (entry = readdir(d))) {
		struct buf b = { 0 };
		uint8_t *data;
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &b), 0, "%s", path);
		/* exactly as long as the file, for ASan */
		data = malloc(b.len);
		memcpy(data, b.data, b.len);
		alarm(10);
		run(data, b.len);
		free(data);
		buf_release(&b);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

Test(fuzz, what_was_found_stays_fixed)
{
	char dir[64];

	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		snprintf(dir, sizeof(dir), "tests/fuzz/fixtures/%s", targets[i].name);
		replay(targets[i].run, dir);
		targets[i].run((const uint8_t *)"", 0);
		targets[i].run((const uint8_t *)"\n", 1);
	}
}

static int count_function(void *arg, const struct func *f)
{
	cr_expect(*f->name && f->file, "%s", f->name);
	++*(int *)arg;
	return 0;
}

/* The number of functions that resolve in a seed; counts those that have inlined calls. */
static int functions_of(const char *path, int *with_trees)
{
	struct binary b = { .path = "", .root = "" };
	int fd = open(path, O_RDONLY), n = 0;
	const char *why;
	struct elf *e;
	void *self;

	cr_assert_eq(elf_open(&e, fd), 0);
	close(fd);
	b.elf = e;
	cr_assert_eq(gopclntab_resolver.open(&self, &b, &why), 0, "%s", why);
	*with_trees += gopclntab_trees_hold(self);
	gopclntab_resolver.each(self, count_function, &n);
	gopclntab_resolver.close(self);
	elf_close(e);
	return n;
}

Test(fuzz, seeds_are_whole_programs)
{
	char dir[] = "/tmp/test-fuzz-XXXXXX", path[64];
	int with_trees = 0;

	cr_assert(mkdtemp(dir));
	for (int i = 1; i <= 3; i++) {
		seeds_of(targets[i].name, dir, go_binary());
		cr_expect_eq(replay(targets[i].run, dir), i * CUTS);
	}
	for (int i = 0; i < CUTS; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		cr_expect_eq(functions_of(path, &with_trees), FUNCS_CUT, "%s", path);
	}
	cr_expect_gt(with_trees, 1);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	cr_assert_eq(system(path), 0);
}
