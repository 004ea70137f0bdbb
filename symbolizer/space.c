/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces: what a process, or a file, has mapped, and which program that is. */
#include "symbolizer/space.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/index.h"
#include "profiler/base/living.h"
#include "profiler/base/log.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/image.h"
#include "symbolizer/maps.h"
#include "symbolizer/moved.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

enum {
	PAGE = 4096,
	/* bytes of /proc/PID/maps: 65,530 mappings, the kernel's limit, take 7 MB */
	MAX_MAPS = 64 << 20,
};

static const char vdso[] = "[vdso]", anon[] = "[anon]", deleted[] = " (deleted)";

/* Looks for a Go program that a packed program has unpacked. An image that is not Go is not
 * kept, because unpacking may not be finished. Processes of one file share the image. */
static void find_image(struct space *sp, const struct buf *text)
{
	struct cursor maps = cursor_over(text->data, text->len);
	struct image im;

	if (sp->image || !sp->exe || !sp->exe->elf || *sp->exe->version || sp->exe->go)
		return;
	while (!sp->image && !image_next(&im, sp->thread, &maps)) {
		struct object_key key = sp->exe->key;
		const char *path = sp->exe->path;
		void *bytes;

		key.size ^= hash_bytes(im.ph, sizeof(im.ph));
		sp->image = objects_find(&sp->s->objects, &key, path, strlen(path));
		if (sp->image)
			break;
		bytes = image_read(&im, sp->thread);
		if (!bytes)
			break;
		sp->image = object_of_bytes(bytes, im.size, &key, path, strlen(path));
		if (*sp->image->version && sp->image->go) {
			objects_keep(&sp->s->objects, sp->image);
		} else {
			object_free(sp->image);
			sp->image = NULL;
		}
	}
}

/* Reads the target of a link without " (deleted)"; "" if it cannot be read. */
static size_t link_read(const char *link, char path[PATH_MAX])
{
	ssize_t len = readlink(link, path, PATH_MAX - 1);
	size_t n = len < 0 ? 0 : (size_t)len, tail = sizeof(deleted) - 1;

	if (n > tail && !memcmp(path + n - tail, deleted, tail))
		n -= tail;
	path[n] = 0;
	return n;
}

/* /proc/PID/map_files needs no path and works for deleted files, but requires
 * CAP_CHECKPOINT_RESTORE. The program itself has a link that requires less. */
struct object *space_mapped(struct space *sp, const struct mapping *m, const char *exe)
{
	char file[PATH_MAX + 64];
	struct object *o;

	if (mapping_is(m, vdso))
		return objects_of_vdso(&sp->s->objects, sp->thread, m);
	if (!m->inode && m->path_len && *m->path == '[')
		return objects_of_name(&sp->s->objects, m->path, m->path_len);
	if (!m->inode && sp->image && !elf_at(sp->image->elf, m->start).bad)
		return sp->image;
	if (!m->inode)
		return objects_of_name(&sp->s->objects, anon, sizeof(anon) - 1);
	if (sp->exe && mapping_is(m, exe))
		return sp->exe;
	snprintf(file, sizeof(file), "/proc/%d/map_files/%llx-%llx", sp->thread,
		 (unsigned long long)m->start, (unsigned long long)m->end);
	o = objects_of_file(&sp->s->objects, file, 0, m->path, m->path_len, sp->root);
	if (o || m->deleted || m->path_len >= PATH_MAX)
		return o;
	snprintf(file, sizeof(file), "%s%.*s", sp->root, (int)m->path_len, m->path);
	return objects_of_file(&sp->s->objects, file, m->inode, m->path, m->path_len,
			       sp->root);
}

/* The index of the first area that ends after addr. */
static uint32_t area_behind(const struct space *sp, uint64_t addr)
{
	return table_until(sp ? sp->n_areas : 0, i, sp->areas[i].end <= addr);
}

bool space_meets(const struct space *sp, uint64_t start, uint64_t end)
{
	uint32_t i = area_behind(sp, start);

	return i < sp->n_areas && sp->areas[i].start < end;
}

struct area *space_area(const struct space *sp, uint64_t addr)
{
	uint32_t i = area_behind(sp, addr);

