/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdw finds the unit of an address by .debug_aranges, which clang and rustc leave out,
 * and inlined calls by walking the unit's DIEs each time. So we keep tables of both. Ranges
 * of units and functions are sorted by address and may be nested.
 */
#include "symbolizer/debuginfo.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "symbolizer/ranges.h"

enum {
	DEPTH_MAX = 128,         /* nesting of DIEs */
	ORIGINS_MAX = 16,        /* steps from an inlined call to the DIE with its name */
	RANGES_MAX = 1 << 19,    /* of all units */
	FUNCTIONS_MAX = 1 << 17, /* of a unit */
	CALLS_MAX = 1 << 16,     /* of a function */
	UNIT_MAX = 16 << 20,     /* bytes of the longest unit that is read */
	/* bytes; beyond, the tables of all units are dropped and rebuilt */
	TABLES_MAX = 16 << 20,
	ATTRS_MAX = 32,        /* of a DIE: attributes may take no bytes but do take time */
	ABBREVS_MAX = 1 << 14, /* of a unit */
	ABBREV_WORK = 64,      /* bytes that libdw allocates for one */
	/* Bytes of DWARF processed for a file, some of them repeatedly. A compiler's DWARF
	 * takes 5 ns per byte, other DWARF may take 100 or more, so time is limited too. */
	WORK_MAX = 512 << 20,
	SPENT_MAX_MS = 2000,
	WORK_STEP = 64 << 10, /* between two readings of the clock */
	RANGE_WORK = 16,      /* a range costs as much as this many bytes */
};

struct call {
	uint64_t lo, hi;
	uint32_t die, parent; /* offsets in the unit; parent 0: the function */
};

struct function {
	struct range range;
	uint32_t die; /* offset in the unit */
	bool tried;
	struct call *calls; /* in DWARF order: each after the call that contains it */
	uint32_t n, cap;
};

struct unit {
	Dwarf_Off offset;
	uint64_t size;
	Dwarf_Die die;
	bool checked, good; /* good: its abbreviations passed the check */
	bool tried, deep;   /* deep: also functions inside functions */
	struct function *functions;
	uint32_t n, cap;
};

struct unit_range {
	struct range range;
	uint32_t unit;
};

struct debuginfo {
	Dwarf *dw;
	bool tried;
	struct unit *units;
	uint32_t n_units, cap_units;
	struct unit_range *ranges;
	uint32_t n_ranges, cap_ranges;
	/* ns of CPU time spent on it; start of the current stretch */
	uint64_t spent, since;
	uint64_t look;   /* value of work at which to read the clock */
	uint64_t work;   /* bytes processed so far */
	uint64_t tables; /* bytes of functions and calls */
};

struct debuginfo *debuginfo_new(Dwarf *dw)
{
	struct debuginfo *d = mem_zalloc(sizeof(*d));

	d->dw = dw;
	return d;
}

static void forget_functions(struct unit *u)
{
	for (uint32_t i = 0; i < u->n; i++)
		free(u->functions[i].calls);
	free(u->functions);
	u->functions = NULL;
	u->n = u->cap = 0;
	u->tried = u->deep = false;
}

static void forget_all_functions(struct debuginfo *d)
{
	for (uint32_t i = 0; i < d->n_units; i++)
		forget_functions(&d->units[i]);
	d->tables = 0;
}

void debuginfo_free(struct debuginfo *d)
{
	if (!d)
		return;
	forget_all_functions(d);
	free(d->units);
	free(d->ranges);
	free(d);
}

