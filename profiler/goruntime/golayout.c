/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offsets by version, measured from the DWARF of programs built by each release in
 * tools/golayout, which checks this table. They are the same on amd64 and arm64.
 */
#include "profiler/goruntime/golayout.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/goruntime/gocode.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"

enum {
	/* since this version m changes in patch releases, so code is decoded too */
	DECODED_MINOR = 24,
	G_M_OFFSET = 8 * 6, /* in every version */
	G_SCHED_OFFSET = 8 * 7,
};

/* clang-format off */
#define AT(field) offsetof(struct layout, field)

const struct layout_field_row layout_fields[FIELDS] = {
	[FIELD_G_M] =		{ "g_m", "runtime.g", "m", 0, G_M_OFFSET },
	[FIELD_G_SYSCALLSP] =	{ "g_syscallsp", "runtime.g", "syscallsp", AT(g_syscallsp), 0 },
	[FIELD_G_STATUS] =	{ "g_atomicstatus", "runtime.g", "atomicstatus", AT(g_goid), -8 },
	[FIELD_G_GOID] =	{ "g_goid", "runtime.g", "goid", AT(g_goid), 0 },
	[FIELD_G_PARENT_GOID] =	{ "g_parentGoid", "runtime.g", "parentGoid", AT(g_parent_goid), 0 },
	[FIELD_G_GOPC] =	{ "g_gopc", "runtime.g", "gopc", AT(g_gopc), 0 },
	[FIELD_G_STARTPC] =	{ "g_startpc", "runtime.g", "startpc", AT(g_startpc), 0 },
	[FIELD_G_LABELS] =	{ "g_labels", "runtime.g", "labels", AT(g_labels), 0 },
	[FIELD_G_LOCKEDM] =	{ "g_lockedm", "runtime.g", "lockedm", AT(g_lockedm), 0 },
	[FIELD_G_SCHED_BP] =	{ "g_sched_bp", "runtime.gobuf", "bp", AT(g_schedbp), 0 },
	[FIELD_M_G0] =		{ "m_g0", "runtime.m", "g0", 0, 0 },
	[FIELD_M_PROCID] =	{ "m_procid", "runtime.m", "procid", AT(m_procid), 0 },
	[FIELD_M_GSIGNAL] =	{ "m_gsignal", "runtime.m", "gsignal", AT(m_procid), 8 },
	[FIELD_M_CURG] =	{ "m_curg", "runtime.m", "curg", AT(m_curg), 0 },
	[FIELD_M_EXTRA_IN_C] =	{ "m_isExtraInC", "runtime.m", "isExtraInC", AT(m_extra_in_c), 0 },
	[FIELD_M_NCGO] =	{ "m_ncgo", "runtime.m", "ncgo", AT(m_ncgo), 0 },
	[FIELD_M_VDSOSP] =	{ "m_vdsoSP", "runtime.m", "vdsoSP", AT(m_vdsosp), 0 },
};

const struct layout_check_row layout_checks[CHECKS] = {
	[CHECK_FORMULA] = { "formula", "self-check: the slot of g is not where the ELF rules put it" },
	[CHECK_G0] =	  { "g0", "self-check: g.m.g0.m is not m" },
	[CHECK_PROCID] =  { "procid", "self-check: m.procid is not the thread's id" },
	[CHECK_CURG] =	  { "curg", "self-check: the thread's g is not one of its m" },
	[CHECK_STACK] =	  { "stack", "self-check: g.stack is not the stack" },
	[CHECK_STATUS] =  { "status", "self-check: g.atomicstatus is not a status" },
	[CHECK_GOID] =	  { "goid", "self-check: goids are not plausible" },
	[CHECK_START] =	  { "startpc", "self-check: g.startpc is not the start of a function" },
};

