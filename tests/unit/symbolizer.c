/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/framecache.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/space.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

static struct strtab *strs;
static struct symbolizer *symbolizer;

static void setup(void)
{
	strs = strtab_new();
	symbolizer = symbolizer_new(strs);
}

static void teardown(void)
{
	symbolizer_close(symbolizer);
	strtab_free(strs);
}

TestSuite(symbolizer, .init = setup, .fini = teardown);

/* The address in its file of a function of the space's Go program. */
static bool function_of(const struct space *sp, const char *name, uint64_t *entry,
			const uint8_t **code, uint32_t *len)
{
	uint64_t bias;
	const struct object *o = space_go(sp, &bias);

	if (!o || !gopclntab_function(o->go, name, entry, len))
		return false;
	*code = elf_at(o->elf, *entry).data;
	return *code != NULL;
}

/* Right after exec() a program is not mapped yet: look again, as in a recording. */
static struct space *open_go(pid_t pid)
{
	const uint8_t *code;
	struct space *sp = NULL;
	uint64_t entry;
	uint32_t len;

	for (int i = 0; i < 1000; i++, usleep(1000)) {
		if (!sp && space_open(&sp, symbolizer, pid))
			continue;
		if (function_of(sp, "main.main", &entry, &code, &len) &&
		    space_is_go(sp, entry))
			return sp;
		space_refresh(sp);
	}
	cr_assert_fail("%d is no Go program", pid);
	return NULL;
}

static const char *module_of(const struct frame *f)
{
	const struct module_row *m = symbolizer_module(symbolizer, f->module);

	cr_expect_eq(m->go_minor > 0, f->kind == FRAME_GO, "of %s: %u", m->path,
		     m->go_minor);
	return m->path;
}

static void expect_main(struct space *sp, uint64_t entry)
{
	struct frame f[FRAMES_AT_PC];
	bool unmapped = true;
	int n = symbolizer_user(symbolizer, sp, entry, f, FRAMES_AT_PC, &unmapped);

	cr_assert_geq(n, 1);
	cr_expect_not(unmapped);
	cr_expect_str_eq(strtab_get(strs, f[n - 1].func), "main.main");
	cr_expect_eq(f[n - 1].kind, FRAME_GO);
	cr_expect(strstr(module_of(f), "gofmt"));
	/* any program's main.main has something inlined into it */
	for (n = 0; n < 2; entry++) {
		n = symbolizer_user(symbolizer, sp, entry, f, FRAMES_AT_PC, &unmapped);
		cr_assert_not(unmapped);
	}
	cr_expect(f[0].inlined && !f[n - 1].inlined);
	cr_expect_eq(symbolizer_user(symbolizer, sp, entry - 1, f, 1, NULL), 1);
}

Test(symbolizer, names_outlive_process_and_file)
{
	char copy[] = "/tmp/test-gofmt-XXXXXX", command[1200];
	const uint8_t *code;
	struct go_program p;
	struct space *sp;
	uint64_t entry;
	struct go_pc pc;
	uint32_t len;
	pid_t pid;
	int in;

	close(mkstemp(copy));
	snprintf(command, sizeof(command), "cp %s %s && chmod 755 %s", go_binary(), copy,
		 copy);
	cr_assert_eq(system(command), 0);
	pid = start_go(copy, &in);
	unlink(copy);
	sp = open_go(pid);
	space_program(sp, &p);
	cr_expect_str_eq(p.path, copy, "without (deleted)");
	cr_expect(p.version && !strncmp(p.version, "go1.", 4));
	cr_expect_null(p.why);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	cr_expect_eq(space_refresh(sp), -ESRCH, "a zombie has no mappings");
	stop_go(pid, in);

	cr_assert(function_of(sp, "main.main", &entry, &code, &len));
	cr_expect(len > 16 && code);
	expect_main(sp, entry);
	cr_expect(space_is_go(sp, entry));
	cr_expect(space_go_pc(sp, entry, &pc) && pc.has_spdelta && pc.spdelta == 0);
	cr_expect(pc.mapped && pc.entry == entry);
	cr_expect_str_eq(strtab_get(strs, space_start_function(sp, entry)), "main.main");
	cr_expect_eq(space_refresh(sp), -ESRCH);
	expect_main(sp, entry);
	space_close(sp);
}

