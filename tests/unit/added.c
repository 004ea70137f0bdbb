/* SPDX-License-Identifier: BSD-2-Clause */
/* Modules that a process has added to its Go runtime; this test is that process. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/strtab.h"
#include "symbolizer/object.h"
#include "symbolizer/space.h"

enum {
	CODE_BYTES = 64 << 10,
	MINOR = 22,
	/* words of a moduledata of Go 1.22 */
	NAMES = 1,
	PCTAB = 10,
	FUNCS = 13,
	FUNCTAB = 16,
	MINPC = 20,
	MAXPC = 21,
	TEXT = 22,
	GOFUNC = 40,
	NEXT = 73,
};

/* The memory of a module with two functions of 16 bytes each. */
struct module {
	uint64_t words[74];
	uint32_t header[4];
	char names[24];
	uint8_t pctab[8];
	uint32_t functab[6];
	struct {
		uint32_t entry, name, args, deferreturn, pcsp, pcfile, pcln, n_pcdata, cu;
		uint32_t start_line;
		uint8_t id, flag, pad, n_funcdata;
	} funcs[2];
};

static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct space *space;
static struct object program, anon;
static struct gopclntab table;
static struct module first;
static uint8_t *code;

static uint64_t at(const void *p)
{
	return (uintptr_t)p;
}

static void region(struct module *m, int word, const void *p, size_t n)
{
	m->words[word] = at(p);
	m->words[word + 1] = m->words[word + 2] = n;
}

static void make(struct module *m, uint8_t *text, const char *name, struct module *next)
{
	*m = (struct module){ .header = { 0xfffffff1, 8u << 24 | 1 << 16, 2 },
			      .pctab = { 0, 2, 4, 16, 12, 0 } /* 0, after 4 bytes 8 */,
			      .functab = { 0, 0, 16, 44, 32 } };
	snprintf(m->names + 1, sizeof(m->names) - 1, "%s", name);
	for (int i = 0; i < 2; i++)
		m->funcs[i].name = m->funcs[i].pcsp = 1;
	m->words[0] = at(m->header);
	region(m, NAMES, m->names, sizeof(m->names));
	region(m, PCTAB, m->pctab, sizeof(m->pctab));
	region(m, FUNCS, m->funcs, sizeof(m->funcs));
	region(m, FUNCTAB, m->functab, 3);
	m->words[MINPC] = m->words[TEXT] = at(text);
	m->words[MAXPC] = at(text) + 32;
	m->words[NEXT] = at(next);
}

static void setup(void)
{
	strs = strtab_new();
	symbolizer = symbolizer_new(strs);
	code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	cr_assert_neq(code, MAP_FAILED);
	make(&first, NULL, "main.main", NULL);
	table = (struct gopclntab){ .format = FORMAT_120,
				    .minor = MINOR,
				    .magic = 0xfffffff1,
				    .quantum = 1,
				    .wrapper = 22,
				    .module = at(&first) };
	program = (struct object){ .go = &table, .runtime = true };
	anon = (struct object){ .path = (char *)"[anon]" };
	space = calloc(1, sizeof(*space));
	space->s = symbolizer;
	space->pid = space->thread = getpid();
	space->n_runtimes = 1;
	space->runtimes[0].object = &program;
}

static void teardown(void)
{
	free(space->areas);
	added_release(&space->added);
	free(space);
	munmap(code, CODE_BYTES);
	symbolizer_close(symbolizer);
	strtab_free(strs);
}

TestSuite(added, .init = setup, .fini = teardown, .timeout = 20);

/* Does what space_refresh() does. */
static void refresh_maps(bool executable)
{
	struct space before = *space;

	space->areas = NULL;
	space->n_areas = space->cap_areas = 0;
	if (executable)
		*table_add(space->areas, space->n_areas, space->cap_areas) = (struct area){
			.start = at(code), .end = at(code) + CODE_BYTES, .object = &anon
		};
	space->generation++;
	added_find(space, &before);
	free(before.areas);
}

static void refresh(void)
{
	refresh_maps(true);
}

/* The name of the function at an address; "": none. */
static const char *name(const uint8_t *p)
{
	struct frame f[FRAMES_AT_PC];
	int n = symbolizer_user(symbolizer, space, at(p), f, FRAMES_AT_PC, NULL);

	cr_assert_eq(n, 1);
	return strtab_get(strs, f[0].func);
}

static enum space_code code_of(const uint8_t *p)
{
	return space_code(space, at(p));
}