	return sp && i < sp->n_areas && sp->areas[i].start <= addr ? &sp->areas[i] : NULL;
}

/* The program that the process was started from. */
static const struct object *program(const struct space *sp)
{
	if (!sp)
		return NULL;
	return sp->image ? sp->image : sp->exe;
}

static bool has_all_code(const struct area *a)
{
	const struct gopclntab *go = a->object->go;
	uint64_t start = a->start + a->delta, end = a->end + a->delta;

	return go && start <= go->text && end >= go->text + gopclntab_text_len(go);
}

/* A program may map pages of its own file elsewhere: the same file a second time is another
 * runtime only with all of its code. */
static void add_runtime(struct space *sp, const struct area *a)
{
	uint64_t bias = -a->delta;
	bool again = false;

	for (uint32_t i = 0; i < sp->n_runtimes && i < RUNTIMES_MAX; i++) {
		if (sp->runtimes[i].object != a->object)
			continue;
		if (sp->runtimes[i].bias == bias)
			return;
		again = true;
	}
	if (again && !has_all_code(a))
		return;
	if (sp->n_runtimes < RUNTIMES_MAX)
		sp->runtimes[sp->n_runtimes] = (struct go_runtime){ a->object, bias };
	sp->n_runtimes++;
}

/* Adds Go runtimes in the areas that are not known yet. */
static void find_runtimes(struct space *sp)
{
	const struct object *o = program(sp);

	/* runtimes beyond RUNTIMES_MAX are only counted, so count them again */
	if (sp->n_runtimes > RUNTIMES_MAX)
		sp->n_runtimes = RUNTIMES_MAX;
	for (int own = 1; own >= 0; own--)
		for (uint32_t i = 0; i < sp->n_areas; i++)
			if (sp->areas[i].object->runtime &&
			    (sp->areas[i].object == o) == own)
				add_runtime(sp, &sp->areas[i]);
}

static struct area area_of_mapping(struct space *sp, const struct mapping *m,
				   const char *exe)
{
	struct area a = { .start = m->start, .end = m->end },
		    *before = space_area(sp, m->start);
	uint64_t vaddr = m->offset;

	a.object = space_mapped(sp, m, exe);
	/* a file deleted since the last reading is already open */
	if (!a.object && before && before->object->key.inode &&
	    mapping_is(m, before->object->path))
		a.object = before->object;
	if (!a.object) {
		log_debug("process %d: %.*s cannot be read, so its functions have no names",
			  sp->pid, (int)m->path_len, m->path);
		a.object = objects_of_name(&sp->s->objects, m->path, m->path_len);
	}
	if (a.object->elf)
		elf_vaddr(a.object->elf, m->offset, &vaddr);
	/* code that is not in a file keeps its address; the vDSO uses that of its image */
	if (m->inode || a.object->vdso)
		a.delta = vaddr - m->start;
	return a;
}

/* Makes areas of all executable mappings and finds the Go code in them. Returns the number
 * of areas. */
static uint32_t read_areas(struct space *sp, const struct buf *text, const char *exe)
{
	struct moved moved = { .space = sp, .maps = text, .exe = exe };
	struct cursor c = cursor_over(text->data, text->len);
	struct area *areas = NULL, a, rest;
	struct space before = *sp;
	uint32_t n = 0, cap = 0;
	struct mapping m;

	while (maps_next(&c, &m)) {
		if (!m.executable)
			continue;
		a = rest = area_of_mapping(sp, &m, exe);
		if (!a.object->elf && !a.object->vdso &&
		    moved_find(&moved, &m, space_area(sp, m.start), &a)) {
			*table_add(areas, n, cap) = a;
			rest.start = a.end;
		}
		if (rest.start < rest.end)
			*table_add(areas, n, cap) = rest;
	}
	moved_release(&moved);
	if (n) {
		sp->areas = areas;
		sp->n_areas = n;
		sp->cap_areas = cap;
		sp->generation++;
		find_runtimes(sp);
		added_find(sp, &before);
		free(before.areas);
	}
	return n;
}

