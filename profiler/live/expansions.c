/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/expansions.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/symbolizer.h"

enum { CHECK_FILES = 2, TIDY_EVERY = 1 << 14 /* rows */ };

void expansions_init(struct expansions *x, struct profile *profile,
		     struct symbolizer *symbolizer)
{
	struct frame cut = { .kind = FRAME_CUT };

	*x = (struct expansions){ .profile = profile, .symbolizer = symbolizer };
	*table_add(x->rows, x->n, x->cap) = (struct expansion){ .n = 1, .kind = FRAME_CUT };
	*table_add(x->frames, x->n_frames, x->cap_frames) = profile_frame(profile, &cut);
}

void expansions_release(struct expansions *x)
{
	free(x->rows);
	index_release(&x->index);
	free(x->frames);
	free(x->modules);
}

void expansions_tidy(struct expansions *x, struct procs *procs)
{
	uint32_t n = 0, n_frames = 0;
	uint32_t changes = symbolizer_check(x->symbolizer, CHECK_FILES);
	bool all = changes != x->changes;
	const struct proc *p;
	bool *lives;

	x->changes = changes;
	if (!all && x->n < 2 * x->tidied + TIDY_EVERY)
		return;
	lives = mem_zalloc(x->profile->n_processes);
	*lives = true; /* the kernel */
	for (uint32_t i = 0; !all && (p = procs_row(procs, i)); i++)
		lives[p->process] = true;
	index_release(&x->index);
	for (uint32_t i = 0; i < x->n; i++) {
		struct expansion e = x->rows[i];

		if (i != EXPANSION_CUT && (e.unmapped || e.old || !lives[e.process]))
			continue;
		memmove(x->frames + n_frames, x->frames + e.first,
			e.n * sizeof(*x->frames));
		e.first = n_frames;
		n_frames += e.n;
		x->rows[n] = e;
		if (i != EXPANSION_CUT)
			index_add(&x->index, hash_pair(e.addr, e.process), n);
		n++;
	}
	x->n = x->tidied = n;
	x->n_frames = n_frames;
	free(lives);
}

/* The profile's row for a module of the symbolizer. */
static uint32_t module_row(struct expansions *x, uint32_t id)
{
	const struct module_row *row = symbolizer_module(x->symbolizer, id);

	while (x->n_modules <= id)
		(void)table_add(x->modules, x->n_modules, x->cap_modules);
	if (id && !x->modules[id])
		x->modules[id] = profile_module(
			x->profile,
			&(struct module){
				.path = strtab_add(x->profile->strings, row->path),
				.build_id = strtab_add(x->profile->strings, row->build_id),
				.go_module = strtab_add(x->profile->strings,
							row->go_module),
				.go_minor = row->go_minor,
				.text = row->text,
			});
	return x->modules[id];
}

/* The profile's id for a string of the symbolizer. */
static uint32_t copy_string(struct expansions *x, uint32_t id)
{
	return strtab_add(x->profile->strings, symbolizer_string(x->symbolizer, id));
}

struct expansion_key {
	const struct expansions *x;
	uint64_t addr;
	uint32_t process;
};

static bool same_expansion(const void *arg, uint32_t id)
{
	const struct expansion_key *k = arg;
	const struct expansion *e = &k->x->rows[id];

	return e->addr == k->addr && e->process == k->process && !e->old;
}

/* Asks the symbolizer about e->addr: fills in *e, except first, and the profile's rows of
 * its frames. */
static void ask(struct expansions *x, struct proc *p, struct expansion *e,
		uint32_t rows[FRAMES_AT_PC])
{
	struct frame frames[FRAMES_AT_PC];
	int n = 1;

	if (!p) {
		symbolizer_kernel(x->symbolizer, e->addr, frames);
	} else if (p->space) {
		n = symbolizer_user(x->symbolizer, p->space, e->addr, frames, FRAMES_AT_PC,
				    &e->unmapped);
		e->code = (uint8_t)space_code(p->space, e->addr);
		e->generation = space_generation(p->space);
	} else {
		frames[0] = (struct frame){ .addr = e->addr };
	}
	e->kind = frames[n - 1].kind;
	e->n = (uint8_t)n;
	for (int i = 0; i < n; i++) {
		frames[i].module = module_row(x, frames[i].module);
		frames[i].func = copy_string(x, frames[i].func);
		frames[i].file = copy_string(x, frames[i].file);
		rows[i] = profile_frame(x->profile, &frames[i]);
	}
}

/* Do both have the same frames? rows: those of b. */
static bool same_frames(const struct expansions *x, const struct expansion *a,
			const struct expansion *b, const uint32_t *rows)
{
	return a->n == b->n && a->kind == b->kind && a->unmapped == b->unmapped &&
	       !memcmp(x->frames + a->first, rows, a->n * sizeof(*rows));
}

uint32_t expansion_find(struct expansions *x, struct proc *p, uint64_t addr)
{
	struct expansion_key k = { x, addr, p ? p->process : 0 };
	struct expansion now = { .addr = addr, .process = k.process }, *known;
	uint64_t hash = hash_pair(addr, k.process);
	uint32_t id = index_find(&x->index, hash, same_expansion, &k), rows[FRAMES_AT_PC];

	known = id == INDEX_NONE ? NULL : &x->rows[id];
	if (known && (known->code == CODE_OF_FILE ||
		      known->generation == space_generation(p->space)))
		return id;
	ask(x, p, &now, rows);
	if (known && same_frames(x, known, &now, rows)) {
		now.first = known->first;
		*known = now;
		return id;
	}
	if (known)
		known->old = true;
	now.first = x->n_frames;
	id = x->n;
	*table_add(x->rows, x->n, x->cap) = now;
	for (int i = 0; i < now.n; i++)
		*table_add(x->frames, x->n_frames, x->cap_frames) = rows[i];
	/* do not find it again: the next dlopen() may map this address */
	if (!now.unmapped)
		index_add(&x->index, hash, id);
	return id;
}

uint32_t expansion_of_user(struct expansions *x, struct proc *p, uint64_t addr,
			   uint64_t now_ns)
{
	uint32_t id = expansion_find(x, p, addr);
	const struct expansion *e = &x->rows[id];

	/* no RECORD_IMAGE has reported such code */
	if (!(e->unmapped ? proc_may_refresh(p, now_ns)
			  : proc_code_changed(p, addr, e->code, now_ns)))
		return id;
	procs_refresh(p);
	return expansion_find(x, p, addr);
}