static const struct row {
	/* the first Go 1 release with this layout, which lasts until the next row */
	uint16_t minor, patch;
	uint16_t syscallsp, goid, gopc, startpc, parent_goid, procid, curg, extra_in_c, ncgo, vdsosp;
} rows[] = {
	/* columns: version; g: syscallsp, goid, gopc, startpc, parent;
	 * m: procid, curg, extra, ncgo, vdsoSP */
	{ 13,  0,	112, 152, 280, 296,   0,	72, 192,   0, 312,  816 },
	{ 14,  0,	112, 152, 280, 296,   0,	72, 192,   0, 312,  808 },
	{ 15,  0,	112, 152, 280, 296,   0,	72, 192,   0, 312,  800 },
	/* 824, since some patch 832 */
	{ 16,  0,	112, 152, 280, 296,   0,	72, 192,   0, 312,    0 },
	{ 17,  0,	112, 152, 296, 312,   0,	72, 192,   0, 312,  832 },
	{ 18,  0,	112, 152, 296, 312,   0,	72, 192,   0, 312,  800 },
	{ 21,  0,	112, 152, 280, 296, 272,	72, 192, 282, 312,  808 },
	{ 22,  0,	112, 152, 280, 296, 272,	72, 192, 282, 304, 1120 },
	{ 23,  0,	112, 160, 288, 304, 280,	72, 192, 282, 304,  856 },
	/* m.allpSnapshot (issue 74414) came in two patch releases, 1.23.12 and 1.24.6 */
	{ 23, 12,	112, 160, 288, 304, 280,	72, 192, 282, 328,  880 },
	{ 24,  0,	112, 160, 288, 304, 280,	72, 192, 282, 304,  880 },
	{ 24,  6,	112, 160, 288, 304, 280,	72, 192, 282, 328,  904 },
	/* gobuf.ret is gone */
	{ 25,  0,	104, 152, 280, 296, 272,	64, 184, 274, 320,  896 },
	{ 26,  0,	104, 152, 288, 304, 280,	64, 184, 282, 328,  896 },
};
/* clang-format on */

/* Parses "go1.22.3" into {major, minor, patch}, of at most four digits each; missing parts
 * are 0. Returns the rest; NULL: not a version. */
static const char *version_parse(const char *s, int part[3])
{
	if (strncmp(s, "go", 2))
		return NULL;
	s += 2;
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, "0123456789");

		if (!n || n > 4)
			return NULL;
		part[i] = atoi(s);
		s += n;
		if (i == 2 || *s != '.')
			break;
		s++;
	}
	return s;
}

int golayout_of_version(struct layout *ret, const char *version, const char **why)
{
	const struct row *r = NULL;
	const char *rest;
	int part[3] = { 0 };

	*ret = (struct layout){ 0 };
	if (!strncmp(version, "devel", 5)) {
		*why = "a development version of Go: its runtime may be of either release";
		return -ENOTSUP;
	}
	rest = version_parse(version, part);
	if (!rest) {
		*why = "not a version of Go";
		return -EINVAL;
	}
	if (part[0] > 1 || part[1] > GO_NEWEST) {
		*why = "newer than Go 1.27, the newest known";
		return -ENOTSUP;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].minor * 10000 + rows[i].patch <= part[1] * 10000 + part[2])
			r = &rows[i];
	if (!r || part[0] < 1) {
		*why = "older than Go 1.13, the oldest known";
		return -ENOTSUP;
	}
	*ret = (struct layout){
		.ok = 1,
		.g_syscallsp = r->syscallsp,
		.g_goid = r->goid,
		.g_gopc = r->gopc,
		.g_startpc = r->startpc,
		.g_parent_goid = r->parent_goid,
		.m_procid = r->procid,
		.m_curg = r->curg,
		.m_extra_in_c = r->extra_in_c,
		.m_ncgo = r->ncgo,
		.m_vdsosp = r->vdsosp,
		.g_lockedm = r->gopc - (part[1] < 21   ? 64u
					: part[1] < 26 ? 72u
						       : 80u),
		.g_schedbp = r->syscallsp - 8, /* the last word of gobuf */
		.old_prologue = part[1] < 21,
		.g_labels = r->startpc + 48, /* in every version */
		.labels_list = part[1] >= 24,
	};
	/* in release candidates (1.25rc1) only ncgo and vdsoSP are not yet where the
	 * release has them. No other suffix (" X:boringcrypto", "-vendor") moves fields. */
	if (!strncmp(rest, "rc", 2) || !strncmp(rest, "beta", 4))
		ret->m_ncgo = ret->m_vdsosp = 0;
	return 0;
}

struct cursor golayout_code(const struct object *o, const char *name, uint64_t *entry)
{
	struct cursor code = { .bad = true };
	uint32_t len = 0;

	if (gopclntab_function(o->go, name, entry, &len))
		code = elf_at(o->elf, *entry);
	code.len = code.len < len ? code.len : len;
	return code;
}

