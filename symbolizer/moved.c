/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/moved.h"

#include <stdlib.h>

#include "profiler/base/arena.h"
#include "profiler/base/log.h"
#include "symbolizer/elf.h"
#include "symbolizer/image.h"
#include "symbolizer/object.h"
#include "symbolizer/space.h"

#define PAGE         ((uint64_t)4096)
#define MAX_COMPARED ((uint64_t)256 << 20) /* bytes per reading of the maps */

static uint64_t page_of(uint64_t addr)
{
	return addr & ~(PAGE - 1);
}

static uint64_t pages_to(uint64_t addr)
{
	return page_of(addr + PAGE - 1);
}

static void read_files(struct moved *v)
{
	struct cursor c = cursor_over(v->maps->data, v->maps->len);
	struct mapping m;

	v->searched = true;
	while (maps_next(&c, &m))
		if (m.inode)
			*table_add(v->files, v->n_files, v->cap_files) = m;
}

/* Does the process have the same `len` bytes at addr as the file at offset? Beyond the end
 * of the file they are not compared. */
static bool same_bytes(struct moved *v, const struct elf *e, uint64_t addr, uint64_t offset,
		       uint64_t len)
{
	uint64_t in_file;

	if (len > MAX_COMPARED - v->compared) {
		log_debug(
			"process %d: its text at %#llx is too large to be compared with its file",
			v->space->pid, (unsigned long long)addr);
		return false;
	}
	v->compared += len;
	if (offset >= e->size)
		return false;
	in_file = e->size - offset < len ? e->size - offset : len;
	return memory_is(v->space->thread, addr, e->data + offset, in_file) &&
	       !e->guard.changed;
}

/* With this bias, is m in an executable segment of e, and does it have its bytes? */
static bool is_text(struct moved *v, const struct elf *e, const struct mapping *m,
		    uint64_t bias, uint64_t *end)
{
	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];
		uint64_t start = page_of(s->vaddr) + bias;
		uint64_t offset = page_of(s->offset) + (m->start - start);

		if (!s->executable || m->start < start)
			continue;
		*end = pages_to(s->vaddr + s->filesz) + bias;
		if (m->start >= *end || *end < start)
			continue;
		if (*end > m->end)
			*end = m->end;
		return same_bytes(v, e, m->start, offset, *end - m->start);
	}
	return false;
}

/* Finds the text among the segments of the file that f maps. A page may belong to two
 * segments, so the bytes decide. */
static bool find_in(struct moved *v, const struct mapping *f, struct object *o,
		    const struct mapping *m, struct area *a)
{
	const struct elf *e = o->elf;
	uint64_t bias;

	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];

		if (f->offset < page_of(s->offset) ||
		    f->offset >= pages_to(s->offset + s->filesz))
			continue;
		bias = f->start - (page_of(s->vaddr) + (f->offset - page_of(s->offset)));
		if (!is_text(v, e, m, bias, &a->end))
			continue;
		a->start = m->start;
		a->delta = -bias;
		a->object = o;
		a->moved = true;
		return true;
	}
	return false;
}

static struct object *object_of(struct moved *v, uint32_t side, const struct mapping *f)
{
	if (v->last[side].start != f->start) {
		v->last[side].start = f->start;
		v->last[side].object = space_mapped(v->space, f, v->exe);
	}
	return v->last[side].object;
}

bool moved_find(struct moved *v, const struct mapping *m, const struct area *before,
		struct area *a)
{
	uint32_t after;

	if (before && before->moved && before->start == m->start && before->end <= m->end) {
		*a = *before;
		return true;
	}
	if (!v->searched)
		read_files(v);
	after = table_until(v->n_files, i, v->files[i].start <= m->start);
	for (uint32_t side = 0; side < 2; side++) {
		uint32_t i = side ? after : after - 1;
		struct object *o = i < v->n_files ? object_of(v, side, &v->files[i]) : NULL;

		if (o && o->elf && !object_changed(o) && find_in(v, &v->files[i], o, m, a))
			return true;
	}
	return false;
}

void moved_release(struct moved *v)
{
	free(v->files);
}