int space_refresh(struct space *sp)
{
	char link[64], exe[PATH_MAX];
	struct buf text = { 0 };
	uint32_t n = 0;
	size_t len;
	int err;

	if (!sp->pid) /* a file, or a process that has ended */
		return -ESRCH;
	sp->thread = living_thread(sp->pid);
	snprintf(sp->root, sizeof(sp->root), "/proc/%d/root", sp->thread);
	snprintf(link, sizeof(link), "/proc/%d/maps", sp->thread);
	err = file_read(AT_FDCWD, link, MAX_MAPS, &text);
	if (err)
		goto out;
	snprintf(link, sizeof(link), "/proc/%d/exe", sp->thread);
	len = link_read(link, exe);
	if (!sp->exe)
		sp->exe = objects_of_file(&sp->s->objects, link, 0, exe, len, sp->root);
	find_image(sp, &text);
	n = read_areas(sp, &text, exe);
out:
	buf_release(&text);
	/* a process that is exiting has no mappings, and a kernel thread never has any */
	return err == -ENOENT || (!err && !n) ? -ESRCH : err;
}

int space_open(struct space **ret, struct symbolizer *s, pid_t pid)
{
	struct space *sp = mem_zalloc(sizeof(*sp));
	int err;

	sp->s = s;
	sp->pid = pid;
	err = space_refresh(sp);
	if (err)
		space_close(sp);
	else
		*ret = sp;
	return err;
}

static struct object *object_of_fd(struct symbolizer *s, int fd)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return objects_of_file(&s->objects, link, 0, path, link_read(link, path), "");
}

static void area_add(struct space *sp, uint64_t start, uint64_t size, uint64_t delta,
		     struct object *o)
{
	struct area *a = table_add(sp->areas, sp->n_areas, sp->cap_areas);

	*a = (struct area){
		.start = start, .end = start + size, .delta = delta, .object = o
	};
}

int space_open_file(struct space **ret, struct symbolizer *s, int fd)
{
	struct object *o = object_of_fd(s, fd);
	struct space *sp;

	if (!o || !o->elf)
		return o && o->why ? -ENOTSUP : -ENOEXEC;
	sp = mem_zalloc(sizeof(*sp));
	sp->s = s;
	sp->exe = o;
	area_add(sp, 0, UINT64_MAX, 0, o);
	find_runtimes(sp);
	*ret = sp;
	return 0;
}

/* The load bias of a process with its lowest executable segment at start_code. False: the
 * kernel would not have loaded it there. */
static bool load_bias(const struct elf *e, uint64_t start_code, uint64_t *bias)
{
	uint32_t i = 0;

	*bias = 0;
	if (e->fixed && !start_code)
		return true;
	while (i < e->n_segments && !e->segments[i].executable)
		i++;
	if (i == e->n_segments || !start_code)
		return false;
	*bias = start_code - e->segments[i].vaddr;
	return e->fixed ? !*bias : !(*bias & (PAGE - 1));
}

/* Our own vDSO, which is the same in every process. */
static struct object *vdso_here(struct symbolizer *s)
{
	struct buf text = { 0 };
	struct mapping m;

	if (!s->vdso && !file_read(AT_FDCWD, "/proc/self/maps", MAX_MAPS, &text)) {
		struct cursor c = cursor_over(text.data, text.len);

		while (!s->vdso && maps_next(&c, &m))
			if (mapping_is(&m, vdso))
				s->vdso = objects_of_vdso(&s->objects, getpid(), &m);
	}
	buf_release(&text);
	return s->vdso;
}

int space_open_gone(struct space **ret, struct symbolizer *s, const struct gone *gone)
{
	struct object *exe = gone->exe, *o;
	struct space *sp;
	uint64_t bias, vaddr;

	if (!exe || !exe->elf || !exe->go || !load_bias(exe->elf, gone->start_code, &bias))
		return -ENOTSUP;
	sp = mem_zalloc(sizeof(*sp));
	sp->s = s;
	sp->exe = exe;
	for (uint32_t i = 0; i < exe->elf->n_segments; i++) {
		const struct elf_segment *seg = &exe->elf->segments[i];

		if (seg->executable)
			area_add(sp, seg->vaddr + bias, seg->filesz, -bias, exe);
	}
	o = gone->vdso ? vdso_here(s) : NULL;
	/* it is mapped above the program */
	if (o && o->elf && elf_vaddr(o->elf, 0, &vaddr))
		area_add(sp, gone->vdso, o->key.size, vaddr - gone->vdso, o);
	find_runtimes(sp);
	*ret = sp;
	return 0;
}