static int find_slot(struct golayout *l, const struct object *o)
{
	bool arm64 = o->elf->machine == EM_AARCH64;
	const char *name = arm64 ? "runtime.load_g" : "runtime.stackcheck";
	struct gocode_slot slot;
	uint64_t entry = 0;
	struct cursor code = golayout_code(o, name, &entry);

	if (gocode_slot(&slot, arm64, code, entry)) {
		l->why = arm64 ? "the slot of g was not found in runtime.load_g"
			       : "the slot of g was not found in runtime.stackcheck";
		return -ENOTSUP;
	}
	l->layout.tls_g = slot.offset;
	l->got = slot.got;
	l->iscgo = slot.iscgo;
	l->slot_how = slot.got ? (arm64 ? "load_g (GOT)" : "stackcheck (GOT)") : name + 8;
	return 0;
}

/* The offset of runtime.tlsg in the program's TLS, if it is not stripped. */
static bool tlsg_find(const struct elf *elf, uint64_t *value)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	while (elf->lib && (scn = elf_nextscn(elf->lib, scn))) {
		Elf_Data *data = gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB
					 ? elf_getdata(scn, NULL)
					 : NULL;

		for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
			const char *s = GELF_ST_TYPE(sym.st_info) == STT_TLS
						? elf_strptr(elf->lib, sh.sh_link,
							     sym.st_name)
						: NULL;

			if (s && !strcmp(s, "runtime.tlsg")) {
				*value = sym.st_value;
				return true;
			}
		}
	}
	return false;
}

/* Compares the slot with where the ELF rules (TLS variant II) put it in the main
 * program. */
static void check_formula(struct golayout *l, const struct object *o)
{
	const struct elf *elf = o->elf;
	uint64_t mask = elf->tls.align - 1, tlsg = 0, size = elf->tls.size;

	if (l->got || elf->machine != EM_X86_64)
		return;
	if (elf->tls.align && !tlsg_find(elf, &tlsg) && (elf->tls.vaddr || size != 8))
		return; /* stripped: other variables may be in there */
	if (!elf->tls.align) {
		size = 8;
		mask = 0;
	}
	l->checks[CHECK_FORMULA].ran = true;
	l->checks[CHECK_FORMULA].ok =
		l->layout.tls_g ==
		(int64_t)(tlsg - (size + ((-elf->tls.vaddr - size) & mask)));
}

static void set(struct golayout *l, enum layout_field f, int64_t offset, const char *how)
{
	l->fields[f].offset = (int32_t)offset;
	l->fields[f].how = how;
}

/* The offset of a field in struct layout, or of the one that it follows. */
static uint32_t *in_layout(struct layout *l, enum layout_field f)
{
	return (uint32_t *)(void *)((char *)l + layout_fields[f].at);
}

static void fields_of_table(struct golayout *l)
{
	for (enum layout_field f = 0; f < FIELDS; f++) {
		uint32_t offset = *in_layout(&l->layout, f);

		if (!layout_fields[f].at)
			set(l, f, layout_fields[f].plus, "fixed");
		else
			set(l, f, offset ? (int64_t)offset + layout_fields[f].plus : -1,
			    "table");
	}
}

static bool fields_of_dwarf(struct golayout *l, const struct object *o)
{
	int32_t offsets[FIELDS];

	if (golayout_of_dwarf(offsets, o->elf))
		return false;
	if (offsets[FIELD_G_SCHED_BP] >= 0)
		offsets[FIELD_G_SCHED_BP] += G_SCHED_OFFSET;
	for (enum layout_field f = 0; f < FIELDS; f++)
		set(l, f, offsets[f], "dwarf");
	return true;
}

/* Decodes fields that the table may have wrong, because m changes in patch releases. */
static bool fields_of_code(struct golayout *l, const struct object *o)
{
	static const char how[] = "cgoSigtramp";
	struct gocode_fields f;
	uint32_t vdsosp;
	uint64_t entry;

	if (gocode_fields(&f, golayout_code(o, "runtime.cgoSigtramp", &entry)))
		return false;
	set(l, FIELD_G_M, f.g_m, how);
	set(l, FIELD_G_SYSCALLSP, f.g_syscallsp, how);
	set(l, FIELD_M_CURG, f.m_curg, how);
	set(l, FIELD_M_NCGO, f.m_ncgo, how);
	if (!gocode_vdsosp(&vdsosp, golayout_code(o, "runtime.nanotime1", &entry)))
		set(l, FIELD_M_VDSOSP, vdsosp, "nanotime1");
	return true;
}

/* Checks what the kernel side assumes: objects of at most 64 words, g.m and m.g0 at fixed
 * offsets. */