#define expect_name(p, want) \
	cr_expect_str_eq(name(p), want, "%s at %s: %s", want, #p, name(p))

Test(added, what_is_known_of_a_module)
{
	struct module m;
	struct go_pc pc;

	make(&m, code + 4096, "jit.f", NULL);
	first.words[NEXT] = at(&m);
	refresh();
	expect_name(code + 4095, "");
	expect_name(code + 4096, "jit.f");
	expect_name(code + 4096 + 31, "jit.f");
	expect_name(code + 4096 + 32, "");
	cr_expect_eq(code_of(code + 4100), CODE_ADDED);
	cr_expect_eq(code_of(code), CODE_BARE);
	cr_expect_eq(code_of(code - 1), CODE_OF_FILE);
	cr_expect(space_is_go(space, at(code + 4096)));
	cr_expect(space_go_pc(space, at(code + 4096 + 17), &pc));
	cr_expect_eq(pc.entry, at(code + 4096 + 16));
	cr_expect(pc.mapped && pc.code == CODE_ADDED);
	cr_expect(space_go_pc(space, at(code + 4096 + 3), &pc) && pc.spdelta == 0);
	cr_expect(space_go_pc(space, at(code + 4096 + 4), &pc) && pc.spdelta == 8);
	cr_expect_not(space_go_pc(space, at(code), &pc));
	cr_expect(pc.mapped && pc.code == CODE_BARE && !pc.entry);
	/* the name that it gives itself means nothing */
	strcpy(m.names + 1, "runtime.goexit");
	m.words[GOFUNC] = 1; /* otherwise it is the same as before */
	refresh();
	cr_expect(space_go_pc(space, at(code + 4096), &pc) && pc.kind == FRAME_GO);
	expect_name(code + 4096, "runtime.goexit");
}

Test(added, inlined_calls)
{
	struct {
		struct module m;
		uint32_t tables[2][8]; /* of each _func: pcdata, funcdata */
	} big;
	struct module *m = &big.m;
	uint8_t funcs[2 * 80] = { 0 };
	uint32_t tree[4] = { 0, 1, 0, 7 }; /* funcID, name, parentPc, startLine */
	struct frame f[FRAMES_AT_PC];

	make(m, code, "jit.f", NULL);
	for (int i = 0; i < 2; i++) {
		m->funcs[i].n_pcdata = 3;
		m->funcs[i].n_funcdata = 4;
		big.tables[i][2] = 6; /* InlTreeIndex */
		for (int j = 3; j < 7; j++)
			big.tables[i][j] = UINT32_MAX;
		big.tables[i][6] = 0; /* InlTree */
		memcpy(funcs + 80 * i, &m->funcs[i], 44);
		memcpy(funcs + 80 * i + 44, big.tables[i], 28);
	}
	m->functab[3] = 80;
	memcpy(m->pctab + 6, (uint8_t[]){ 2, 16 }, 2); /* all of it is inlined */
	region(m, FUNCS, funcs, sizeof(funcs));
	m->words[GOFUNC] = at(tree);
	first.words[NEXT] = at(m);
	refresh();
	cr_assert_eq(space->added.n_modules, 1);
	cr_expect_eq(space->added.modules[0]->table.funcdata.len, 16);
	cr_expect_geq(
		symbolizer_user(symbolizer, space, at(code + 8), f, FRAMES_AT_PC, NULL), 1);
	/* if that is unreadable, the function still has its name */
	m->words[GOFUNC] = 1;
	refresh();
	expect_name(code + 8, "jit.f");
}

Test(added, code_that_changes_loses_its_names)
{
	struct module m, other;

	make(&m, code, "jit.old", NULL);
	first.words[NEXT] = at(&m);
	refresh();
	cr_expect_not(space_code_changed(space, at(code + 8), true));
	code[5] ^= 1;
	cr_expect(space_code_changed(space, at(code + 8), false));
	expect_name(code + 8, "");
	refresh();
	expect_name(code + 8, "");
	code[5] ^= 1; /* unknown */
	refresh();
	expect_name(code + 8, "");
	make(&other, code, "jit.new", NULL);
	first.words[NEXT] = at(&other);
	cr_expect(space_code_changed(space, at(code + 8), true));
	refresh();
	expect_name(code + 8, "jit.new");
}

/* A compiler makes its memory writable while it writes, and the maps may be read then. */
Test(added, code_that_changes_while_it_is_not_executable)
{
	struct module m;

	make(&m, code, "jit.f", NULL);
	first.words[NEXT] = at(&m);
	refresh();
	cr_expect_str_eq(name(code), "jit.f");
	refresh_maps(false);
	refresh();
	cr_expect_str_eq(name(code), "jit.f", "its code is the same");
	refresh_maps(false);
	code[8] ^= 1;
	refresh();
	cr_expect_str_eq(name(code), "");
	refresh();
	cr_expect_str_eq(name(code), "");
}

Test(added, the_list_is_asked_again)
{
	struct module m, other;
	struct go_pc pc;

	make(&m, code, "jit.f", NULL);
	make(&other, code + 4096, "jit.g", NULL);
	first.words[NEXT] = at(&m);
	refresh();
	cr_expect_not(space_code_changed(space, at(code + 4096), true));
	space_go_pc(space, at(code), &pc);
	cr_expect_eq(pc.since, 0, "it was there at the first sight");
	m.words[NEXT] = at(&other);
	cr_expect_not(space_code_changed(space, at(code + 4096), false));
	cr_expect(space_code_changed(space, at(code + 4096), true));
	expect_name(code, "");
	refresh();
	expect_name(code, "jit.f");
	expect_name(code + 4096, "jit.g");
	space_go_pc(space, at(code + 4096), &pc);
	cr_expect(pc.since && pc.since <= clock_now_ns(),
		  "older samples may be of other code");
	first.words[NEXT] = 0;
	cr_expect(space_code_changed(space, at(code), true));
	refresh();
	expect_name(code, "");
}

static void expect_none(const char *what)
{
	refresh();
	cr_expect_str_eq(name(code + 8), "", "%s", what);
	cr_expect_leq(space->added.n_links, ADDED_LINKS);
	cr_expect_leq(space->added.size, ADDED_BYTES);
	space_code_changed(space, at(code + 8), true);
}

Test(added, lists_that_lead_nowhere)
{
	static const uint64_t bad[] = { 1,          8,     4096,      0x7ffffffff000,
					1ull << 63, -8ull, UINT64_MAX };
	struct module m, other;

	make(&m, code, "jit.f", NULL);
	first.words[NEXT] = at(&m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m.words[NEXT] = bad[i];
		refresh();
		expect_name(code + 8, "jit.f");
		first.words[NEXT] = bad[i];
		expect_none("behind a bad address");
		first.words[NEXT] = at(&m);
	}
	m.words[NEXT] = at(&m);
	expect_none("a module that follows itself");
	make(&other, code + 4096, "jit.g", &m);
	m.words[NEXT] = at(&other);
	expect_none("two that follow each other");
	m.words[NEXT] = at(&first);
	expect_none("back to the first");
}

Test(added, modules_that_are_none)
{
	static const struct {
		int word;
		uint64_t value;
	} bad[] = {
		{ 0, 0 },
		{ 0, 1ull << 63 },
		{ NAMES, 16 },
		{ NAMES + 1, 1u << 31 },
		{ NAMES + 1, UINT64_MAX },
		{ PCTAB + 1, 1ull << 40 },
		{ FUNCS, 0 },
		{ FUNCS + 1, 64 << 20 },
		{ FUNCTAB + 1, 0 },
		{ FUNCTAB + 1, 1 },
		{ FUNCTAB + 1, 4 },
		{ FUNCTAB + 1, 1ull << 61 },
		{ MINPC, 0 },
		{ MAXPC, 0 },
		{ MAXPC, UINT64_MAX },
		{ TEXT, UINT64_MAX },
	};
	struct module m, good;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		make(&m, code, "jit.f", NULL);
		first.words[NEXT] = at(&m);
		m.words[bad[i].word] = bad[i].value;
		expect_none("a bad word");
	}
	for (int i = 0; i < 3; i++) {
		make(&m, code, "jit.f", NULL);
		m.header[i]++;
		expect_none("a bad header");
	}
	make(&m, code, "jit.f", NULL);
	m.functab[2] = 40;
	expect_none("functions that are not in order");
	make(&m, code, "jit.f", NULL);
	memset(m.names, 'x', sizeof(m.names));
	expect_none("a name without an end");
	make(&good, code, "jit.f", NULL);
	first.words[NEXT] = at(&good);
	refresh();
	expect_name(code + 8, "jit.f");
}

