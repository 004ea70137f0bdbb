/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of C, C++, Rust and assembly: from .symtab, .dynsym, .gnu_debugdata or a
 * separate debug file, whichever libdwfl finds most symbols in. Lines and inlined calls
 * come from DWARF. Nothing is read before the first look-up. libdwfl searches all symbols
 * for each address, so we sort them once.
 */
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/debugfile.h"
#include "symbolizer/debuginfo.h"
#include "symbolizer/demangle.h"
#include "symbolizer/elf.h"
#include "symbolizer/ranges.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

struct symbol {
	struct range range; /* in the file; symbols may be nested */
	const char *name;   /* in the image of a file that dwfl owns */
	uint8_t rank; /* of several symbols at an address the highest gives the name */
	bool sized;
};

struct symtab {
	const struct elf *elf;
	const char *path;
	struct debugfile debug;
	bool tried; /* the fields below are set */
	Dwfl *dwfl;
	Dwfl_Module *module;
	GElf_Addr bias; /* difference between dwfl's addresses and the file's */
	struct symbol *symbols;
	uint32_t n, cap;
	bool whole; /* has local symbols too, so the symbol after each one is known */
	bool info_tried;
	struct debuginfo *info; /* NULL: none */
	GElf_Addr info_bias;    /* difference between info's addresses and the file's */
};

static const Dwfl_Callbacks callbacks = { .find_debuginfo = debugfile_find };

/* Does the name end in its file? */
static bool name_ends(Elf *e, const char *name)
{
	size_t size = 0;
	const char *file = elf_rawfile(e, &size);

	return file && name >= file && name < file + size &&
	       memchr(name, 0, (size_t)(file + size - name));
}

/* As in perf: with a size, then global, weak, local; then fewest underscores. */
static uint8_t rank_of(const GElf_Sym *sym, const char *name)
{
	unsigned bind = GELF_ST_BIND(sym->st_info);
	unsigned scope = bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0;
	size_t underscores = strspn(name, "_");

	return (uint8_t)((sym->st_size != 0) << 6 | scope << 4 |
			 (underscores < 15 ? 15 - underscores : 0));
}

