/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real tables cut short at every length, and with every byte that leads to the rest
 * changed: nothing outside is read (ASan watches), nothing crashes, nothing takes long.
 * Thinned here; SWEEP=1 in the environment tries everything.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "symbolizer/elf.h"
#include "tests/fuzz/table.h"
#include "tests/unit/go_binary.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   (void)(p)
#define ASAN_UNPOISON_MEMORY_REGION(p, n) (void)(p)
#endif

enum { STEP_SECONDS = 20 }; /* the most for one look-up in a broken program */

struct program {
	struct elf *elf;
	struct gopclntab *t;
	struct cursor table;
	uint64_t last; /* an address in the last function */
};

static int last_function(void *arg, const struct func *f)
{
	*(uint64_t *)arg = f->addr + f->size / 2;
	return 0;
}

/* false: this program is not here */
static bool program_open(struct program *p, const char *path)
{
	struct binary b = { .path = "", .root = "" };
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	const char *why;
	uint64_t vaddr;
	void *self;

	if (fd < 0)
		return false;
	cr_assert_eq(elf_open(&p->elf, fd), 0);
	close(fd);
	b.elf = p->elf;
	cr_assert_eq(gopclntab_resolver.open(&self, &b, &why), 0, "%s", why);
	p->t = self;
	cr_assert(elf_section(p->elf, ".gopclntab", &vaddr, &p->table));
	gopclntab_resolver.each(self, last_function, &p->last);
	return true;
}

static void program_close(struct program *p)
{
	gopclntab_resolver.close(p->t);
	elf_close(p->elf);
}

static bool thinned(void)
{
	return !getenv("SWEEP");
}

static void ask(struct gopclntab *t, uint64_t last)
{
	table_ask_all(t, 4);
	for (uint64_t addr = last - 64; addr <= last; addr += 16)
		table_ask_at(t, addr);
}

static void cut_at(const struct program *p, uint8_t *bytes, size_t len)
{
	size_t funcdata = (size_t)(p->t->funcdata.data - p->table.data);
	struct gopclntab t;

	if (gopclntab_parse(&t, cursor_over(bytes, len), p->t->minor))
		return;
	t.text = p->t->text;
	t.elf = p->t->elf;
	t.skew = p->t->skew;
	t.funcdata = p->t->funcdata;
	/* since Go 1.26 they are in the table */
	if (t.funcdata.len && funcdata < p->table.len)
		t.funcdata = funcdata < len ? cursor_over(bytes + funcdata, len - funcdata)
					    : (struct cursor){ 0 };
	ask(&t, p->last);
}

/* Calls fn for all beginnings of len bytes of data, each shorter by stride; nothing behind
 * them can be read. Returns how many. */
static uint32_t cut_bytes(const struct program *p, const uint8_t *data, size_t len,
			  size_t stride,
			  void (*fn)(const struct program *p, uint8_t *bytes, size_t len))
{
	size_t room = (len + 7) & ~(size_t)7;
	uint8_t *bytes = mem_zalloc(room);
	uint32_t n = 0;

	memcpy(bytes, data, len);
	for (size_t left = len; left <= len; left -= stride, n++) {
		ASAN_POISON_MEMORY_REGION(bytes + left, room - left);
		alarm(STEP_SECONDS);
		fn(p, bytes, left);
	}
	ASAN_UNPOISON_MEMORY_REGION(bytes, room);
	free(bytes);
	return n;
}

static uint32_t cut_table(const char *path, size_t stride)
{
	struct program p;
	uint32_t n;

	if (!program_open(&p, path))
		return 0;
	n = cut_bytes(&p, p.table.data, p.table.len, stride, cut_at);
	program_close(&p);
	return n;
}

/* The program in bytes, in its current state. */
static void try_program(const uint8_t *bytes, size_t len, uint64_t last)
{
	struct binary b = { .path = "", .root = "" };
	const char *why;
	struct elf *e;
	void *self;

	alarm(STEP_SECONDS);
	if (elf_parse(&e, bytes, len))
		return;
	b.elf = e;
	if (!gopclntab_resolver.open(&self, &b, &why)) {
		ask(self, last);
		gopclntab_resolver.close(self);
	}
	elf_close(e);
}

