/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/gopclntab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/goentry.h"
#include "symbolizer/goname.h"
#include "symbolizer/resolver.h"

enum {
	MAX_FUNCS = 1 << 26,
	FLAG_SPWRITE = 2,
	FLAG_ASM = 4, /* since Go 1.18 */
	FUNCDATA_WRAPINFO = 7,
	TREES_SAMPLED = 64,
};

/* abi.FuncIDWrapper, the last funcID; the list changes. */
static uint8_t wrapper_of(int minor)
{
	return minor >= 25   ? 23
	       : minor >= 22 ? 22
	       : minor >= 18 ? 21
	       : minor >= 14 ? 22
			     : 20;
}

static enum frame_kind kind_of(const struct gopclntab *t, const char *name, uint8_t id)
{
	return id == t->wrapper ? FRAME_WRAPPER : t->added ? FRAME_GO : goname_kind(name);
}

/* By the magic number; if that is unknown (tools that hide names change it), by the
 * version. FORMAT_MAX: unknown. */
static enum gopclntab_format format_of(uint32_t magic, int minor)
{
	enum gopclntab_format f;

	for (f = 0; f < FORMAT_MAX; f++)
		if (magic == 0xffffff00 + formats[f].magic)
			return f;
	for (f = 0; f < FORMAT_MAX; f++)
		if (minor >= formats[f].oldest && minor <= formats[f].newest &&
		    minor <= GO_NEWEST)
			break;
	return f;
}

static int clamp_minor(int minor, enum gopclntab_format f)
{
	int newest = formats[f].newest < GO_NEWEST ? formats[f].newest : GO_NEWEST;

	return minor < 0 || minor > newest ? newest
	       : minor < formats[f].oldest ? formats[f].oldest
					   : minor;
}

static int regions_of(struct gopclntab *t, struct cursor table)
{
	struct cursor *const to[] = { &t->names, &t->cutab, &t->files, &t->pctab,
				      &t->funcs };
	uint64_t off[6];

	cursor_seek(&table, formats[t->format].offsets);
	if (t->format == FORMAT_12) {
		uint64_t files = t->functab + (uint64_t)t->n_funcs * 16 + 8;

		t->names = t->files = t->pctab = t->funcs = table;
		if (files + 4 > table.len || u32_at(&table, files) > table.len)
			return -EBADMSG;
		files = u32_at(&table, files);
		t->cutab = cursor_slice(&table, files, table.len - files);
		return 0;
	}
	for (int i = 0; i < 5; i++)
		off[i] = cursor_u64(&table);
	off[5] = table.len;
	if (table.bad || off[0] < formats[t->format].header)
		return -EBADMSG;
	for (int i = 0; i < 5; i++) {
		if (off[i] > off[i + 1])
			return -EBADMSG;
		*to[i] = cursor_slice(&table, off[i], off[i + 1] - off[i]);
	}
	return 0;
}

int gopclntab_parse(struct gopclntab *ret, struct cursor table, int minor)
{
	uint32_t magic = cursor_u32(&table);
	uint16_t zero = cursor_u16(&table);
	uint8_t quantum = cursor_u8(&table), ptr_size = cursor_u8(&table);
	uint64_t n = cursor_u64(&table);
	struct gopclntab t = { .magic = magic,
			       .quantum = quantum,
			       .format = format_of(magic, minor) };

	if (table.bad || t.format == FORMAT_MAX || zero || (quantum != 1 && quantum != 4) ||
	    ptr_size != 8 || !n || n >= MAX_FUNCS)
		return -EBADMSG;
	t.minor = (uint8_t)clamp_minor(minor, t.format);
	t.wrapper = wrapper_of(t.minor);
	t.n_funcs = (uint32_t)n;
	t.functab = t.format == FORMAT_12 ? formats[FORMAT_12].header : 0;
	if (regions_of(&t, table) ||
	    t.funcs.len < t.functab + n * formats[t.format].functab_row + 4)
		return -EBADMSG;
	*ret = t;
	return 0;
}

bool gopclntab_covers(const struct gopclntab *t, uint64_t addr)
{
	uint64_t pc = addr - t->text;

	return addr >= t->text && pc >= start_of(t, 0) && pc < start_of(t, t->n_funcs);
}

uint32_t gopclntab_text_len(const struct gopclntab *t)
{
	return start_of(t, t->n_funcs);
}