static uint64_t cpu_now(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Call these around anything that builds tables. */
static void work_begin(struct debuginfo *d)
{
	d->since = cpu_now();
}

static void work_end(struct debuginfo *d)
{
	d->spent += cpu_now() - d->since;
}

/* Is more work allowed? Once it is not, it never is again. */
static bool has_work(struct debuginfo *d)
{
	if (d->work < d->look)
		return true;
	d->look = d->work + WORK_STEP;
	if (d->spent + cpu_now() - d->since > SPENT_MAX_MS * (uint64_t)1000000)
		d->work = WORK_MAX;
	if (d->work >= WORK_MAX)
		d->look = 0;
	return d->work < WORK_MAX;
}

/* Position of dwarf_ranges(). { 0 } at the start. */
struct list {
	ptrdiff_t state;
	Dwarf_Addr base;
};

/* Iterates over the ranges of a DIE. Ranges that start at 0 belong to code the linker
 * dropped. */
static bool range_next(struct debuginfo *d, Dwarf_Die *die, struct list *list,
		       struct range *ret)
{
	Dwarf_Addr lo, hi;

	while (has_work(d)) {
		d->work += RANGE_WORK;
		list->state = dwarf_ranges(die, list->state, &list->base, &lo, &hi);
		if (list->state <= 0)
			return false;
		if (!lo || lo >= hi)
			continue;
		*ret = (struct range){ lo, hi, 0 };
		return true;
	}
	return false;
}

/* libdw caches the abbreviations of a unit up to the one it looks for, and visits all
 * attributes of each DIE it passes. Are they as few as compilers make them, up to
 * abbreviation `code`, or in all (0)? */
static bool abbrevs_check(struct debuginfo *d, Dwarf_Die *unit, unsigned code)
{
	size_t at = 0, len, attrs;

	for (int i = 0; i < ABBREVS_MAX && has_work(d); i++, at += len) {
		Dwarf_Abbrev *a = dwarf_getabbrev(unit, at, &len);

		if (!a || a == DWARF_END_ABBREV)
			return a && !code;
		d->work += len + ABBREV_WORK;
		if (dwarf_getattrcnt(a, &attrs) || attrs > ATTRS_MAX)
			return false;
		if (code && dwarf_getabbrevcode(a) == code)
			return true;
	}
	return false;
}

/* The abbreviation code of the DIE at offset, at most 4 bytes long; 0: none. */
static unsigned abbrev_code(struct debuginfo *d, Dwarf_Off offset)
{
	unsigned code = 0, shift = 0;
	Dwarf_Die die;

	for (; shift < 28 && dwarf_offdie(d->dw, offset, &die); offset++, shift += 7) {
		uint8_t byte = *(const uint8_t *)die.addr;

		code |= (byte & 0x7fu) << shift;
		if (!(byte & 0x80))
			return code;
	}
	return 0;
}

static void unit_read(struct debuginfo *d, Dwarf_Off offset, Dwarf_Off next, size_t header)
{
	struct unit u = { .offset = offset, .size = next - offset };
	unsigned code = abbrev_code(d, offset + header);
	struct list list = { 0 };
	struct range r;

	if (!code || !dwarf_offdie(d->dw, offset + header, &u.die) ||
	    !abbrevs_check(d, &u.die, code))
		return;
	while (dwarf_tag(&u.die) != DW_TAG_partial_unit && d->n_ranges < RANGES_MAX &&
	       range_next(d, &u.die, &list, &r))
		*table_add(d->ranges, d->n_ranges,
			   d->cap_ranges) = (struct unit_range){ r, d->n_units };
	*table_add(d->units, d->n_units, d->cap_units) = u;
}

/* Are its DIEs safe to read? */
static bool unit_good(struct debuginfo *d, struct unit *u)
{
	if (!u->checked)
		u->good = abbrevs_check(d, &u->die, 0);
	u->checked = true;
	return u->good;
}

/* Is the unit of this DIE safe to read? */
static bool die_good(struct debuginfo *d, Dwarf_Die *die)
{
	Dwarf_Off offset = dwarf_dieoffset(die) - dwarf_cuoffset(die);
	uint32_t n = table_until(d->n_units, i, d->units[i].offset <= offset);
	struct unit *u = n ? &d->units[n - 1] : NULL;

	if (!u || u->offset != offset)
		return false;
	if (u->checked)
		return u->good;
	work_begin(d);
	unit_good(d, u);
	work_end(d);
	return u->good;
}

static void units_read(struct debuginfo *d)
{
	Dwarf_Off offset = 0, next;
	size_t header;

	d->tried = true;
	work_begin(d);
	while (d->n_ranges < RANGES_MAX && has_work(d) &&
	       !dwarf_nextcu(d->dw, offset, &next, &header, NULL, NULL, NULL) &&
	       next > offset) {
		unit_read(d, offset, next, header);
		offset = next;
	}
	ranges_sort(d->ranges, d->n_ranges, sizeof(*d->ranges));
	work_end(d);
}

/* NULL: none known. */
static struct unit *unit_at(struct debuginfo *d, uint64_t addr)
{
	struct unit_range *r;

	if (!d->tried)
		units_read(d);
	r = ranges_find(d->ranges, d->n_ranges, sizeof(*r), addr);
	return r ? &d->units[r->unit] : NULL;
}

/* The first child of a DIE. False: none. */
static bool die_first(struct debuginfo *d, Dwarf_Die *in, Dwarf_Die *ret)
{
	return has_work(d) && !dwarf_child(in, ret);
}

/* The next sibling. libdw visits everything in between; without a sibling, everything up to
 * the end of the parent, which only newer versions report. */
static bool die_next(struct debuginfo *d, Dwarf_Die *die)
{
	const char *from = die->addr, *to;
	Dwarf_Die next;
	int err;

	memset(&next, 0, sizeof(next));
	err = has_work(d) ? dwarf_siblingof(die, &next) : -1;
	to = next.addr;
	if (err < 0 || !to || to <= from)
		return false;
	d->work += (uint64_t)(to - from);
	*die = next;
	return !err;
}

/* Can a DIE of this kind contain functions? */
static bool holds_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type: return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block: return deep;
	default: return false;
	}
}