static void cut_program_at(const struct program *p, uint8_t *bytes, size_t len)
{
	try_program(bytes, len, p->last);
}

static uint32_t cut_file(const char *path, size_t stride)
{
	struct program p;
	uint32_t n;

	if (!program_open(&p, path))
		return 0;
	n = cut_bytes(&p, p.elf->data, p.elf->size, stride, cut_program_at);
	program_close(&p);
	return n;
}

struct span {
	size_t at, len; /* in the file */
};

/* Many words point to the table, but only this one is followed by its length. */
static size_t moduledata_offset(const struct program *p)
{
	size_t len_at = 8 * (p->t->format == FORMAT_12 ? 4 : 17);
	uint64_t vaddr, len = p->t->n_funcs + 1ull;

	cr_assert(elf_vaddr(p->elf, (uint64_t)(p->table.data - p->elf->data), &vaddr));
	for (size_t at = 0; at + len_at + 8 <= p->elf->size; at += 8)
		if (!memcmp(p->elf->data + at, &vaddr, 8) &&
		    !memcmp(p->elf->data + at + len_at, &len, 8))
			return at;
	cr_assert_fail("no moduledata");
	return 0;
}

/* What leads to the rest: headers, functab's first rows, the first function. */
static void spans_find(const struct program *p, struct span spans[5])
{
	const struct gopclntab *t = p->t;
	size_t funcs = (size_t)(t->funcs.data - p->elf->data);
	bool wide = t->format <= FORMAT_116;
	struct cursor row = t->funcs;
	uint64_t func;

	cursor_seek(&row, t->functab + (wide ? 8 : 4));
	func = wide ? cursor_u64(&row) : cursor_u32(&row);
	spans[0] = (struct span){ 0, 64 + 56 * 10 }; /* of ELF */
	spans[1] = (struct span){ (size_t)(p->table.data - p->elf->data), 72 };
	spans[2] = (struct span){ funcs + t->functab, 8 * (wide ? 16 : 8) };
	spans[3] = (struct span){ funcs + func, 96 };
	spans[4] = (struct span){ moduledata_offset(p), 8 * 50 };
}

static uint32_t change_bytes(const char *path, size_t stride)
{
	static const uint8_t values[] = { 0x00, 0x7f, 0xff };
	struct span spans[5];
	struct program p;
	uint32_t n = 0;
	uint8_t *bytes;

	if (!program_open(&p, path))
		return 0;
	bytes = mem_zalloc(p.elf->size);
	memcpy(bytes, p.elf->data, p.elf->size);
	spans_find(&p, spans);
	for (int s = 0; s < 5; s++)
		for (size_t i = 0; i < 3 * spans[s].len; i += stride, n++) {
			size_t at = spans[s].at + i / 3;

			bytes[at] = values[i % 3];
			try_program(bytes, p.elf->size, p.last);
			bytes[at] = p.elf->data[at];
		}
	free(bytes);
	program_close(&p);
	return n;
}

static void sweep(const char *path, size_t cut, size_t cut_elf, size_t change)
{
	uint32_t lengths = cut_table(path, thinned() ? cut : 1);
	uint32_t files = cut_file(path, thinned() ? cut_elf : cut_elf / 200);
	uint32_t changes = change_bytes(path, thinned() ? change : 1);

	if (!lengths)
		cr_skip_test("no such program here");
	cr_log_info("%s: %u lengths, %u lengths of the file, %u changes", path, lengths,
		    files, changes);
	cr_assert(files && changes);
}

/* The strides are primes: all alignments and all values come up. */
Test(sweep, of_the_go_at_hand)
{
	sweep(go_binary(), 997, 20011, 17);
}

Test(sweep, of_one_table_without_regions)
{
	sweep(go_binary_of("1.15.15"), 4001, 50021, 31);
}

Test(sweep, of_regions_with_addresses)
{
	sweep(go_binary_of("1.16.15"), 4001, 50021, 31);
}

Test(sweep, of_a_table_that_holds_its_funcdata)
{
	sweep(go_binary_of("1.27.4"), 4001, 50021, 31);
}
