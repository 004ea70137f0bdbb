/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How it hangs together (runtime/symtab.go, cmd/link/internal/ld/pcln.go):
 *
 *   header → functab: sorted {entry, offset of _func}, offsets from `text`
 *   _func  → name (funcnametab); pcsp, pcfile, pcln, pcdata[] (packed deltas in pctab);
 *            funcdata[]
 *   file   = filetab[cutab[_func.cuOffset + pcfile(pc)]]
 *   pcdata[InlTreeIndex](pc) is -1, or the row of funcdata[InlTree] whose inlined body pc is
 *            in: it names the function and an address of its parent, where the same question
 *            is asked again.
 *
 * `text` and the base of funcdata stand in the runtime's moduledata, which is found as the
 * one word of writable data that points at the table and is followed by the right lengths.
 */
#include "symbolizer/gopclntab.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/gobuildinfo.h"
#include "symbolizer/resolver.h"

enum {
	MAGIC_118 = 0xf0, /* low bytes of the magic, 0xfffffff0 */
	MAGIC_120 = 0xf1,
	HEADER_LEN = 72,
	MAX_FUNCS = 1 << 26,
	MAX_NAME = 1 << 16, /* bytes; a longer name is a broken table */
	FLAG_ASM = 4,
	PCDATA_INLTREE = 2,
	FUNCDATA_INLTREE = 3,
	FUNCDATA_WRAPINFO = 7,
	MODULE_FTAB_LEN = 136, /* offsets in moduledata, all versions */
	MODULE_TEXT = 176,
};

#define NO_FUNCDATA UINT32_MAX

/* One function, decoded. Entry and end count from text. */
struct entry {
	uint32_t start, end, start_line;
	uint32_t name, pcsp, pcfile, pcln, n_pcdata, cu;
	uint64_t tables; /* where pcdata begins, in funcs */
	uint8_t id, flags, n_funcdata;
};

static uint32_t u32_at(const struct cursor *c, uint64_t pos)
{
	uint32_t v;

	if (pos > c->len || c->len - pos < sizeof(v))
		return 0;
	memcpy(&v, c->data + pos, sizeof(v));
	return le32toh(v);
}

/* The special functions by name, sorted. Those of other architectures have the same
 * names. */
static const struct {
	const char *name;
	enum frame_kind kind;
} special[] = {
	{ "_rt0_amd64", FRAME_MSTART },
	{ "_rt0_amd64_lib", FRAME_MSTART },
	{ "_rt0_amd64_linux", FRAME_MSTART },
	{ "_rt0_amd64_linux_lib", FRAME_MSTART },
	{ "_rt0_arm64_linux", FRAME_MSTART },
	{ "_rt0_arm64_linux_lib", FRAME_MSTART },
	{ "runtime.asmcgocall", FRAME_ASMCGOCALL },
	{ "runtime.asyncPreempt", FRAME_INJECTED },
	{ "runtime.cgoSigtramp", FRAME_MSTART },
	{ "runtime.cgocallback", FRAME_CGOCALLBACK },
	{ "runtime.debugCallV2", FRAME_INJECTED },
	{ "runtime.goexit", FRAME_GOEXIT },
	{ "runtime.gopanic", FRAME_PANIC },
	{ "runtime.mcall", FRAME_MCALL },
	{ "runtime.morestack", FRAME_MORESTACK },
	{ "runtime.morestack_noctxt", FRAME_MORESTACK },
	{ "runtime.mstart", FRAME_MSTART },
	{ "runtime.panicwrap", FRAME_PANIC },
	{ "runtime.rt0_go", FRAME_MSTART },
	{ "runtime.sigpanic", FRAME_SIGPANIC },
	{ "runtime.sigpanic0", FRAME_SIGPANIC }, /* jumps to sigpanic (1.17) */
	{ "runtime.sigreturn", FRAME_MSTART },
	{ "runtime.sigreturn__sigaction", FRAME_MSTART },
	{ "runtime.sigtramp", FRAME_MSTART },
	{ "runtime.systemstack", FRAME_SYSTEMSTACK },
};

static enum frame_kind kind_of(const struct gopclntab *t, const char *name, uint8_t id)
{
	/* abi.FuncIDWrapper: the last of its list, which grew in 1.22 and 1.25 */
	uint8_t wrapper = t->minor >= 25 ? 23 : t->minor >= 22 ? 22 : 21;
	size_t lo = 0, hi = sizeof(special) / sizeof(*special);

	if (id == wrapper)
		return FRAME_WRAPPER;
	if (strncmp(name, "runtime.", 8) && strncmp(name, "_rt0_", 5))
		return FRAME_GO;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = strcmp(name, special[mid].name);

		if (!cmp)
			return special[mid].kind;
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return FRAME_GO;
}