Test(added, two_that_claim_the_same_code)
{
	struct module m, other, third;

	make(&third, code + 64, "jit.h", NULL);
	make(&other, code + 16, "jit.g", &third);
	make(&m, code, "jit.f", &other);
	first.words[NEXT] = at(&m);
	refresh();
	expect_name(code + 8, "");
	expect_name(code + 24, "");
	expect_name(code + 64, "jit.h");
}

Test(added, there_are_limits)
{
	enum { N = 5000 };
	struct module *many = calloc(N, sizeof(*many));
	uint64_t start = clock_now_ns();

	for (int i = 0; i < N; i++)
		make(&many[i], code + i % (CODE_BYTES / 32) * 32, "jit.f",
		     i < N - 1 ? &many[i + 1] : NULL);
	first.words[NEXT] = at(many);
	refresh();
	refresh();
	cr_expect_eq(space->added.n_links, ADDED_LINKS);
	cr_expect_lt(space->n_areas, 2 * ADDED_LINKS + 2);
	/* all of the text, again and again */
	for (int i = 0; i < 200; i++) {
		make(&many[i], code, "jit.f", &many[i + 1]);
		many[i].functab[4] = CODE_BYTES;
		many[i].words[MAXPC] = at(code) + CODE_BYTES;
	}
	many[199].words[NEXT] = 0;
	refresh();
	cr_expect_leq(space->added.size, ADDED_BYTES);
	cr_expect_gt(space->added.n_modules, 10);
	/* one more before the existing ones */
	for (int i = 400; i < 500; i++) {
		make(&many[i], code, "jit.f", &many[i == 499 ? 0 : i + 1]);
		many[i].functab[4] = CODE_BYTES;
		many[i].words[MAXPC] = at(code) + CODE_BYTES;
	}
	first.words[NEXT] = at(&many[400]);
	many[199].words[NEXT] = at(&many[200]);
	for (int i = 200; i < 400; i++)
		many[i].words[NEXT] = i < 399 ? at(&many[i + 1]) : 0;
	refresh();
	cr_expect_leq(space->added.size, ADDED_BYTES);
	cr_expect_lt(clock_now_ns() - start, 10000000000);
	free(many);
}