/* Truncated by so many bytes: its names are missing then, and no wrong ones appear. */
static void expect_no_names(off_t less)
{
	char copy[] = "/tmp/test-gofmt-XXXXXX", command[1200];
	struct frame f[FRAMES_AT_PC];
	uint64_t entry, other;
	struct space *sp;
	struct stat st;
	uint32_t len;
	int fd = mkstemp(copy);

	snprintf(command, sizeof(command), "cp %s %s", go_binary(), copy);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(space_open_file(&sp, symbolizer, fd), 0);
	cr_assert(gopclntab_function(space_exe(sp)->go, "main.main", &entry, &len));
	cr_assert(gopclntab_function(space_exe(sp)->go, "runtime.main", &other, &len));
	expect_main(sp, entry);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(ftruncate(fd, st.st_size - (less ? less : st.st_size - 4096)), 0);
	for (uint64_t at = other; at < other + len; at += 16) {
		cr_assert_eq(symbolizer_user(symbolizer, sp, at, f, FRAMES_AT_PC, NULL), 1);
		cr_assert_str_eq(strtab_get(strs, f[0].func), "");
	}
	/* nor a name that was found before: the code may be another by now */
	cr_assert_eq(symbolizer_user(symbolizer, sp, entry, f, FRAMES_AT_PC, NULL), 1);
	cr_expect_str_eq(strtab_get(strs, f[0].func), "");
	space_close(sp);
	close(fd);
	unlink(copy);
}

Test(symbolizer, truncated_file)
{
	expect_no_names(0);
}

/* If the file lost bytes of its last page, that page reads as zeros, without a fault. */
Test(symbolizer, truncated_within_its_last_page)
{
	expect_no_names(16);
}

Test(symbolizer, processes_of_one_file_share_it)
{
	const char *path = go_binary();
	struct space *sp[2];
	pid_t pid[2];
	int in[2];
	uint64_t entry;
	uint32_t len;
	const uint8_t *code;
	struct frame f[FRAMES_AT_PC];

	for (int i = 0; i < 2; i++) {
		pid[i] = start_go(path, &in[i]);
		sp[i] = open_go(pid[i]);
	}
	cr_expect_eq(symbolizer->n_rows, 1, "no row before a frame needs it");
	cr_assert(function_of(sp[0], "main.main", &entry, &code, &len));
	expect_main(sp[0], entry);
	symbolizer_user(symbolizer, sp[0], entry + 1, f, FRAMES_AT_PC, NULL);
	expect_main(sp[1], entry);
	cr_expect_eq(symbolizer->n_rows, 2);
	for (int i = 0; i < 2; i++) {
		stop_go(pid[i], in[i]);
		space_close(sp[i]);
	}
}

/* What the kernel side would report about a process, from /proc. */
static struct gone gone_of(pid_t pid, struct space *sp)
{
	struct gone gone = { .exe = space_exe(sp) };
	char path[64], text[1024] = "", *at;
	uint64_t auxv[2];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	cr_assert(f && fgets(text, sizeof(text), f));
	fclose(f);
	at = strrchr(text, ')');
	for (int field = 2; field < 26; field++)
		at = strchr(at + 1, ' ');
	gone.start_code = strtoull(at, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "r");
	while (f && fread(auxv, sizeof(auxv), 1, f) == 1)
		if (auxv[0] == AT_SYSINFO_EHDR)
			gone.vdso = auxv[1];
	fclose(f);
	return gone;
}

/* Does a process that has ended still have the names of its mappings? */
static uint32_t expect_same_names(struct space *sp, struct space *gone, uint64_t start,
				  uint64_t len)
{
	struct frame a[FRAMES_AT_PC], b[FRAMES_AT_PC];
	uint32_t named = 0;

	for (uint64_t addr = start; addr < start + len; addr += 61) {
		int n = symbolizer_user(symbolizer, sp, addr, a, FRAMES_AT_PC, NULL);
		int m = symbolizer_user(symbolizer, gone, addr, b, FRAMES_AT_PC, NULL);

		cr_assert_eq(n, m);
		for (int i = 0; i < n; i++)
			cr_assert(a[i].func == b[i].func && a[i].module == b[i].module &&
				  a[i].addr == b[i].addr);
		named += a[0].func != 0;
	}
	return named;
}

