/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "symbolizer/maps.h"

static struct cursor over(const char *text)
{
	return cursor_over(text, strlen(text));
}

Test(maps, every_line_is_a_mapping)
{
	struct cursor c = over(
		"00400000-0047c000 r--p 00000000 fe:01 1234    /usr/bin/prog\n"
		"0047c000-00500000 r-xp 0007c000 fe:01 1234    /usr/bin/prog\n"
		"c000000000-c000400000 rw-p 00000000 00:00 0 \n"
		"7ffe0000-7fff0000 rwxp 00000000 00:00 0 \n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0         [vsyscall]");
	struct mapping m;

	cr_assert(maps_next(&c, &m) && !m.executable && !m.writable);
	cr_assert(maps_next(&c, &m) && m.executable && !m.writable);
	cr_assert_eq(m.start, 0x47c000);
	cr_assert_eq(m.end, 0x500000);
	cr_assert_eq(m.offset, 0x7c000);
	cr_assert_eq(m.inode, 1234);
	cr_assert(mapping_is(&m, "/usr/bin/prog"));
	cr_assert_not(m.deleted);
	cr_assert(maps_next(&c, &m) && !m.executable && m.writable);
	cr_assert(maps_next(&c, &m) && m.executable && m.writable);
	cr_assert_eq(m.start, 0x7ffe0000);
	cr_assert(mapping_is(&m, ""));
	cr_assert(maps_next(&c, &m), "the last line may lack its newline");
	cr_assert_eq(m.end, 0xffffffffff601000);
	cr_assert(mapping_is(&m, "[vsyscall]"));
	cr_assert_not(maps_next(&c, &m));
}

Test(maps, names_may_be_odd)
{
	struct cursor c = over("1000-2000 r-xp 00000000 fe:01 7   /a b/ (deleted) c\n"
			       "2000-3000 r-xp 00000000 fe:01 7   /gone (deleted)\n"
			       "3000-4000 r-xp 00000000 fe:01 7   /new\\012line\n"
			       "4000-5000 r-xp 00000000 00:00 0   [x (deleted)\n");
	struct mapping m;

	cr_assert(maps_next(&c, &m) && mapping_is(&m, "/a b/ (deleted) c") && !m.deleted);
	cr_assert(maps_next(&c, &m) && mapping_is(&m, "/gone") && m.deleted);
	cr_assert(maps_next(&c, &m) && mapping_is(&m, "/new\\012line"));
	cr_assert(maps_next(&c, &m) && mapping_is(&m, "[x (deleted)"),
		  "no file was deleted");
}

Test(maps, broken_lines_are_passed_over)
{
	struct cursor c = over(
		"\n"
		"1000\n"
		"1000-2000 r-xp\n"
		"2000-1000 r-xp 00000000 fe:01 7 /backwards\n"
		"1000-2000 r-xp zz fe:01 7 /no-number\n"
		"11111111111111111111111-ffffffffffffffff r-xp 00000000 fe:01 7 /long\n"
		"1000-2000 r-xp 00000000 fe:01 7 /good\n");
	struct mapping m;

	cr_assert(maps_next(&c, &m) && mapping_is(&m, "/good"));
	cr_assert_not(maps_next(&c, &m));
}

Test(maps, this_function_is_in_ours)
{
	struct buf text = { 0 };
	uint64_t here = (uint64_t)over;
	struct mapping m;
	struct cursor c;
	int found = 0;

	cr_assert_eq(file_read(AT_FDCWD, "/proc/self/maps", 1 << 24, &text), 0);
	c = cursor_over(text.data, text.len);
	while (maps_next(&c, &m))
		found += m.start <= here && here < m.end;
	cr_assert_eq(found, 1);
	buf_release(&text);
}
