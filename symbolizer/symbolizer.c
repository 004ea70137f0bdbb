/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look-up has two steps, both cached: an address of a process is found in the areas of
 * its space, which gives an object and an address in its file; that address is looked up in
 * the object. So what is learned in one process serves all processes that map the file, and
 * unmapped addresses stay out of objects.
 */
#include "symbolizer/symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/elf.h"
#include "symbolizer/framecache.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/kallsyms.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/space.h"

struct symbolizer *symbolizer_new(struct strtab *strs)
{
	struct symbolizer *s = mem_zalloc(sizeof(*s));

	s->strs = strs;
	(void)table_add(s->rows, s->n_rows, s->cap_rows);
	*s->rows = (struct module_row){ .path = "", .build_id = "", .go_module = "" };
	return s;
}

const char *symbolizer_string(const struct symbolizer *s, uint32_t id)
{
	return strtab_get(s->strs, id);
}

/* The text in strs, where it stays. */
static const char *keep(struct symbolizer *s, const char *text)
{
	return strtab_get(s->strs, strtab_add(s->strs, text));
}

void symbolizer_renew(struct symbolizer *s, struct strtab *strs)
{
	s->strs = strs;
	s->n_rows = 1;
	index_release(&s->row_index);
	for (uint32_t i = 0; i < s->objects.n; i++) {
		s->objects.rows[i]->row = 0;
		framecache_release(&s->objects.rows[i]->cache);
	}
}

void symbolizer_close(struct symbolizer *s)
{
	if (!s)
		return;
	objects_release(&s->objects);
	free(s->rows);
	free(s->changed);
	index_release(&s->row_index);
	kallsyms_close(s->kernel);
	free(s);
}

const struct module_row *symbolizer_module(const struct symbolizer *s, uint32_t id)
{
	return &s->rows[id];
}

/* A file that is opened again gets the same row: strs has each string once. */
static uint32_t row_get(struct symbolizer *s, const char *path, const char *build_id,
			const char *go_module, uint32_t go_minor, struct text_pages text)
{
	struct module_row row = {
		.path = keep(s, path),
		.build_id = keep(s, build_id),
		.go_module = keep(s, go_module),
		.go_minor = go_minor,
		.text = text,
	};

	return index_put(&s->row_index, s->rows, s->n_rows, s->cap_rows, &row, sizeof(row));
}

/* The text of an unpacked program is in no file. */
static struct text_pages object_text(const struct object *o)
{
	return o->elf && (!o->bytes || o->vdso) ? elf_text(o->elf)
						: (struct text_pages){ 0 };
}

static uint32_t object_row(struct symbolizer *s, struct object *o)
{
	char go_module[GO_MODULE_MAX] = "";

	if (o->row)
		return o->row;
	if (o->go)
		gobuildinfo_module(o->elf, go_module);
	o->row = row_get(s, o->path, o->elf ? o->elf->build_id : "", go_module,
			 o->go ? o->go->minor : 0, object_text(o));
	return o->row;
}

/* Not cached: the module may go away. */
static int added_frames(struct symbolizer *s, const struct area *a, uint64_t addr,
			struct frame *out, int cap)
{
	struct gopclntab t = a->added->table;
	int n = gopclntab_resolver.find(&t, addr, s->strs, out, cap);

	if (n <= 0) {
		*out = (struct frame){ .addr = addr };
		n = 1;
	}
	for (int i = 0; i < n; i++)
		out[i].module = row_get(s, a->object->path, "", "", t.minor,
					(struct text_pages){ 0 });
	return n;
}

/* Has the object changed? Counts each change once. */
static bool is_changed(struct symbolizer *s, struct object *o)
{
	if (!object_changed(o))
		return false;
	if (!o->counted) {
		s->changes++;
		free(s->changed);
		s->changed = mem_strdup(o->path);
	}
	o->counted = true;
	return true;
}

uint32_t symbolizer_check(struct symbolizer *s, uint32_t n)
{
	for (; n && s->objects.n; n--, s->check_next++) {
		struct object *o = s->objects.rows[s->check_next %= s->objects.n];

		object_check(o);
		is_changed(s, o);
	}
	return s->changes;
}

int symbolizer_user(struct symbolizer *s, struct space *sp, uint64_t addr,
		    struct frame *out, int cap, bool *unmapped)
{
	const struct area *a = space_area(sp, addr);
	struct frame fresh[FRAMES_AT_PC];
	struct framecache_row *row;
	struct object *o;
	int n;