static bool fields_fit(const struct golayout *l)
{
	static const uint8_t needed[] = { FIELD_G_SYSCALLSP, FIELD_G_GOID,   FIELD_G_GOPC,
					  FIELD_G_STARTPC,   FIELD_M_PROCID, FIELD_M_CURG };

	for (size_t i = 0; i < sizeof(needed); i++)
		if (l->fields[needed[i]].offset <= 0)
			return false;
	for (enum layout_field f = 0; f < FIELDS; f++)
		if (l->fields[f].offset >= 64 * 8 - 8 && f != FIELD_M_VDSOSP)
			return false;
	return l->fields[FIELD_G_M].offset == G_M_OFFSET && !l->fields[FIELD_M_G0].offset &&
	       l->fields[FIELD_M_GSIGNAL].offset == l->fields[FIELD_M_PROCID].offset + 8;
}

static void layout_fill(struct golayout *l)
{
	for (enum layout_field f = 0; f < FIELDS; f++)
		if (layout_fields[f].at && !layout_fields[f].plus)
			*in_layout(&l->layout, f) = l->fields[f].offset > 0
							    ? (uint32_t)l->fields[f].offset
							    : 0;
}

/* The size of cgocall's frame. Up to Go 1.20 asmcgocall has no frame that saves cgocall's
 * frame pointer; it is found at the end of cgocall's own frame. */
static uint32_t cgocall_frame(const struct object *o)
{
	uint64_t entry;
	uint32_t len;

	return gopclntab_function(o->go, "runtime.cgocall", &entry, &len)
		       ? gopclntab_max_spdelta(o->go, entry)
		       : 0;
}

/* Finds Go's code and the parts of it that need special care, relative to the lowest
 * executable segment, which is what the kernel calls the start of the code. */
static void find_text(struct layout *l, const struct object *o)
{
	struct go_range ranges[BP_DATA_RANGES];
	uint32_t n = gopclntab_bp_data(o->go, ranges, BP_DATA_RANGES), len;
	uint64_t text = o->go->text, low = UINT64_MAX, entry;

	for (uint32_t i = 0; i < o->elf->n_segments; i++)
		if (o->elf->segments[i].executable && o->elf->segments[i].vaddr < low)
			low = o->elf->segments[i].vaddr;
	l->text = text - low;
	l->text_len = gopclntab_text_len(o->go);
	for (uint32_t i = 0; i < n; i++)
		l->bp_data[i] =
			(struct text_range){ (uint32_t)(ranges[i].start - text),
					     (uint32_t)(ranges[i].end - ranges[i].start) };
	if (n)
		l->bp_data_all = (struct text_range){
			l->bp_data[0].start, (uint32_t)(ranges[n - 1].end - ranges[0].start)
		};
	if (gopclntab_function(o->go, "runtime.cgocallback", &entry, &len))
		l->cgocallback = (struct text_range){ (uint32_t)(entry - text), len };
}

/* Sets ok, unless that needs a process. */
static int settle(struct golayout *l)
{
	if (!fields_fit(l)) {
		l->why = "the layout of its g and m is unknown";
		return -ENOTSUP;
	}
	layout_fill(l);
	l->layout.ok = !l->got && !l->iscgo && !l->unproved;
	return 0;
}

int golayout_find(struct golayout *ret, const struct object *o, bool dwarf)
{
	const char *why = NULL;
	char nearest[16];
	int64_t slot;

	*ret = (struct golayout){ 0 };
	if (!o->go) {
		ret->why = o->why ? o->why : "not a Go program";
		return -ENOTSUP;
	}
	if (find_slot(ret, o))
		return -ENOTSUP;
	check_formula(ret, o);
	slot = ret->layout.tls_g;
	if (golayout_of_version(&ret->layout, o->version, &why)) {
		ret->unproved = true;
		snprintf(nearest, sizeof(nearest), "go1.%d", o->go->minor);
		golayout_of_version(&ret->layout, nearest, &(const char *){ NULL });
	}
	ret->layout.ok = 0;
	ret->layout.tls_g = slot;
	if (ret->layout.old_prologue)
		ret->layout.cgocall_frame = cgocall_frame(o);
	find_text(&ret->layout, o);
	fields_of_table(ret);
	if (dwarf) {
		if (!fields_of_dwarf(ret, o)) {
			ret->why = "it has no DWARF";
			return -ENOTSUP;
		}
		ret->unproved = false;
	} else if ((ret->unproved || o->go->minor >= DECODED_MINOR) &&
		   !fields_of_code(ret, o) && ret->unproved) {
		ret->why = why;
		return -ENOTSUP;
	}
	return settle(ret);
}