static void add_symbol(struct symtab *t, int i)
{
	GElf_Word shndx = SHN_UNDEF;
	GElf_Addr addr, bias = 0;
	Elf *e = NULL;
	GElf_Shdr sh = { 0 };
	GElf_Sym sym;
	const char *name = dwfl_module_getsym_info(t->module, i, &sym, &addr, &shndx, &e,
						   &bias);
	unsigned type = name ? GELF_ST_TYPE(sym.st_info) : STT_FILE;

	t->whole |= name && GELF_ST_BIND(sym.st_info) == STB_LOCAL && type == STT_FUNC;
	if (!e || shndx == SHN_UNDEF || shndx == SHN_ABS ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
		return;
	/* without section headers only functions with a size are certainly code */
	gelf_getshdr(elf_getscn(e, shndx), &sh);
	if (!(sh.sh_flags & SHF_EXECINSTR) && (type == STT_NOTYPE || !sym.st_size))
		return;
	/* "$x" marks the start of ARM code or data */
	if (!name_ends(e, name) || !*name || *name == '$')
		return;
	*table_add(t->symbols, t->n, t->cap) = (struct symbol){
		.range.lo = addr - t->bias,
		.range.hi = (sym.st_size ? addr + sym.st_size
					 : sh.sh_addr + sh.sh_size + bias) -
			    t->bias,
		.name = name,
		.rank = rank_of(&sym, name),
		.sized = sym.st_size != 0,
	};
}

static int symbol_cmp(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return ascending(x->range.lo, y->range.lo) ?: y->rank - x->rank ?: strcmp(x->name, y->name);
}

/* Keeps one symbol per address. One without size extends to the next symbol if the table is
 * complete; inside another symbol it is a label, not a function. */
static void sort_symbols(struct symtab *t)
{
	uint64_t reach = 0;
	uint32_t n = 0;

	table_sort(t->symbols, t->n, symbol_cmp);
	for (uint32_t i = 0; i < t->n; i++) {
		struct symbol s = t->symbols[i], *last = n ? &t->symbols[n - 1] : NULL;
		uint64_t lo = s.range.lo;

		if (last && last->range.lo == lo)
			continue;
		if (last && !last->sized && last->range.hi > lo) {
			last->range.hi = lo;
			reach = n > 1 && last[-1].range.reach > lo ? last[-1].range.reach
								   : lo;
			last->range.reach = reach;
		}
		if (s.range.hi <= lo || (!s.sized && (reach > lo || !t->whole)))
			continue;
		if (reach < s.range.hi)
			reach = s.range.hi;
		s.range.reach = reach;
		t->symbols[n++] = s;
	}
	t->n = n;
}

static void read_symbols(struct symtab *t)
{
	void **arg;
	int n;

	t->tried = true;
	if (debugfile_heavy(t->elf, true))
		return;
	t->debug.heavy = debugfile_heavy(t->elf, false);
	t->dwfl = dwfl_begin(&callbacks);
	if (!t->dwfl)
		return;
	dwfl_report_begin(t->dwfl);
	/* libelf unpacks compressed sections and then changes their headers in the image */
	if (t->elf->map)
		mprotect(t->elf->map, t->elf->size, PROT_READ | PROT_WRITE);
	t->module = dwfl_report_offline_memory(
		t->dwfl, t->path, t->path, (char *)(uintptr_t)t->elf->data, t->elf->size);
	dwfl_report_end(t->dwfl, NULL, NULL);
	if (!t->module || !dwfl_module_getelf(t->module, &t->bias))
		return;
	dwfl_module_info(t->module, &arg, NULL, NULL, NULL, NULL, NULL, NULL);
	*arg = &t->debug;
	n = dwfl_module_getsymtab(t->module);
	t->debug.only_lines = true;
	for (int i = 1; i < n; i++)
		add_symbol(t, i);
	sort_symbols(t);
}

/* The DWARF, unless it is too expensive, or part of it is in a file that libdw would open
 * at whatever path the target's file states. NULL: none. */
static struct debuginfo *info_of(struct symtab *t)
{
	Dwarf_Addr bias = 0;
	const char *alt;
	const void *id;
	Dwarf *dw;

	if (t->info_tried || t->debug.heavy)
		return t->info;
	t->info_tried = true;
	dw = dwfl_module_getdwarf(t->module, &bias);
	if (dw && (t->debug.ours || dwelf_dwarf_gnu_debugaltlink(dw, &alt, &id) <= 0))
		t->info = debuginfo_new(dw);
	t->info_bias = t->bias - bias;
	return t->info;
}

static const char *line_at(struct symtab *t, uint64_t addr, uint32_t *line)
{
	struct debuginfo *info = info_of(t);
	const char *file = NULL;
	Dwfl_Line *l;
	int n = 0;

	*line = 0;
	if (!info || debuginfo_line(info, addr + t->info_bias, &file, line))
		return file ? file : "";
	/* units that do not state their addresses may be in .debug_aranges */
	l = dwfl_module_getsrc(t->module, addr + t->bias);
	file = l ? dwfl_lineinfo(l, NULL, &n, NULL, NULL, NULL) : NULL;
	if (!file || n <= 0)
		return file ? file : "";
	*line = (uint32_t)n;
	return file;
}

/* The line where the function at addr is declared; 0: unknown. */
static uint32_t start_line(struct symtab *t, uint64_t addr)
{
	struct debuginfo *info = info_of(t);

	return info ? debuginfo_start(info, addr + t->info_bias) : 0;
}

static int symtab_open(void **ret, const struct binary *b, const char **why)
{
	struct symtab *t;
	GElf_Ehdr eh;

	(void)why;
	if (!gelf_getehdr(b->elf->lib, &eh) ||
	    (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		return -ENOENT;
	t = mem_zalloc(sizeof(*t));
	t->elf = b->elf;
	t->path = b->path;
	t->debug.b = *b;
	*ret = t;
	return 0;
}

static int find(void *self, uint64_t addr, struct strtab *strs, struct frame *out, int cap)
{
	struct inlined_call calls[FRAMES_AT_PC];
	struct symtab *t = self;
	struct demangled d;
	const char *file;
	struct symbol *s;
	uint32_t line;
	int n = 0;

	if (!t->tried)
		read_symbols(t);
	s = ranges_find(t->symbols, t->n, sizeof(*s), addr);
	if (!s || !cap)
		return 0;
	if (info_of(t))
		n = debuginfo_inlined(t->info, addr + t->info_bias, calls,
				      cap < FRAMES_AT_PC ? cap - 1 : FRAMES_AT_PC - 1);
	file = line_at(t, addr, &line);
	for (int i = 0; i <= n; i++) {
		const char *name = i < n ? calls[i].name : s->name;

		out[i] = (struct frame){
			.addr = addr,
			.func = strtab_add(strs, demangle(&d, name)),
			.file = strtab_add(strs, file),
			.line = line,
			.start_line = i < n ? calls[i].start_line
					    : start_line(t, s->range.lo),
			.kind = FRAME_NATIVE,
			.inlined = i < n,
		};
		file = i < n ? calls[i].file : "";
		line = i < n ? calls[i].line : 0;
	}
	return n + 1;
}

static int symtab_find(void *self, uint64_t addr, struct strtab *strs, struct frame *out,
		       int cap)
{
	int n;

	guard_enter();
	n = find(self, addr, strs, out, cap);
	guard_leave();
	return n;
}

static int symtab_each(void *self, int (*fn)(void *arg, const struct func *f), void *arg)
{
	struct symtab *t = self;
	struct demangled d;
	int r = 0;

	guard_enter();
	if (!t->tried)
		read_symbols(t);
	for (uint32_t i = 0; !r && i < t->n; i++) {
		struct symbol *s = &t->symbols[i];
		uint64_t addr = s->range.lo;
		struct func f = { addr, s->range.hi - addr, demangle(&d, s->name), "", 0 };

		f.file = line_at(t, addr, &f.line);
		f.line = start_line(t, addr);
		r = fn(arg, &f);
	}
	guard_leave();
	return r;
}

static void symtab_close(void *self)
{
	struct symtab *t = self;

	if (!t)
		return;
	debuginfo_free(t->info);
	if (t->dwfl)
		dwfl_end(t->dwfl);
	free(t->symbols);
	free(t);
}

const struct resolver symtab_resolver = { "symtab", symtab_open, symtab_find, symtab_each,
					  symtab_close };
