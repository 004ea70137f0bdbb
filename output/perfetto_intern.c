/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/palette.h"
#include "output/perfetto.h"
#include "profiler/base/arena.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"

enum {
	BUF_BYTES = 1 << 16,
	PACKET = 1 << 3 | 2, /* the tag of Trace.packet */
	SEQUENCE = 1,        /* any number: all packets are of one writer */
	KIND_NATIVE = 1,
	KIND_KERNEL = 2,
	KIND_GC = 5,
	KIND_RUNTIME = 6,
	/* iids of mappings: 1, 2 and 3, then those of modules */
	MAPPING_KERNEL = 1,
	MAPPING_VDSO = 2,
	MAPPING_UNKNOWN = 3,
};

/* False the first time. */
static bool said(struct said *s, uint32_t row)
{
	bool ret;

	while (s->n <= row)
		*table_add(s->rows, s->n, s->cap) = false;
	ret = s->rows[row];
	s->rows[row] = true;
	return ret;
}

/* Packets. */

void perfetto_flush(struct perfetto *x)
{
	buf_write(&x->buf, x->out);
}

void perfetto_put(struct perfetto *x, Perfetto__TracePacket *packet)
{
	size_t len;

	packet->trusted_packet_sequence_id = SEQUENCE;
	len = perfetto__trace_packet__get_packed_size(packet);
	buf_u8(&x->buf, PACKET);
	buf_uvarint(&x->buf, len);
	x->buf.len += perfetto__trace_packet__pack(packet, buf_room(&x->buf, len));
	if (x->buf.len > BUF_BYTES)
		perfetto_flush(x);
}

void perfetto_put_interned(struct perfetto *x, Perfetto__InternedData *data)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	packet.sequence_flags = PERFETTO_NEEDS_STATE;
	packet.interned_data = data;
	perfetto_put(x, &packet);
}

char *perfetto_text(struct perfetto *x, const char *s)
{
	x->text.len = 0;
	plain_add(&x->text, s);
	return buf_text(&x->text);
}

/* Writes an entry of one of the tables: a pair of fields of InternedData. */
#define put_entry(x, field, message) \
	do { \
		Perfetto__InternedData data_ = PERFETTO__INTERNED_DATA__INIT; \
		typeof(message) *one_ = &(message); \
		data_.n_##field = 1; \
		data_.field = &one_; \
		perfetto_put_interned(x, &data_); \
	} while (0)

/* The same for a string. */
#define put_string(x, field, id, s) \
	do { \
		Perfetto__InternedString str_ = PERFETTO__INTERNED_STRING__INIT; \
		str_.iid = (id); \
		str_.str.data = (uint8_t *)perfetto_text(x, s); \
		str_.str.len = (x)->text.len; \
		put_entry(x, field, str_); \
	} while (0)

/* Frames. */

/* iid of a part of a path. */
static uint64_t path_part(struct perfetto *x, const char *s, size_t n)
{
	uint32_t id = strtab_addn(x->names, s, n);

	if (!said(&x->paths_said, id))
		put_string(x, mapping_paths, id + 1, strtab_get(x->names, id));
	return id + 1;
}

/* Raw bytes of the hexadecimal digits. Returns how many. */
static size_t from_hex(const char *hex, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	unsigned v;

	while (n < max && sscanf(hex + 2 * n, "%2x", &v) == 1)
		bytes[n++] = (uint8_t)v;
	return n;
}

static uint64_t build_id(struct perfetto *x, uint32_t string)
{
	const char *hex = profile_string(x->view->profile, string);
	Perfetto__InternedString s = PERFETTO__INTERNED_STRING__INIT;
	uint8_t bytes[32];

	if (!string || said(&x->builds_said, string))
		return string;
	s.iid = string;
	s.str.data = bytes;
	s.str.len = from_hex(hex, bytes, sizeof(bytes));
	put_entry(x, build_ids, s);
	return string;
}

/* Perfetto puts a slash before each part of a path. */
static uint32_t path_parts(struct perfetto *x, const char *path, uint64_t *parts,
			   uint32_t max)
{
	uint32_t n = 0;

	while (*path && n < max) {
		size_t len;

		path += strspn(path, "/");
		/* the last part has all that is left */
		len = n == max - 1 ? strlen(path) : strcspn(path, "/");
		if (len)
			parts[n++] = path_part(x, path, len);
		path += len;
	}
	return n;
}