void space_close(struct space *sp)
{
	if (!sp)
		return;
	free(sp->areas);
	added_release(&sp->added);
	free(sp);
}

static struct go_program program_of(const struct object *o)
{
	struct go_program p = { .path = "", .build_id = "" };
	size_t sections;

	if (!o)
		return p;
	p.path = o->path;
	p.build_id = o->elf ? o->elf->build_id : "";
	p.version = *o->version ? o->version : NULL;
	p.why = o->why;
	/* packers leave no sections; linkers do */
	p.packed = o->elf && !p.version && !elf_getshdrnum(o->elf->lib, &sections) &&
		   !sections;
	return p;
}

const struct go_runtime *space_runtime(const struct space *sp, uint32_t n)
{
	return sp && n < sp->n_runtimes && n < RUNTIMES_MAX ? &sp->runtimes[n] : NULL;
}

uint32_t space_runtimes(const struct space *sp)
{
	return sp ? sp->n_runtimes : 0;
}

const struct object *space_go(const struct space *sp, uint64_t *bias)
{
	const struct go_runtime *first = space_runtime(sp, 0);
	const struct object *o = program(sp);

	if (first) {
		*bias = first->bias;
		return first->object;
	}
	for (uint32_t i = 0; sp && i < sp->n_areas; i++) {
		const struct area *a = &sp->areas[i];

		/* or a library in a C program */
		if (a->object == o || ((!o || !o->go) && a->object->go)) {
			*bias = -a->delta;
			if (a->object->go)
				return a->object;
		}
	}
	return NULL;
}

static const void *constant_of(const struct elf *e, uint64_t vaddr, size_t len)
{
	for (uint32_t i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segments[i];
		uint64_t at = vaddr - s->vaddr;

		if (!s->writable && at < s->filesz && len <= s->filesz - at)
			return e->data + s->offset + at;
	}
	return NULL;
}

const void *space_constant(const struct space *sp, uint64_t addr, size_t len)
{
	const struct object *last = NULL;
	const void *found = NULL;

	for (uint32_t i = 0; sp && i < sp->n_areas && !found; i++) {
		const struct object *o = sp->areas[i].object;

		if (o->go && o != last && !object_changed(o))
			found = constant_of(o->elf, addr + sp->areas[i].delta, len);
		last = o;
	}
	return found;
}

void space_program(const struct space *sp, struct go_program *ret)
{
	uint64_t bias;
	const struct object *go = space_go(sp, &bias);

	*ret = program_of(program(sp));
	ret->exe = sp ? sp->exe : NULL;
	if (!go)
		return;
	/* a runtime in a shared Go library (-linkshared) may have no version; the program
	 * has */
	if (*go->version || !ret->version)
		ret->version = *go->version ? go->version : "unknown";
	ret->why = go->why;
}

int symbolizer_program(struct symbolizer *s, int fd, struct go_program *ret)
{
	struct object *o = object_of_fd(s, fd);
	int err = 0;

	if (!o || (!o->elf && !o->why))
		err = -ENOEXEC;
	else
		*ret = program_of(o);
	ret->exe = o;
	return err;
}

struct object *space_exe(const struct space *sp)
{
	return sp ? sp->exe : NULL;
}

struct listing {
	const struct gopclntab *go;
	int (*fn)(void *arg, const struct func *f);
	void *arg;
};

static int list_other(void *arg, const struct func *f)
{
	const struct listing *l = arg;

	return l->go && gopclntab_covers(l->go, f->addr) ? 0 : l->fn(l->arg, f);
}

int space_functions(const struct space *sp, int (*fn)(void *arg, const struct func *f),
		    void *arg)
{
	const struct object *o = program(sp);
	struct listing l = { o ? o->go : NULL, fn, arg };
	int ret = 0;

	for (uint32_t i = 0; o && i < o->n_sources && !ret; i++) {
		const struct source *s = &o->sources[i];

		ret = s->self == o->go ? s->resolver->each(s->self, fn, arg)
				       : s->resolver->each(s->self, list_other, &l);
	}
	return ret;
}