/* False: the address is before the first function, or not before the end. */
static bool row_find(const struct gopclntab *t, uint64_t addr, uint32_t *row)
{
	if (!gopclntab_covers(t, addr))
		return false;
	*row = table_until(t->n_funcs, i, start_of(t, i) <= addr - t->text) - 1;
	return true;
}

static bool entry_find(const struct gopclntab *t, uint64_t addr, struct entry *e)
{
	uint32_t row;

	return row_find(t, addr, &row) && entry_read(t, row, e);
}

/* 0: unknown. */
static uint32_t line_at(const struct gopclntab *t, const struct entry *e, uint32_t pc,
			const char **file)
{
	int32_t fileno = pcvalue(t, e, e->pcfile, pc), line = pcvalue(t, e, e->pcln, pc);
	uint64_t pos = 4 * ((uint64_t)e->cu + (uint32_t)fileno);

	*file = NULL;
	if (fileno < 0 || line < 0)
		return 0;
	if (pos + 4 <= t->cutab.len && u32_at(&t->cutab, pos) != UINT32_MAX)
		*file = string_at(&t->files, u32_at(&t->cutab, pos));
	return (uint32_t)line;
}

bool gopclntab_trees_hold(const struct gopclntab *t)
{
	uint32_t step = t->n_funcs / 4096 + 1, n = 0;
	struct entry e, inner;
	uint64_t len = 0;
	uint32_t pc;

	for (uint32_t row = 0; row < t->n_funcs && n < TREES_SAMPLED; row += step) {
		int inlined;

		if (!entry_read(t, row, &e))
			return false;
		len += e.end - e.start;
		if (len > MAX_SAMPLED)
			break;
		/* only a full walk would find most inlined calls: try a few places */
		for (uint32_t i = 1; i < 4; i++) {
			inner = e;
			pc = e.start + (e.end - e.start) / 4 * i;
			inlined = inlined_at(t, &inner, &pc);
			if (inlined < 0 || (inlined && (inner.id > t->wrapper ||
							!string_at(&t->names, inner.name))))
				return false;
			n += inlined > 0;
		}
	}
	return n > 0;
}

uint64_t gopclntab_funcdata_len(const struct gopclntab *t)
{
	uint64_t len = 0, steps = 0, at;
	struct pcvalues v;
	struct entry e;

	for (uint32_t row = 0; row < t->n_funcs; row++) {
		int32_t last = -1;

		if (!entry_read(t, row, &e) || e.n_pcdata <= PCDATA_INLTREE ||
		    e.n_funcdata <= formats[t->format].inltree ||
		    !pcvalues_open(&v, &t->pctab,
				   u32_at(&t->funcs, e.tables + 4 * PCDATA_INLTREE)))
			continue;
		while (pcvalues_next(&v) && steps++ < MAX_SAMPLED)
			last = v.value > last ? v.value : last;
		at = e.tables + 4 * ((uint64_t)e.n_pcdata + formats[t->format].inltree);
		at = u32_at(&t->funcs, at);
		at += (uint64_t)(last + 1) * formats[t->format].inline_row;
		if (last >= 0 && at > len)
			len = at;
	}
	return len;
}

static bool fill(const struct gopclntab *t, const struct entry *e, uint64_t addr,
		 uint32_t line_pc, const struct entry *inner, struct strtab *strs,
		 struct frame *f)
{
	const char *file, *name = string_at(&t->names, inner->name);
	uint32_t line = line_at(t, e, line_pc, &file);

	if (!name)
		return false;
	*f = (struct frame){
		.addr = addr,
		.func = strtab_add(strs, name),
		.file = file ? strtab_add(strs, file) : 0,
		.line = line,
		.start_line = inner->start_line,
		.kind = (uint8_t)kind_of(t, name, inner->id),
	};
	return true;
}

static int table_find(void *self, uint64_t addr, struct strtab *strs, struct frame *out,
		      int cap)
{
	const struct gopclntab *t = self;
	uint32_t pc = (uint32_t)(addr - t->text), row, line_pc = pc;
	struct entry e, inner;

	if (!row_find(t, addr, &row))
		return 0;
	if (!entry_read(t, row, &e))
		return -EBADMSG;
	for (int n = 0; n < cap; n++) {
		int inlined;

		inner = e;
		inlined = inlined_at(t, &inner, &pc);
		if (inlined < 0 || !fill(t, &e, addr, line_pc, &inner, strs, &out[n]))
			return -EBADMSG;
		out[n].inlined = (uint8_t)inlined;
		if (!inlined)
			return n + 1;
		line_pc = pc;
	}
	/* No compiler inlines this deep. Some write a body that is its own parent, and then
	 * only the function around it is certain. */
	return fill(t, &e, addr, (uint32_t)(addr - t->text), &e, strs, out) ? 1 : -EBADMSG;
}