static uint64_t mapping(struct perfetto *x, const struct frame *f)
{
	static const char *const others[] = {
		[MAPPING_KERNEL] = "kernel", /* what Perfetto calls it */
		[MAPPING_VDSO] = "[vdso]",
		[MAPPING_UNKNOWN] = "[unknown]",
	};
	const struct profile *p = x->view->profile;
	Perfetto__Mapping m = PERFETTO__MAPPING__INIT;
	uint64_t parts[32];

	m.iid = f->kind == FRAME_KERNEL ? MAPPING_KERNEL
		: f->kind == FRAME_VDSO ? MAPPING_VDSO
					: MAPPING_UNKNOWN + f->module;
	if (said(&x->mappings_said, (uint32_t)m.iid))
		return m.iid;
	if (m.iid <= MAPPING_UNKNOWN) {
		m.n_path_string_ids = path_parts(x, others[m.iid], parts, 1);
	} else {
		m.n_path_string_ids = path_parts(
			x, profile_string(p, p->modules[f->module].path), parts, 32);
		m.build_id = build_id(x, p->modules[f->module].build_id);
	}
	m.path_string_ids = parts;
	put_entry(x, mappings, m);
	return m.iid;
}

static void set_kind(Perfetto__Frame *f, enum palette palette)
{
	static char go[] = "go";
	static const uint8_t kinds[PALETTE_MAX] = {
		[PALETTE_RUNTIME] = KIND_RUNTIME, [PALETTE_GC] = KIND_GC,
		[PALETTE_KERNEL] = KIND_KERNEL,   [PALETTE_NATIVE] = KIND_NATIVE,
		[PALETTE_VDSO] = KIND_NATIVE,
	};

	if (kinds[palette]) {
		f->type_case = PERFETTO__FRAME__TYPE_KIND;
		f->kind = kinds[palette];
	} else if (palette != PALETTE_UNNAMED) {
		f->type_case = PERFETTO__FRAME__TYPE_KIND_STR;
		f->kind_str = go;
	}
}

/* iid of a frame. */
static uint64_t frame(struct perfetto *x, uint32_t row)
{
	const struct frame *from = view_frame(x->view, row);
	Perfetto__Frame f = PERFETTO__FRAME__INIT;
	uint32_t name = x->name_of[row];

	if (said(&x->frames_said, row))
		return row + 1;
	if (!said(&x->names_said, name))
		put_string(x, function_names, name + 1, strtab_get(x->names, name));
	if (from->file && !said(&x->files_said, from->file))
		put_string(x, source_paths, from->file,
			   profile_string(x->view->profile, from->file));
	f.iid = row + 1;
	f.function_name_id = name + 1;
	f.mapping_id = mapping(x, from);
	f.rel_pc = from->addr;
	f.source_path_iid = from->file;
	f.line_number = from->line;
	set_kind(&f, palette_of(x->view, row));
	put_entry(x, frames, f);
	return row + 1;
}

uint32_t perfetto_stack(struct perfetto *x, const struct event *e)
{
	uint32_t stack = stacks_add(&x->stacks, e), first = VIEW_MAX_FRAMES;
	Perfetto__Callstack c = PERFETTO__CALLSTACK__INIT;

	if (!stack || said(&x->stacks_said, stack))
		return stack;
	for (uint32_t s = stack; s; s = x->stacks.rows[s].parent)
		x->path[--first] = frame(x, x->stacks.rows[s].frame);
	c.iid = stack;
	c.frame_ids = x->path + first;
	c.n_frame_ids = VIEW_MAX_FRAMES - first;
	put_entry(x, callstacks, c);
	return stack;
}

/* Goroutines. */

static void add_goroutine(struct perfetto *x, uint32_t row)
{
	const struct goroutine *g = &x->view->profile->goroutines[row];
	uint32_t id = pairs_add(&x->goroutines, g->process, g->goid);

	if (id == x->n_goroutines)
		x->goroutine_row[x->n_goroutines++] = row;
}

/* Those of the view's events come first: rows of one goroutine may differ in what is known
 * of it. */