Test(symbolizer, gone_processes)
{
	struct gone gone, wrong;
	struct space *sp, *left;
	uint64_t bias, entry;
	const uint8_t *code;
	uint32_t len;
	pid_t pid;
	int in;

	pid = start_go(go_binary(), &in);
	sp = open_go(pid);
	cr_assert(function_of(sp, "main.main", &entry, &code, &len));
	space_go(sp, &bias);
	gone = gone_of(pid, sp);
	stop_go(pid, in);
	cr_assert(gone.exe && gone.start_code && gone.vdso);

	wrong = gone;
	wrong.start_code += 8;
	cr_expect_eq(space_open_gone(&left, symbolizer, &wrong), -ENOTSUP);
	wrong.exe = NULL;
	cr_expect_eq(space_open_gone(&left, symbolizer, &wrong), -ENOTSUP);
	wrong = (struct gone){ .exe = gone.exe };
	cr_expect_eq(space_open_gone(&left, symbolizer, &wrong) == 0, gone.exe->elf->fixed);
	if (gone.exe->elf->fixed)
		space_close(left);

	cr_assert_eq(space_open_gone(&left, symbolizer, &gone), 0);
	cr_expect_geq(expect_same_names(sp, left, entry + bias - 4096, 8192), 100);
	cr_expect_gt(expect_same_names(sp, left, gone.vdso, 4096), 0);
	cr_expect_eq(space_refresh(left), -ESRCH);
	space_close(left);
	space_close(sp);
}

/* One frame of this process. */
static struct frame frame_at(struct space *sp, const void *addr, bool *unmapped)
{
	struct frame f[FRAMES_AT_PC];

	cr_assert_eq(
		symbolizer_user(symbolizer, sp, (uint64_t)addr, f, FRAMES_AT_PC, unmapped),
		1);
	return f[0];
}

Test(symbolizer, code_of_this_process)
{
	const char *sysinfo = (const char *)getauxval(AT_SYSINFO_EHDR);
	void *libc = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	void *image = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	void *clock = image ? dlsym(image, "__vdso_clock_gettime") : NULL;
	struct link_map *map;
	struct space *sp;
	struct frame f;
	bool unmapped;
	void *jit;
	Dl_info info;

	cr_assert_eq(space_open(&sp, symbolizer, getpid()), 0);
	dladdr1(libc, &info, (void **)&map, RTLD_DL_LINKMAP);
	f = frame_at(sp, libc, &unmapped);
	cr_expect_not(unmapped);
	cr_expect_eq(f.kind, FRAME_NATIVE);
	cr_expect_str_eq(strtab_get(strs, f.func), "gnu_get_libc_version");
	cr_expect_eq(f.addr, (uint64_t)libc - map->l_addr, "the address in the file");
	cr_expect(strstr(module_of(&f), "libc"));

	if (sysinfo) {
		f = frame_at(sp, sysinfo + 0x123, NULL);
		cr_expect_eq(f.kind, FRAME_VDSO);
		cr_expect_eq(f.func, 0, "its headers");
		cr_expect_eq(f.addr, 0x123);
		cr_expect_str_eq(module_of(&f), "[vdso]");
	}

	if (clock) {
		f = frame_at(sp, (char *)clock + 1, NULL);
		cr_expect_eq(f.kind, FRAME_VDSO);
		cr_expect_str_eq(strtab_get(strs, f.func), "__vdso_clock_gettime");
		cr_expect_eq(f.addr, (uint64_t)clock + 1 - (uint64_t)sysinfo);
	}

	jit = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f = frame_at(sp, jit, &unmapped);
	cr_expect(unmapped, "mapped since");
	cr_expect_eq(f.module, 0);
	cr_assert_eq(space_refresh(sp), 0);
	f = frame_at(sp, jit, &unmapped);
	cr_expect_not(unmapped);
	cr_expect_eq(f.addr, (uint64_t)jit);
	cr_expect_str_eq(module_of(&f), "[anon]");
	cr_expect_not(space_is_go(sp, (uint64_t)jit));
	f = frame_at(sp, jit, NULL);
	cr_expect_eq(f.kind, FRAME_UNNAMED);
	space_close(sp);
}

