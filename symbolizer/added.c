/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/added.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/base/index.h"
#include "symbolizer/gomodule.h"
#include "symbolizer/image.h"
#include "symbolizer/object.h"
#include "symbolizer/space.h"

enum {
	BATCH = 256,     /* modules read at once */
	COMPARED = 4096, /* bytes around an address that must be the same as before */
};

/* 0; -ESRCH: the process is gone; -EFAULT: not all of it could be read. */
static int memory_get(const struct space *sp, const struct go_region *from, uint32_t n,
		      void *to)
{
	struct iovec local = { .iov_base = to }, remote[BATCH];
	ssize_t got;

	for (uint32_t i = 0; i < n; i++) {
		remote[i].iov_base = (void *)(uintptr_t)from[i].addr;
		remote[i].iov_len = from[i].len;
		local.iov_len += from[i].len;
	}
	got = process_vm_readv(sp->thread, &local, 1, remote, n, 0);
	if (got < 0 && errno == ESRCH)
		return -ESRCH;
	return got == (ssize_t)local.iov_len ? 0 : -EFAULT;
}

/* A hash of everything that distinguishes one module from another. */
static uint64_t module_hash(uint64_t addr, const struct go_module *m)
{
	struct go_module same = *m;

	same.next = addr;
	return hash_bytes(&same, sizeof(same));
}

static uint64_t link_hash(const struct go_module *m)
{
	return hash_bytes(m, sizeof(*m));
}

static void module_free(struct added_module *m)
{
	if (m) {
		free(m->bytes);
		free(m->funcdata);
	}
	free(m);
}

void added_release(struct added *a)
{
	for (uint32_t i = 0; i < a->n_modules; i++)
		module_free(a->modules[i]);
	free(a->modules);
	free(a->links);
	*a = (struct added){ 0 };
}

/* Is this executable memory whose bytes are in no file that we could read? */
static bool is_bare(const struct area *a)
{
	const struct object *o = a->object;

	return !o->elf && !o->vdso && (o->key.inode || !strncmp(o->path, "[anon", 5));
}

/* Is m in memory where a module that is not from a file can be? */
static bool is_added(const struct space *sp, const struct go_module *m)
{
	const struct area *a = space_area(sp, m->start);

	return a && is_bare(a);
}

/* Reads the inline trees of a table, if it has any. */
static void funcdata_read(const struct space *sp, struct added_module *a, uint64_t addr,
			  size_t room)
{
	uint64_t len = gopclntab_funcdata_len(&a->table);

	if (!len || len > room)
		return;
	a->funcdata = mem_zalloc(len);
	if (!memory_get(sp, &(struct go_region){ addr, len }, 1, a->funcdata))
		a->table.funcdata = cursor_over(a->funcdata, len);
	a->size += len;
}

/* NULL: unreadable, larger than `room`, or not plausible. */
static struct added_module *module_read(const struct space *sp,
					const struct gopclntab *like,
					const struct go_module *m, size_t room)
{
	struct go_region from[MODULE_REGIONS + 1], head = { m->header, 16 };
	uint64_t size = m->end - m->start, code = 0;
	struct added_module *a;
	uint8_t header[16];

	memcpy(from, m->regions, sizeof(m->regions));
	from[MODULE_REGIONS] = (struct go_region){ m->start, size };
	for (int i = 0; i < MODULE_REGIONS; i++)
		code += m->regions[i].len;
	if (size > room || code > room - size || memory_get(sp, &head, 1, header))
		return NULL;
	a = mem_zalloc(sizeof(*a));
	a->start = m->start;
	a->end = m->end;
	a->size = size + code;
	a->bytes = mem_zalloc(a->size);
	a->code = a->bytes + code;
	if (memory_get(sp, from, MODULE_REGIONS + 1, a->bytes) ||
	    gomodule_table(&a->table, like, m, a->bytes, header)) {
		module_free(a);
		return NULL;
	}
	funcdata_read(sp, a, m->funcdata, room - a->size);
	return a;
}

/* Reuses a module found before, if its code is still the same. If not, the module stays but
 * has no names, because nobody has told the runtime about the new code. */