static void functions_add(struct debuginfo *d, struct unit *u, Dwarf_Die *in, int depth)
{
	Dwarf_Die die;
	struct range r;

	if (depth == DEPTH_MAX || !die_first(d, in, &die))
		return;
	do {
		int tag = dwarf_tag(&die);
		struct list list = { 0 };

		while (tag == DW_TAG_subprogram && u->n < FUNCTIONS_MAX &&
		       range_next(d, &die, &list, &r))
			*table_add(u->functions, u->n, u->cap) = (struct function){
				.range = r,
				.die = (uint32_t)(dwarf_dieoffset(&die) - u->offset),
			};
		if (holds_functions(tag, u->deep))
			functions_add(d, u, &die, depth + 1);
	} while (die_next(d, &die));
}

static void functions_read(struct debuginfo *d, struct unit *u, bool deep)
{
	forget_functions(u);
	u->tried = true;
	u->deep = deep;
	work_begin(d);
	if (u->size <= UNIT_MAX && unit_good(d, u))
		functions_add(d, u, &u->die, 0);
	ranges_sort(u->functions, u->n, sizeof(*u->functions));
	d->tables += u->n * sizeof(*u->functions);
	work_end(d);
}

/* NULL: none known. */
static struct function *function_at(struct debuginfo *d, struct unit *u, uint64_t addr)
{
	struct function *f;

	if (d->tables > TABLES_MAX)
		forget_all_functions(d);
	if (!u->tried)
		functions_read(d, u, false);
	f = ranges_find(u->functions, u->n, sizeof(*f), addr);
	if (f || u->deep)
		return f;
	functions_read(d, u, true);
	return ranges_find(u->functions, u->n, sizeof(*f), addr);
}

/* Adds the inlined calls below a DIE, which belongs to the call at `parent`. */
static void calls_add(struct debuginfo *d, struct unit *u, struct function *f,
		      Dwarf_Die *in, uint32_t parent, int depth)
{
	Dwarf_Die die;
	struct range r;

	if (depth == DEPTH_MAX || !die_first(d, in, &die))
		return;
	do {
		uint32_t at = (uint32_t)(dwarf_dieoffset(&die) - u->offset);
		int tag = dwarf_tag(&die);
		struct list list = { 0 };

		if (tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
		    tag == DW_TAG_catch_block)
			calls_add(d, u, f, &die, parent, depth + 1);
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		while (f->n < CALLS_MAX && range_next(d, &die, &list, &r))
			if (r.lo < f->range.hi && r.hi > f->range.lo)
				*table_add(f->calls, f->n, f->cap) =
					(struct call){ r.lo, r.hi, at, parent };
		calls_add(d, u, f, &die, at, depth + 1);
	} while (die_next(d, &die));
}

/* An incomplete list of a function's calls would be wrong, so a function that was not read
 * to its end has none. */
static void calls_read(struct debuginfo *d, struct unit *u, struct function *f)
{
	Dwarf_Die die;

	f->tried = true;
	if (!dwarf_offdie(d->dw, u->offset + f->die, &die))
		return;
	work_begin(d);
	calls_add(d, u, f, &die, 0, 0);
	work_end(d);
	if (d->work >= WORK_MAX || f->n == CALLS_MAX)
		f->n = 0;
	d->tables += f->n * sizeof(*f->calls);
}

/* Replaces the DIE by the one it is a copy of, if that is in a known unit of this file or
 * in the file that dwz made of several (debugfile.h). */