static int table_each(void *self, int (*fn)(void *arg, const struct func *f), void *arg)
{
	const struct gopclntab *t = self;
	int ret = 0;

	for (uint32_t row = 0; row < t->n_funcs && !ret; row++) {
		struct func f = { 0 };
		struct entry e;

		if (!entry_read(t, row, &e))
			continue;
		line_at(t, &e, e.start, &f.file);
		f.addr = t->text + e.start;
		f.size = e.end - e.start;
		f.name = string_at(&t->names, e.name);
		f.line = e.start_line;
		if (f.name)
			ret = fn(arg, &f);
	}
	return ret;
}

bool gopclntab_pc(const struct gopclntab *t, uint64_t addr, struct go_pc *ret)
{
	const char *name;
	struct entry e;
	int32_t v;

	*ret = (struct go_pc){ 0 };
	if (!entry_find(t, addr, &e))
		return false;
	ret->entry = t->text + e.start;
	if (!e.pcsp)
		return false;
	v = pcvalue(t, &e, e.pcsp, (uint32_t)(addr - t->text));
	name = string_at(&t->names, e.name);
	*ret = (struct go_pc){
		.entry = ret->entry,
		.go = true,
		.spdelta = (uint32_t)v,
		.has_spdelta = v >= 0,
		.spwrite = t->minor >= 17 && e.flags & FLAG_SPWRITE,
		.assembly = e.flags & FLAG_ASM,
		.kind = name ? (uint8_t)kind_of(t, name, e.id) : FRAME_GO,
	};
	return true;
}

uint32_t gopclntab_max_spdelta(const struct gopclntab *t, uint64_t addr)
{
	struct pcvalues v;
	struct entry e;
	int32_t max = 0;

	if (!entry_find(t, addr, &e) || !pcvalues_open(&v, &t->pctab, e.pcsp))
		return 0;
	while (pcvalues_next(&v))
		if (v.value > max)
			max = v.value;
	return (uint32_t)max;
}

bool gopclntab_row(const struct gopclntab *t, uint32_t row, struct go_function *ret)
{
	const char *file;
	struct entry e;
	size_t len;

	if (row >= t->n_funcs || !entry_read(t, row, &e))
		return false;
	*ret = (struct go_function){ .entry = t->text + e.start,
				     .len = e.end - e.start,
				     .name = string_at(&t->names, e.name),
				     .id = e.id,
				     .assembly = e.flags & FLAG_ASM };
	if (t->format < FORMAT_118 && line_at(t, &e, e.start, &file) && file) {
		len = strlen(file);
		ret->assembly = len > 2 && !strcmp(file + len - 2, ".s");
	}
	return ret->name;
}

uint32_t gopclntab_start(const struct gopclntab *t, uint64_t addr, struct strtab *strs)
{
	const char *name;
	struct entry e, target;
	struct cursor info;

	if (!entry_find(t, addr, &e) || t->text + e.start != addr)
		return 0;
	name = string_at(&t->names, e.name);
	info = funcdata_of(t, &e, FUNCDATA_WRAPINFO);
	if (name && !is_wide(t) && kind_of(t, name, e.id) == FRAME_WRAPPER && info.len &&
	    entry_find(t, t->text + cursor_u32(&info), &target))
		name = string_at(&t->names, target.name);
	return name ? strtab_add(strs, name) : 0;
}

static int table_open(void **ret, const struct binary *b, const char **why)
{
	struct gopclntab *t = mem_zalloc(sizeof(*t));
	int err = gopclntab_open(t, b->elf, why);

	if (err)
		free(t);
	else
		*ret = t;
	return err;
}

static void table_close(void *self)
{
	struct gopclntab *t = self;

	if (t)
		free(t->copy);
	free(t);
}

const struct resolver gopclntab_resolver = {
	.name = "gopclntab",
	.open = table_open,
	.find = table_find,
	.each = table_each,
	.close = table_close,
};