/* As with UPX: the program is only in anonymous mappings, and its file has no sections. */
Test(symbolizer, unpacked_program)
{
	char packed[] = "/tmp/test-packed-XXXXXX", command[1024];
	char *argv[] = { packed, (char *)go_binary(), NULL };
	struct frame f[FRAMES_AT_PC];
	posix_spawn_file_actions_t actions;
	const uint8_t *code;
	struct go_program p;
	struct space *sp[2];
	uint64_t entry;
	uint32_t len;
	int in[2];
	pid_t pid;

	close(mkstemp(packed));
	snprintf(command, sizeof(command),
		 "gcc -O2 -s -static -no-pie -Wl,-Ttext-segment=0x10000000 -o %s "
		 "tests/workloads/packed/packed.c && chmod 755 %s && for at in 40 60; do "
		 "head -c 4 /dev/zero | dd of=%s bs=1 seek=$at conv=notrunc status=none; "
		 "done",
		 packed, packed, packed);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	cr_assert_eq(posix_spawn(&pid, packed, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	sp[0] = open_go(pid);
	space_program(sp[0], &p);
	cr_expect_str_eq(p.path, packed);
	cr_expect(p.version && !p.why && !p.packed);
	cr_assert_eq(space_open(&sp[1], symbolizer, pid), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert(function_of(sp[i], "main.main", &entry, &code, &len));
		cr_assert_geq(
			symbolizer_user(symbolizer, sp[i], entry, f, FRAMES_AT_PC, NULL),
			1);
		cr_expect_str_eq(strtab_get(strs, f[0].func), "main.main");
		cr_expect_str_eq(module_of(f), packed);
		space_close(sp[i]);
	}
	cr_expect_eq(symbolizer->n_rows, 2, "both are one");
	close(in[0]);
	stop_go(pid, in[1]);
	unlink(packed);
}

Test(symbolizer, programs_by_file)
{
	struct go_program p;
	int fd = open(go_binary(), O_RDONLY | O_CLOEXEC);

	cr_assert_eq(symbolizer_program(symbolizer, fd, &p), 0);
	close(fd);
	cr_expect_str_eq(p.path, go_binary());
	cr_expect_not_null(p.version);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(symbolizer_program(symbolizer, fd, &p), 0);
	close(fd);
	cr_expect_null(p.version, "a C program");
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	cr_expect_eq(symbolizer_program(symbolizer, fd, &p), -ENOEXEC);
	close(fd);
}

/* The number of our mappings of files whose path begins like this. */
static int mappings_of(const char *path)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, path) != NULL;
	if (f)
		fclose(f);
	return n;
}

static void open_copies(const char *dir, int from, int to)
{
	char command[1200], path[64];
	struct go_program p;

	for (int i = from; i < to; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%d", dir, i);
		snprintf(command, sizeof(command), "[ -e %s ] || cp %s %s", path,
			 go_binary(), path);
		cr_assert_eq(system(command), 0);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_eq(symbolizer_program(symbolizer, fd, &p), 0);
		close(fd);
		cr_assert_str_eq(p.path, path);
	}
}

static void count_closed(void *arg, const struct object *o)
{
	cr_expect_not_null(o->path);
	++*(int *)arg;
}