int gopclntab_parse(struct gopclntab *ret, struct cursor table, int minor)
{
	uint32_t magic = cursor_u32(&table);
	uint16_t zero = cursor_u16(&table);
	uint8_t quantum = cursor_u8(&table), ptr_size = cursor_u8(&table);
	uint64_t n = cursor_u64(&table), off[5];
	struct gopclntab t = { .minor = (uint8_t)minor, .quantum = quantum };

	cursor_seek(&table, 32); /* past nfiles and textStart, which is 0 since Go 1.26 */
	for (int i = 0; i < 5; i++)
		off[i] = cursor_u64(&table);
	if (table.bad || magic != 0xffffff00 + (minor < 20 ? MAGIC_118 : MAGIC_120) ||
	    zero || (quantum != 1 && quantum != 4) || ptr_size != 8 || !n || n >= MAX_FUNCS)
		return -EBADMSG;
	for (int i = 0; i < 5; i++)
		if (off[i] < (i ? off[i - 1] : HEADER_LEN) || off[i] > table.len)
			return -EBADMSG;
	t.names = cursor_slice(&table, off[0], off[1] - off[0]);
	t.cutab = cursor_slice(&table, off[1], off[2] - off[1]);
	t.files = cursor_slice(&table, off[2], off[3] - off[2]);
	t.pctab = cursor_slice(&table, off[3], off[4] - off[3]);
	t.funcs = cursor_slice(&table, off[4], table.len - off[4]);
	t.n_funcs = (uint32_t)n;
	if (t.funcs.len < n * 8 + 4)
		return -EBADMSG;
	*ret = t;
	return 0;
}

/* Row of functab, n_funcs for its end. */
static uint32_t start_of(const struct gopclntab *t, uint32_t row)
{
	return u32_at(&t->funcs, (uint64_t)row * 8);
}

bool gopclntab_covers(const struct gopclntab *t, uint64_t addr)
{
	uint64_t pc = addr - t->text;

	return addr >= t->text && pc >= start_of(t, 0) && pc < start_of(t, t->n_funcs);
}

/* false: the address is before the first function or not before the end. */
static bool row_find(const struct gopclntab *t, uint64_t addr, uint32_t *row)
{
	uint64_t pc = addr - t->text;
	uint32_t lo = 0, hi = t->n_funcs;

	if (!gopclntab_covers(t, addr))
		return false;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (start_of(t, mid) <= pc)
			lo = mid;
		else
			hi = mid;
	}
	*row = lo;
	return true;
}

static bool entry_read(const struct gopclntab *t, uint32_t row, struct entry *e)
{
	struct cursor c = t->funcs;

	cursor_seek(&c, u32_at(&c, (uint64_t)row * 8 + 4));
	*e = (struct entry){ .start = start_of(t, row), .end = start_of(t, row + 1) };
	cursor_u32(&c); /* entryOff: functab's is the one to trust */
	e->name = cursor_u32(&c);
	cursor_u64(&c); /* args, deferreturn */
	e->pcsp = cursor_u32(&c);
	e->pcfile = cursor_u32(&c);
	e->pcln = cursor_u32(&c);
	e->n_pcdata = cursor_u32(&c);
	e->cu = cursor_u32(&c);
	if (t->minor >= 20)
		e->start_line = cursor_u32(&c);
	e->id = cursor_u8(&c);
	e->flags = cursor_u8(&c);
	cursor_u8(&c);
	e->n_funcdata = cursor_u8(&c);
	e->tables = c.pos;
	return !c.bad && e->end >= e->start;
}

static bool entry_find(const struct gopclntab *t, uint64_t addr, struct entry *e)
{
	uint32_t row;

	return row_find(t, addr, &row) && entry_read(t, row, e);
}

/* NULL: not a string of this table. */
static const char *string_at(const struct cursor *strs, uint32_t off)
{
	struct cursor c = *strs;
	size_t left;

	cursor_seek(&c, off);
	left = cursor_left(&c);
	if (!left || !memchr(c.data + c.pos, 0, left < MAX_NAME ? left : MAX_NAME))
		return NULL;
	return (const char *)c.data + c.pos;
}

