/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "symbolizer/elf.h"

static int marker;
static volatile unsigned read_back;

static struct elf *open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf *e = NULL;

	cr_assert(fd >= 0 && !elf_open(&e, fd));
	close(fd);
	return e;
}

Test(elf, reads_code_and_sections_of_this_program)
{
	struct elf *e = open_self();
	struct cursor text, at;
	uint64_t vaddr, back;

	cr_assert(elf_section(e, ".text", &vaddr, &text));
	at = elf_at(e, vaddr);
	cr_assert_eq(at.data, text.data);
	cr_assert(elf_vaddr(e, (uint64_t)(text.data - e->data), &back));
	cr_assert_eq(back, vaddr);
	cr_assert_not(elf_section(e, ".bss", &vaddr, &text), "it has no bytes");
	cr_assert_not(elf_section(e, ".no-such", &vaddr, &text));
	cr_assert(elf_at(e, UINT64_MAX).bad);
	cr_assert_not(elf_vaddr(e, UINT64_MAX, &back));
	cr_assert(elf_code_offset(e, vaddr, &back));
	cr_assert_eq(back, (uint64_t)(text.data - e->data));
	cr_assert_not(elf_code_offset(e, UINT64_MAX, &back));
	cr_assert(elf_section(e, ".data", &vaddr, &text));
	cr_assert_not(elf_code_offset(e, vaddr, &back), "data is not code");
	elf_close(e);
}

/* This program's code is mapped where /proc/self/maps says, minus the load bias. */
Test(elf, text_is_what_the_kernel_maps)
{
	struct elf *e = open_self();
	struct text_pages text = elf_text(e);
	unsigned long start, end, offset;
	char line[512], mode[8];
	struct link_map *map;
	bool found = false;
	Dl_info info;
	FILE *f = fopen("/proc/self/maps", "r");

	cr_assert(f && dladdr1(&marker, &info, (void **)&map, RTLD_DL_LINKMAP));
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%lx-%lx %7s %lx", &start, &end, mode, &offset) == 4 &&
			mode[2] == 'x' && (uintptr_t)open_self >= start &&
			(uintptr_t)open_self < end;
	fclose(f);
	cr_assert(found);
	cr_expect_eq(text.start, start - map->l_addr);
	cr_expect_eq(text.limit, end - map->l_addr);
	cr_expect_eq(text.offset, offset);
	elf_close(e);
}

/* An initialized pointer of a PIE is a RELATIVE relocation, whatever the word in the
 * file is. */
static int *volatile pointer = &marker;

Test(elf, words_are_what_the_loader_makes_of_them)
{
	struct elf *e = open_self();
	struct link_map *map;
	uint64_t value;
	Dl_info info;

	cr_assert(dladdr1(&marker, &info, (void **)&map, RTLD_DL_LINKMAP));
	cr_assert(elf_word(e, (uint64_t)&pointer - map->l_addr, &value));
	cr_assert_eq(value, (uint64_t)&marker - map->l_addr);
	cr_assert_not(elf_word(e, 1, &value) && elf_word(e, UINT64_MAX - 3, &value));
	elf_close(e);
}

Test(elf, build_id_is_that_of_the_notes)
{
	int fd = open("/lib64/ld-linux-x86-64.so.2", O_RDONLY | O_CLOEXEC);
	struct cursor note;
	struct elf *e;
	uint64_t vaddr;
	char hex[65];

	if (fd < 0)
		cr_skip_test("not an x86-64 system");
	cr_assert_eq(elf_open(&e, fd), 0);
	close(fd);
	cr_assert(elf_section(e, ".note.gnu.build-id", &vaddr, &note));
	for (int i = 0; i < 20; i++)
		sprintf(hex + 2 * i, "%02x", note.data[16 + i]);
	cr_assert_str_eq(e->build_id, hex);
	elf_close(e);
}

/* As Go's linker writes them: the section of the note is in no segment of notes. */
Test(elf, build_id_outside_of_segments_of_notes)
{
	struct buf file = { 0 };
	struct elf *e, *same;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;

	cr_assert_eq(file_read(AT_FDCWD, "/lib64/ld-linux-x86-64.so.2", 1 << 24, &file), 0);
	cr_assert_eq(elf_parse(&e, file.data, file.len), 0);
	eh = (Elf64_Ehdr *)file.data;
	ph = (Elf64_Phdr *)(file.data + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_NOTE)
			ph[i].p_type = PT_NULL;
	cr_assert_eq(elf_parse(&same, file.data, file.len), 0);
	cr_expect(*same->build_id);
	cr_expect_str_eq(same->build_id, e->build_id);
	elf_close(same);
	elf_close(e);
	buf_release(&file);
}

Test(elf, what_is_no_elf_is_refused)
{
	struct elf *e = NULL;
	uint8_t header[64] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(elf_open(&e, fd), -ENOEXEC);
	close(fd);
	cr_assert_eq(elf_parse(&e, "#!/bin/sh\n", 10), -ENOEXEC);
	cr_assert_eq(elf_parse(&e, header, sizeof(header)), -ENOEXEC, "32 bits");
	cr_assert_null(e);
}

/* The memory ends where the file does, so ASan sees a read of one byte too many. */
Test(elf, a_file_cut_short_reads_nothing_past_its_end)
{
	struct buf file = { 0 };
	struct cursor bytes;
	uint64_t vaddr;
	struct elf *e;

	cr_assert_eq(file_read(AT_FDCWD, "/lib64/ld-linux-x86-64.so.2", 1 << 24, &file), 0);
	for (size_t len = 0; len < file.len; len += len < 4096 ? 1 : 997) {
		uint8_t *copy = mem_zalloc(len);

		memcpy(copy, file.data, len);
		if (!elf_parse(&e, copy, len)) {
			for (uint32_t i = 0; i < e->n_segments; i++) {
				bytes = elf_segment_bytes(e, i);
				cr_assert(e->segments[i].offset + bytes.len <= len);
				read_back += bytes.len ? bytes.data[bytes.len - 1] : 0;
			}
			elf_section(e, ".text", &vaddr, &bytes);
			elf_close(e);
		}
		free(copy);
	}
	buf_release(&file);
}

static void cut_and_restore(const char *path, off_t size)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (truncate(path, 4096) || truncate(path, size))
			_exit(1);
	}
}

Test(elf, a_file_truncated_while_it_is_opened_gives_nothing)
{
	char path[] = "/tmp/test_elf.XXXXXX";
	struct elf *before = (void *)path, *e;
	int fd = mkstemp(path), err = 0, status;
	struct buf file = { 0 };
	pid_t cutter;

	cr_assert(fd >= 0 && !file_read(AT_FDCWD, "/proc/self/exe", 1 << 28, &file));
	cr_assert_eq(write(fd, file.data, file.len), (ssize_t)file.len);
	cutter = fork();
	if (!cutter)
		cut_and_restore(path, (off_t)file.len);
	for (int i = 0; i < 1000000 && err != -ESTALE; i++) {
		e = before;
		err = elf_open(&e, fd);
		cr_assert(!err || e == before, "it is closed already");
		if (!err)
			elf_close(e);
	}
	kill(cutter, SIGKILL);
	waitpid(cutter, &status, 0);
	cr_expect_eq(err, -ESTALE);
	close(fd);
	unlink(path);
	buf_release(&file);
}
