/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces of processes that have ended, from what the kernel side reported. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "symbolizer/elf.h"
#include "symbolizer/maps.h"
#include "symbolizer/object.h"
#include "symbolizer/space.h"
#include "symbolizer/symbolizer.h"

enum { PAGE = 4096 };

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
			if (mapping_is(&m, "[vdso]"))
				s->vdso = objects_of_vdso(&s->objects, getpid(), &m);
	}
	buf_release(&text);
	return s->vdso;
}

static void area_add(struct space *sp, uint64_t start, uint64_t size, uint64_t delta,
		     struct object *o)
{
	struct area *a = table_add(sp->areas, sp->n_areas, sp->cap_areas);

	*a = (struct area){
		.start = start, .end = start + size, .delta = delta, .object = o
	};
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
	space_find_runtimes(sp);
	*ret = sp;
	return 0;
}