Test(symbolizer, files_that_nobody_has_are_closed)
{
	char dir[] = "/tmp/test-copies-XXXXXX", path[64], command[64];
	struct go_program p, first;
	struct frame f[FRAMES_AT_PC];
	struct space *sp = NULL;
	const uint8_t *code;
	uint64_t entry;
	uint32_t row, len;
	int fd, closed = 0;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/0", dir);
	open_copies(dir, 0, 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(space_open_file(&sp, symbolizer, fd), 0);
	close(fd);
	cr_assert(function_of(sp, "main.main", &entry, &code, &len));
	cr_assert_geq(symbolizer_user(symbolizer, sp, entry, f, FRAMES_AT_PC, NULL), 1);
	row = f[0].module;
	space_program(sp, &first);
	open_copies(dir, 1, 150);
	cr_expect_eq(mappings_of(dir), 150);
	cr_assert(symbolizer_crowded(symbolizer));

	/* marked ones stay, even if others were used later */
	space_mark(sp);
	symbolizer_sweep(symbolizer, count_closed, &closed);
	cr_expect_gt(closed, 50);
	cr_expect_eq(mappings_of(dir), 150 - closed);
	cr_expect_not(symbolizer_crowded(symbolizer));
	cr_expect_eq(symbolizer_user(symbolizer, sp, entry, f, 1, NULL), 1);
	cr_expect_str_eq(strtab_get(strs, f[0].func), "main.main");

	/* the last used ones are not opened again */
	open_copies(dir, 140, 150);
	cr_expect_eq(mappings_of(dir), 150 - closed);

	/* and a closed one gets its old row */
	space_close(sp);
	open_copies(dir, 1, 140);
	symbolizer_sweep(symbolizer, count_closed, &closed);
	snprintf(path, sizeof(path), "%s/0\n", dir);
	cr_expect_eq(mappings_of(path), 0);
	path[strlen(path) - 1] = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(symbolizer_program(symbolizer, fd, &p), 0);
	cr_expect_not_null(p.version);
	cr_assert_eq(space_open_file(&sp, symbolizer, fd), 0);
	close(fd);
	cr_assert_geq(symbolizer_user(symbolizer, sp, entry, f, FRAMES_AT_PC, NULL), 1);
	cr_expect_eq(f[0].module, row);
	space_close(sp);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

Test(symbolizer, seen_addresses_are_kept)
{
	struct framecache c = { 0 };
	const struct framecache_row *row;
	struct frame f[2];

	cr_expect_eq(framecache_get(&c, 1)->n, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		f[0] = (struct frame){ .line = i };
		f[1] = (struct frame){ .line = ~i };
		framecache_fill(&c, framecache_get(&c, i * 16), f, 1 + i % 2);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		row = framecache_get(&c, i * 16);
		cr_assert_eq(row->n, 1 + i % 2);
		cr_assert_eq(c.frames[row->first].line, i);
		cr_assert(i % 2 == 0 || c.frames[row->first + 1].line == ~i);
		if (i)
			cr_assert_eq(framecache_get(&c, i * 16 + 1)->n, 0);
	}
	framecache_release(&c);
}

Test(symbolizer, no_such_process)
{
	struct space *sp = NULL;

	cr_expect_eq(space_open(&sp, symbolizer, 0x3fffffff), -ESRCH);
	cr_expect_null(sp);
}

Test(symbolizer, kernel_addresses)
{
	char line[256], name[128];
	unsigned long long addr = 0;
	FILE *f = fopen("/proc/kallsyms", "r");
	struct frame frame;

	symbolizer_kernel(symbolizer, 1, &frame);
	cr_expect_eq(frame.kind, FRAME_KERNEL);
	cr_expect_eq(frame.func, 0);
	cr_expect_str_eq(module_of(&frame), "[kernel]");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx T %127s", &addr, name) == 2 &&
		    !strcmp(name, "vfs_read"))
			break;
	if (f)
		fclose(f);
	if (!addr || strcmp(name, "vfs_read")) {
		cr_expect_not_null(symbolizer_kernel_why(symbolizer));
		cr_skip_test("no kernel symbols here");
	}
	for (int i = 0; i < 2; i++) {
		symbolizer_kernel(symbolizer, addr + 4, &frame);
		cr_expect_str_eq(strtab_get(strs, frame.func), "vfs_read");
		cr_expect_eq(frame.addr, addr + 4);
	}
	cr_expect_null(symbolizer_kernel_why(symbolizer));
}