static bool origin_find(struct debuginfo *d, Dwarf_Die *die)
{
	Dwarf_Attribute link;
	unsigned form;

	if (!dwarf_attr(die, DW_AT_abstract_origin, &link) &&
	    !dwarf_attr(die, DW_AT_specification, &link))
		return false;
	form = dwarf_whatform(&link);
	if (form == DW_FORM_ref_sig8 || !dwarf_formref_die(&link, die))
		return false;
	return dwarf_cu_getdwarf(die->cu) != d->dw || die_good(d, die);
}

/* An attribute of the DIE or of the one it is a copy of. Not dwarf_attr_integrate(), which
 * would also open files that a DIE names. */
static Dwarf_Attribute *attr_find(struct debuginfo *d, Dwarf_Die die, unsigned name,
				  Dwarf_Attribute *ret)
{
	for (int i = 0; i < ORIGINS_MAX; i++) {
		if (dwarf_attr(&die, name, ret))
			return ret;
		if (!origin_find(d, &die))
			break;
	}
	return NULL;
}

/* NULL: no name. */
static const char *name_of(struct debuginfo *d, const Dwarf_Die *die)
{
	static const unsigned names[] = { DW_AT_linkage_name, DW_AT_MIPS_linkage_name,
					  DW_AT_name };
	Dwarf_Attribute attr;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *s = attr_find(d, *die, names[i], &attr)
					? dwarf_formstring(&attr)
					: NULL;

		if (s && *s)
			return s;
	}
	return NULL;
}

/* 0: no such attribute. */
static uint32_t number_of(struct debuginfo *d, const Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word n;

	return attr_find(d, *die, name, &attr) && !dwarf_formudata(&attr, &n) &&
			       n <= UINT32_MAX
		       ? (uint32_t)n
		       : 0;
}

/* The path of the unit's i-th file. */
static const char *file_of(struct unit *u, uint32_t i)
{
	Dwarf_Files *files;
	const char *s;
	size_t n;

	if (dwarf_getsrcfiles(&u->die, &files, &n) || i >= n)
		return "";
	s = dwarf_filesrc(files, i, NULL, NULL);
	return s ? s : "";
}

static bool call_read(struct debuginfo *d, struct unit *u, const struct call *c,
		      struct inlined_call *ret)
{
	Dwarf_Die die;

	if (!dwarf_offdie(d->dw, u->offset + c->die, &die))
		return false;
	ret->name = name_of(d, &die);
	ret->line = number_of(d, &die, DW_AT_call_line);
	ret->file = ret->line ? file_of(u, number_of(d, &die, DW_AT_call_file)) : "";
	ret->start_line = number_of(d, &die, DW_AT_decl_line);
	return ret->name != NULL;
}

int debuginfo_inlined(struct debuginfo *d, uint64_t addr, struct inlined_call *ret, int cap)
{
	struct unit *u = unit_at(d, addr);
	struct function *f = u ? function_at(d, u, addr) : NULL;
	const struct call *chain[DEPTH_MAX];
	uint32_t parent = 0;
	int n = 0;

	if (!f)
		return 0;
	if (!f->tried)
		calls_read(d, u, f);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct call *c = &f->calls[i];

		if (c->parent != parent || addr < c->lo || addr >= c->hi)
			continue;
		if (n == cap || n == DEPTH_MAX)
			return 0;
		chain[n++] = c;
		parent = c->die;
	}
	for (int i = 0; i < n; i++)
		if (!call_read(d, u, chain[n - 1 - i], &ret[i]))
			return 0;
	return n;
}

bool debuginfo_line(struct debuginfo *d, uint64_t addr, const char **file, uint32_t *line)
{
	struct unit *u = unit_at(d, addr);
	Dwarf_Line *l = u ? dwarf_getsrc_die(&u->die, addr) : NULL;
	int n = 0;

	*line = 0;
	*file = l ? dwarf_linesrc(l, NULL, NULL) : NULL;
	if (!*file)
		*file = "";
	if (l && !dwarf_lineno(l, &n) && n > 0)
		*line = (uint32_t)n;
	return u != NULL;
}

uint32_t debuginfo_start(struct debuginfo *d, uint64_t addr)
{
	struct unit *u = unit_at(d, addr);
	struct function *f = u ? function_at(d, u, addr) : NULL;
	Dwarf_Die die;

	if (!f || f->range.lo != addr || !dwarf_offdie(d->dw, u->offset + f->die, &die))
		return 0;
	return number_of(d, &die, DW_AT_decl_line);
}