static bool uvarint32(const uint8_t **p, const uint8_t *end, uint32_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 35 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		*v |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* The value of a packed table at pc; -1: it has none there. */
static int32_t pcvalue(const struct gopclntab *t, const struct entry *e, uint32_t off,
		       uint32_t pc)
{
	const uint8_t *p, *end = t->pctab.data + t->pctab.len;
	uint32_t value = UINT32_MAX, delta, step;
	uint64_t at = e->start;
	bool first = true;

	if (!off || off >= t->pctab.len)
		return -1;
	p = t->pctab.data + off;
	/* a delta of 0 is the end, but not as the first one: tables may begin with -1 */
	while (uvarint32(&p, end, &delta) && (delta || first)) {
		value += delta & 1 ? ~(delta >> 1) : delta >> 1;
		if (!uvarint32(&p, end, &step) || !step)
			break;
		at += (uint64_t)step * t->quantum;
		if (pc < at)
			return (int32_t)value;
		first = false;
	}
	return -1;
}

static uint32_t funcdata_of(const struct gopclntab *t, const struct entry *e, unsigned i)
{
	uint64_t pos = e->tables + 4 * ((uint64_t)e->n_pcdata + i);

	return i < e->n_funcdata && pos + 4 <= t->funcs.len ? u32_at(&t->funcs, pos)
							    : NO_FUNCDATA;
}

/* 0: not known. */
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

/*
 * The inlined body that pc is in: fills name, id and start_line of *e as if it were a
 * function of its own and moves *pc into its parent. 0: none, *e says it; 1: filled;
 * -EBADMSG.
 */
static int inlined_at(const struct gopclntab *t, struct entry *e, uint32_t *pc)
{
	uint32_t tree = funcdata_of(t, e, FUNCDATA_INLTREE), parent_pc;
	uint64_t size = t->minor >= 20 ? 16
				       : 20; /* struct inlinedCall lost 4 bytes in 1.20 */
	struct cursor c;
	int32_t row;

	if (e->n_pcdata <= PCDATA_INLTREE || tree == NO_FUNCDATA)
		return 0;
	row = pcvalue(t, e, u32_at(&t->funcs, e->tables + 4 * PCDATA_INLTREE), *pc);
	if (row < 0)
		return 0;
	c = cursor_slice(&t->funcdata, tree + (uint64_t)row * size, size);
	if (t->minor >= 20) {
		e->id = cursor_u8(&c);
		cursor_seek(&c, 4);
		e->name = cursor_u32(&c);
		parent_pc = cursor_u32(&c);
		e->start_line = cursor_u32(&c);
	} else {
		cursor_u16(&c);
		e->id = cursor_u8(&c);
		cursor_seek(&c, 12);
		e->name = cursor_u32(&c);
		parent_pc = cursor_u32(&c);
	}
	if (c.bad || parent_pc >= e->end - e->start)
		return -EBADMSG;
	*pc = e->start + parent_pc;
	return 1;
}

static int table_find(void *self, uint64_t addr, struct strtab *strs, struct frame *out,
		      int cap)
{
	const struct gopclntab *t = self;
	uint32_t pc = (uint32_t)(addr - t->text), row;
	struct entry e, inner;
	int inlined = 1;

	if (!row_find(t, addr, &row))
		return 0;
	if (!entry_read(t, row, &e))
		return -EBADMSG;
	for (int n = 0; n < cap; n++) {
		const char *name, *file;
		uint32_t line = line_at(t, &e, pc, &file);

		inner = e;
		inlined = inlined_at(t, &inner, &pc);
		name = string_at(&t->names, inner.name);
		if (inlined < 0 || !name)
			return -EBADMSG;
		out[n] = (struct frame){
			.addr = addr,
			.func = strtab_add(strs, name),
			.file = file ? strtab_add(strs, file) : 0,
			.line = line,
			.start_line = inner.start_line,
			.kind = (uint8_t)kind_of(t, name, inner.id),
			.inlined = (uint8_t)inlined,
		};
		if (!inlined)
			return n + 1;
	}
	return -EBADMSG; /* deeper than any compiler inlines: it goes in circles */
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

bool gopclntab_spdelta(const struct gopclntab *t, uint64_t addr, uint32_t *delta)
{
	struct entry e;
	int32_t v;

	if (!entry_find(t, addr, &e))
		return false;
	v = pcvalue(t, &e, e.pcsp, (uint32_t)(addr - t->text));
	*delta = (uint32_t)v;
	return v >= 0;
}

uint32_t gopclntab_start(const struct gopclntab *t, uint64_t addr, struct strtab *strs)
{
	const char *name;
	struct entry e, target;
	uint32_t info;

	if (!entry_find(t, addr, &e))
		return 0;
	name = string_at(&t->names, e.name);
	info = funcdata_of(t, &e, FUNCDATA_WRAPINFO);
	if (name && kind_of(t, name, e.id) == FRAME_WRAPPER && info != NO_FUNCDATA &&
	    entry_find(t, t->text + u32_at(&t->funcdata, info), &target))
		name = string_at(&t->names, target.name);
	return name ? strtab_add(strs, name) : 0;
}

bool gopclntab_function(const struct gopclntab *t, const char *name, uint64_t *entry,
			uint32_t *len)
{
	bool found = false;
	struct entry e;

	for (uint32_t row = 0; row < t->n_funcs; row++) {
		const char *s = entry_read(t, row, &e) ? string_at(&t->names, e.name)
						       : NULL;

		if (!s || strcmp(s, name) || (found && !(e.flags & FLAG_ASM)))
			continue;
		*entry = t->text + e.start;
		*len = e.end - e.start;
		found = true;
		if (e.flags & FLAG_ASM)
			break;
	}
	return found;
}

/* Is this what a moduledata holds 136 bytes in: length and capacity of functab with its
 * end? */
static bool is_moduledata(const struct elf *elf, uint64_t vaddr, uint32_t n_funcs)
{
	struct cursor c = elf_at(elf, vaddr);

	cursor_seek(&c, MODULE_FTAB_LEN);
	return cursor_u64(&c) == n_funcs + 1ull && cursor_u64(&c) == n_funcs + 1ull;
}

/* The address of the moduledata whose first word points at the table; 0: none. */
static uint64_t moduledata_find(const struct elf *elf, uint64_t table, uint32_t n_funcs)
{
	uint64_t where, value;

	for (uint32_t i = 0; i < elf->n_segments; i++) {
		struct cursor bytes = elf_segment_bytes(elf, i);
		uint64_t vaddr = elf->segments[i].vaddr;

		if (!elf->segments[i].writable)
			continue;
		for (size_t at = -vaddr % 8; at + 8 <= bytes.len; at += 8) {
			memcpy(&value, bytes.data + at, 8);
			if (le64toh(value) == table &&
			    is_moduledata(elf, vaddr + at, n_funcs))
				return vaddr + at;
		}
	}
	for (uint64_t i = 0; elf_rela(elf, i, &where, &value); i++)
		if (value == table && is_moduledata(elf, where, n_funcs))
			return where;
	return 0;
}

/* What the table at vaddr leaves to moduledata. */
static int table_attach(struct gopclntab *t, const struct elf *elf, uint64_t vaddr)
{
	uint64_t module = moduledata_find(elf, vaddr, t->n_funcs), text, funcdata, end;
	uint64_t funcdata_at = t->minor >= 27 ? 344 : t->minor >= 20 ? 320 : 304;

	if (!module || !elf_word(elf, module + MODULE_TEXT, &text) ||
	    !elf_word(elf, module + funcdata_at, &funcdata) ||
	    __builtin_add_overflow(text, start_of(t, t->n_funcs), &end))
		return -EBADMSG;
	t->text = text;
	t->funcdata = elf_at(elf, funcdata);
	return 0;
}

/* Looks through the whole file: of PIEs before Go 1.26 and of files without section
 * headers. */
static int table_search(struct gopclntab *t, const struct elf *elf, int minor)
{
	for (uint32_t i = 0; i < elf->n_segments; i++) {
		struct cursor bytes = elf_segment_bytes(elf, i);
		uint64_t vaddr = elf->segments[i].vaddr;

		for (size_t at = -vaddr % 8; at + HEADER_LEN < bytes.len; at += 8) {
			const uint8_t *p = bytes.data + at;

			if (p[1] != 0xff || p[2] != 0xff || p[3] != 0xff || p[7] != 8)
				continue;
			if (!gopclntab_parse(t, cursor_slice(&bytes, at, bytes.len - at),
					     minor) &&
			    !table_attach(t, elf, vaddr + at))
				return 0;
		}
	}
	return -ENOENT;
}

static int table_open(void **ret, const struct elf *elf, const char **why)
{
	char version[GO_VERSION_MAX];
	struct cursor bytes;
	struct gopclntab *t;
	uint64_t vaddr;
	int minor, err;

	if (!gobuildinfo_version(elf, version))
		return -ENOENT;
	minor = gobuildinfo_minor(version);
	*why = minor < 0    ? "the version of Go that built it is not one we know"
	       : minor < 18 ? "built with a Go older than 1.18"
	       : elf->machine != EM_X86_64 && elf->machine != EM_AARCH64
		       ? "neither an x86-64 nor an arm64 program"
		       : NULL;
	if (*why)
		return -ENOTSUP;
	/* layouts of versions that are not out yet: as the newest, all reads being
	 * checked */
	minor = minor > 27 ? 27 : minor;
	t = mem_zalloc(sizeof(*t));
	if (elf_section(elf, ".gopclntab", &vaddr, &bytes) ||
	    elf_section(elf, ".data.rel.ro.gopclntab", &vaddr, &bytes)) {
		err = gopclntab_parse(t, bytes, minor);
		err = err ? err : table_attach(t, elf, vaddr);
		*why = "its .gopclntab is broken";
	} else {
		err = table_search(t, elf, minor);
		*why = "it holds no table of functions (pclntab)";
	}
	if (err) {
		free(t);
		return err;
	}
	*why = NULL;
	*ret = t;
	return 0;
}

const struct resolver gopclntab_resolver = {
	.name = "gopclntab",
	.open = table_open,
	.find = table_find,
	.each = table_each,
	.close = free,
};