static struct added_module *module_keep(const struct space *sp, struct added *old,
					uint64_t hash)
{
	for (uint32_t i = 0; i < old->n_modules; i++) {
		struct added_module *m = old->modules[i];

		if (!m || m->hash != hash)
			continue;
		old->modules[i] = NULL;
		if (!m->spoilt &&
		    !memory_is(sp->thread, m->start, m->code, m->end - m->start))
			m->spoilt = true;
		return m;
	}
	return NULL;
}

/* Reads the module at addr and those that follow it in the list. */
static void list_read(struct space *sp, struct added *old, const struct gopclntab *like,
		      uint64_t addr)
{
	uint8_t bytes[GO_MODULE_BYTES];
	struct added *a = &sp->added;
	struct added_module *added;
	struct go_module m;

	while (addr && a->n_links < ADDED_LINKS) {
		struct go_region from = { addr, sizeof(bytes) };
		uint64_t hash;

		if (memory_get(sp, &from, 1, bytes) ||
		    !gomodule_parse(&m, like, cursor_over(bytes, sizeof(bytes))))
			break;
		*table_add(a->links, a->n_links,
			   a->cap_links) = (struct added_link){ addr, link_hash(&m), like };
		/* One that was found stays also while its memory is not executable: the
		 * program may then be writing other code. */
		hash = module_hash(addr, &m);
		added = module_keep(sp, old, hash);
		if (!added && is_added(sp, &m))
			added = module_read(sp, like, &m, ADDED_BYTES - a->size);
		/* one that was kept may now come after others that have used up the
		 * room */
		if (added && added->size > ADDED_BYTES - a->size) {
			module_free(added);
			added = NULL;
		}
		if (added) {
			added->hash = hash;
			a->size += added->size;
			*table_add(a->modules, a->n_modules, a->cap_modules) = added;
		}
		addr = m.next;
	}
}

static int module_cmp(const void *a, const void *b)
{
	const struct added_module *const *x = a, *const *y = b;

	return ascending((*x)->start, (*y)->start);
}

/* If two modules claim the same code, neither is trusted: a real runtime has no such
 * modules. */
static void find_doubtful(struct added *a)
{
	struct added_module *last = NULL;

	table_sort(a->modules, a->n_modules, module_cmp);
	for (uint32_t i = 0; i < a->n_modules; i++) {
		struct added_module *m = a->modules[i];

		m->doubtful = last && m->start < last->end;
		if (m->doubtful)
			last->doubtful = true;
		if (!last || m->end > last->end)
			last = m;
	}
}

/* Splits an area at the ends of modules. *next is the first module that may be in it. */
static void divide(struct space *sp, const struct area *whole, struct area **areas,
		   uint32_t *n, uint32_t *cap, uint32_t *next)
{
	const struct added *a = &sp->added;
	struct area rest = *whole, part;

	while (*next < a->n_modules && a->modules[*next]->start < whole->end) {
		struct added_module *m = a->modules[*next];

		if (m->end > rest.start && !m->doubtful && !m->spoilt) {
			part = rest;
			part.end = m->start > rest.start ? m->start : rest.start;
			if (part.start < part.end)
				*table_add(*areas, *n, *cap) = part;
			part.start = part.end;
			part.end = m->end < whole->end ? m->end : whole->end;
			part.added = m;
			*table_add(*areas, *n, *cap) = part;
			rest.start = part.end;
		}
		if (m->end > whole->end)
			break;
		(*next)++;
	}
	if (rest.start < rest.end)
		*table_add(*areas, *n, *cap) = rest;
}

static void place(struct space *sp)
{
	struct area *areas = NULL;
	uint32_t n = 0, cap = 0, next = 0;

	for (uint32_t i = 0; i < sp->n_areas; i++) {
		if (is_bare(&sp->areas[i]))
			divide(sp, &sp->areas[i], &areas, &n, &cap, &next);
		else
			*table_add(areas, n, cap) = sp->areas[i];
	}
	free(sp->areas);
	sp->areas = areas;
	sp->n_areas = n;
	sp->cap_areas = cap;
}