	if (unmapped)
		*unmapped = !a;
	if (!a) {
		*out = (struct frame){ .addr = addr };
		return 1;
	}
	if (a->added)
		return added_frames(s, a, addr, out, cap);
	o = a->object;
	addr += a->delta;
	object_row(s, o);
	/* not cached: there may be any number of addresses and nothing to learn */
	if (!o->n_sources || is_changed(s, o))
		return object_resolve(o, addr, s->strs, out);
	row = framecache_get(&o->cache, addr);
	if (!row->n)
		framecache_fill(&o->cache, row, fresh,
				object_resolve(o, addr, s->strs, fresh));
	n = (int)row->n < cap ? (int)row->n : cap;
	memcpy(out, o->cache.frames + row->first, (size_t)n * sizeof(*out));
	return n;
}

void symbolizer_load_kernel(struct symbolizer *s)
{
	if (!s->kernel_tried)
		kallsyms_open(&s->kernel, "/proc/kallsyms", &s->kernel_why);
	s->kernel_tried = true;
}

void symbolizer_kernel(struct symbolizer *s, uint64_t addr, struct frame *out)
{
	const char *name = "", *module = "[kernel]";

	symbolizer_load_kernel(s);
	if (s->kernel)
		kallsyms_find(s->kernel, addr, &name, &module);
	*out = (struct frame){
		.addr = addr,
		.func = strtab_add(s->strs, name),
		.module = row_get(s, module, "", "", 0, (struct text_pages){ 0 }),
		.kind = FRAME_KERNEL,
	};
}

uint32_t symbolizer_changed(struct symbolizer *s, const char **path)
{
	for (uint32_t i = 0; i < s->objects.n; i++)
		is_changed(s, s->objects.rows[i]);
	*path = s->changed;
	return s->changes;
}

void space_mark(struct space *sp)
{
	for (uint32_t i = 0; sp && i < sp->n_areas; i++)
		sp->areas[i].object->in_use = true;
	for (uint32_t i = 0; sp && i < sp->n_runtimes && i < RUNTIMES_MAX; i++)
		sp->runtimes[i].object->in_use = true;
	if (sp && sp->exe)
		sp->exe->in_use = true;
	if (sp && sp->image)
		sp->image->in_use = true;
}

bool symbolizer_crowded(const struct symbolizer *s)
{
	return objects_crowded(&s->objects);
}

void symbolizer_rest(const struct symbolizer *s)
{
	objects_rest(&s->objects);
}

void symbolizer_sweep(struct symbolizer *s, void (*fn)(void *arg, const struct object *o),
		      void *arg)
{
	const char *unused;

	if (s->vdso)
		s->vdso->in_use = true;
	symbolizer_changed(s, &unused); /* before some are closed */
	objects_sweep(&s->objects, fn, arg);
}

const char *symbolizer_kernel_why(const struct symbolizer *s)
{
	return s->kernel_why;
}

bool space_go_pc(struct space *sp, uint64_t pc, struct go_pc *ret)
{
	const struct area *a = space_area(sp, pc);
	uint64_t delta = 0;

	*ret = (struct go_pc){ 0 };
	if (!a)
		return false;
	if (a->added) {
		gopclntab_pc(&a->added->table, pc, ret);
		ret->since = a->added->since;
	} else if (a->object->go) {
		delta = a->delta;
		object_go_pc(a->object, pc + delta, ret);
	}
	if (ret->entry)
		ret->entry -= delta;
	ret->mapped = true;
	ret->code = area_code(a);
	return ret->go;
}

bool space_is_go(struct space *sp, uint64_t pc)
{
	struct go_pc f;

	return space_go_pc(sp, pc, &f);
}

struct object *space_object(const struct space *sp, uint64_t addr, uint64_t *file_addr)
{
	const struct area *a = space_area(sp, addr);

	if (!a)
		return NULL;
	*file_addr = addr + a->delta;
	return a->object;
}

uint32_t space_start_function(struct space *sp, uint64_t startpc)
{
	const struct area *a = space_area(sp, startpc);

	if (a && a->added)
		return gopclntab_start(&a->added->table, startpc, sp->s->strs);
	return a && a->object->go
		       ? gopclntab_start(a->object->go, startpc + a->delta, sp->s->strs)
		       : 0;
}