static void find_goroutines(struct perfetto *x)
{
	const struct view *v = x->view;
	const struct profile *p = v->profile;
	bool *seen = mem_zalloc(p->n_goroutines * sizeof(*seen));

	x->goroutine_row = mem_zalloc(p->n_goroutines * sizeof(*x->goroutine_row));
	for (uint32_t i = 0; i < v->n_events; i++) {
		uint32_t row = p->events[v->events[i]].goroutine;

		if (row && !seen[row])
			add_goroutine(x, row);
		seen[row] = true;
	}
	for (uint32_t i = 1; i < p->n_goroutines; i++)
		add_goroutine(x, i);
	free(seen);
}

/* iid of a goroutine. Those of different processes may have equal ids, and one with
 * several sets of labels has several rows. */
static uint32_t goroutine_iid(struct perfetto *x, uint32_t process, uint64_t goid)
{
	return goid ? pairs_add(&x->goroutines, process, goid) + 1 : 0;
}

/* A row of it; 0: none, it was never sampled. */
static uint32_t row_of(const struct perfetto *x, uint32_t iid)
{
	return iid <= x->n_goroutines ? x->goroutine_row[iid - 1] : 0;
}

/* iid of the goroutine that created it; 0: not known. */
static uint32_t parent_of(struct perfetto *x, uint32_t iid)
{
	const struct goroutine *g = &x->view->profile->goroutines[row_of(x, iid)];

	return goroutine_iid(x, g->process, g->parent_goid);
}

/* A goroutine without samples has its number only. */
static void put_goroutine(struct perfetto *x, uint32_t iid)
{
	static char kind[] = "goroutine";
	uint32_t row = row_of(x, iid), runs = view_runs(x->view, row);
	Perfetto__AsyncContextDescriptor d = PERFETTO__ASYNC_CONTEXT_DESCRIPTOR__INIT;
	struct buf name = { 0 };

	buf_printf(&name, "goroutine %" PRIu64 "%s", x->goroutines.rows[iid - 1].b,
		   runs ? " " : "");
	view_go_name(x->view, x->view->profile->goroutines[row].process,
		     profile_string(x->view->profile, runs), &name);
	d.iid = iid;
	d.name = perfetto_text(x, buf_text(&name));
	d.kind = kind;
	d.parent_iid = parent_of(x, iid);
	put_entry(x, async_context_descriptors, d);
	buf_release(&name);
}

/* Writes those that created a goroutine, then itself. */
static void put_goroutines(struct perfetto *x, uint32_t iid)
{
	uint32_t n = 0;

	for (; iid && !said(&x->goroutines_said, iid); iid = parent_of(x, iid))
		*table_add(x->climbed, n, x->cap_climbed) = iid;
	while (n)
		put_goroutine(x, x->climbed[--n]);
}

uint32_t perfetto_task(struct perfetto *x, const struct event *e)
{
	const struct profile *p = x->view->profile;
	const struct thread *t = &p->threads[e->thread];
	const struct goroutine *g = &p->goroutines[e->goroutine];
	Perfetto__TaskContext c = PERFETTO__TASK_CONTEXT__INIT;
	uint32_t n = x->tasks.n, id;

	c.async_id = goroutine_iid(x, g->process, g->goid);
	id = pairs_add(&x->tasks, c.async_id, e->thread);
	if (id < n)
		return id + 1;
	put_goroutines(x, (uint32_t)c.async_id);
	c.iid = id + 1;
	c.pid = p->processes[t->process].tgid;
	c.tid = t->tid;
	put_entry(x, task_contexts, c);
	return id + 1;
}

void perfetto_init(struct perfetto *x)
{
	const struct profile *p = x->view->profile;

	x->stacks.view = x->view;
	x->names = strtab_new();
	x->name_of = frame_names(x->view, x->names);
	for (uint32_t i = 0; i < p->n_frames; i++)
		x->kernel_known |= p->frames[i].kind == FRAME_KERNEL;
	find_goroutines(x);
}

void perfetto_release(struct perfetto *x)
{
	struct said *all[] = { &x->names_said,    &x->paths_said,     &x->files_said,
			       &x->builds_said,   &x->frames_said,    &x->stacks_said,
			       &x->mappings_said, &x->goroutines_said };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		free(all[i]->rows);
	stacks_release(&x->stacks);
	pairs_release(&x->goroutines);
	pairs_release(&x->tasks);
	strtab_free(x->names);
	buf_release(&x->buf);
	buf_release(&x->text);
	free(x->name_of);
	free(x->goroutine_row);
	free(x->climbed);
}