/* A sample may be older than the list we have read. Where there was executable memory
 * before, the sample may be of other code. */
static void find_since(struct space *sp, const struct space *before)
{
	uint64_t now = clock_now_ns();

	for (uint32_t i = 0; i < sp->added.n_modules; i++) {
		struct added_module *m = sp->added.modules[i];

		if (!m->seen && space_meets(before, m->start, m->end))
			m->since = now;
		m->seen = true;
	}
}

void added_find(struct space *sp, const struct space *before)
{
	struct added old = sp->added;
	const struct go_runtime *r;

	sp->added = (struct added){ 0 };
	for (uint32_t i = 0; (r = space_runtime(sp, i)); i++)
		if (r->object->go->module && !object_changed(r->object))
			list_read(sp, &old, r->object->go, r->object->go->module + r->bias);
	added_release(&old);
	if (!sp->added.n_modules)
		return;
	find_since(sp, before);
	find_doubtful(&sp->added);
	place(sp);
}

/* Have the lists changed since they were read? */
static bool lists_changed(const struct space *sp)
{
	const struct added *a = &sp->added;
	uint8_t *bytes = mem_zalloc((size_t)BATCH * GO_MODULE_BYTES);
	struct go_region from[BATCH];
	struct go_module m;
	bool changed = false;
	int err = 0;

	for (uint32_t i = 0, n; !changed && !err && i < a->n_links; i += n) {
		n = a->n_links - i < BATCH ? a->n_links - i : BATCH;
		for (uint32_t j = 0; j < n; j++)
			from[j] = (struct go_region){ a->links[i + j].addr,
						      GO_MODULE_BYTES };
		err = memory_get(sp, from, n, bytes);
		for (uint32_t j = 0; !err && !changed && j < n; j++) {
			struct cursor c = cursor_over(bytes + (size_t)j * GO_MODULE_BYTES,
						      GO_MODULE_BYTES);

			changed = !gomodule_parse(&m, a->links[i + j].like, c) ||
				  link_hash(&m) != a->links[i + j].hash;
		}
	}
	free(bytes);
	return changed || err == -EFAULT;
}

/* Has the code at addr changed since its module was found? */
static bool code_changed(const struct space *sp, const struct added_module *m,
			 uint64_t addr)
{
	uint64_t start = addr - COMPARED / 2, end = addr + COMPARED / 2;
	uint8_t code[COMPARED];
	struct go_region from;
	int err;

	start = addr - m->start > COMPARED / 2 ? start : m->start;
	end = m->end - addr > COMPARED / 2 ? end : m->end;
	from = (struct go_region){ start, end - start };
	err = memory_get(sp, &from, 1, code);
	return err == -EFAULT ||
	       (!err && memcmp(code, m->code + (start - m->start), end - start));
}

/* Drops the names of m, or all names if m is NULL. */
static void forget(struct space *sp, struct added_module *m)
{
	for (uint32_t i = 0; i < sp->n_areas; i++)
		if (!m || sp->areas[i].added == m)
			sp->areas[i].added = NULL;
	sp->generation++;
}

bool space_code_changed(struct space *sp, uint64_t addr, bool lists)
{
	const struct area *a = space_area(sp, addr);
	struct added_module *m = a ? a->added : NULL;

	if (!sp || !sp->pid)
		return false;
	if (m && code_changed(sp, m, addr)) {
		m->spoilt = true;
		forget(sp, m);
		return true;
	}
	if (lists && lists_changed(sp)) {
		forget(sp, NULL);
		return true;
	}
	return false;
}

enum space_code area_code(const struct area *a)
{
	return !a || !is_bare(a) ? CODE_OF_FILE : a->added ? CODE_ADDED : CODE_BARE;
}

enum space_code space_code(const struct space *sp, uint64_t addr)
{
	return area_code(space_area(sp, addr));
}

uint32_t space_generation(const struct space *sp)
{
	return sp ? sp->generation : 0;
}

bool space_same_code(const struct space *sp, uint64_t a, uint64_t b)
{
	const struct area *area = space_area(sp, a);

	return area && area == space_area(sp, b) && is_bare(area);
}
