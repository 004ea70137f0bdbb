/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/shown.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/filter.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/tree.h"
#include "symbolizer/goname.h"

enum { LOOKED = 0x80 }; /* a flag beside those of filter_text() */

void shown_name(struct buf *b, const struct profile *p, const struct tree_options *o,
		uint32_t frame)
{
	const struct frame *f = &p->frames[frame < p->n_frames ? frame : 0];
	const struct module *m = &p->modules[f->module];
	const char *module = profile_string(p, m->path), *slash = strrchr(module, '/');
	/* a Go program has C functions too */
	int minor = f->kind == FRAME_NATIVE || o->as_pprof ? 0 : m->go_minor;

	if (frame >= p->n_frames)
		buf_str(b, sigprof_names[frame - p->n_frames]);
	else if (f->func)
		goname_add(b, profile_string(p, f->func), minor);
	else if (f->kind == FRAME_CUT)
		buf_str(b, "[cut]");
	else if (f->kind == FRAME_VDSO)
		buf_str(b, "[vdso]");
	else if (f->kind == FRAME_KERNEL)
		buf_str(b, "[kernel]");
	else if (f->module)
		buf_printf(b, "%s+0x%" PRIx64, slash ? slash + 1 : module, f->addr);
	else
		buf_str(b, "[unknown]");
}

int shown_frames(const struct profile *p, const struct tree_options *o, uint32_t call,
		 uint32_t frames[2])
{
	uint32_t frame = p->calls[call].frame,
		 caller = p->calls[p->calls[call].parent].frame;
	uint8_t kind = p->frames[frame].kind;
	int n = 0;

	if (kind == FRAME_KERNEL ? o->only_user : o->only_kernel)
		return 0;
	/* A wrapper was left out on the way here: only its callee tells that it is shown. */
	if ((kind == FRAME_PANIC || kind == FRAME_SIGPANIC) &&
	    p->frames[caller].kind == FRAME_WRAPPER)
		frames[n++] = caller;
	if (kind != FRAME_GOEXIT && kind != FRAME_WRAPPER)
		frames[n++] = frame;
	return n;
}

/* Files and modules are looked at once, however many frames have them. */
static uint8_t string_flags(const struct selection *s, uint8_t *strings, uint32_t id)
{
	if (!(strings[id] & LOOKED))
		strings[id] = LOOKED | filter_text(s->o->filter, profile_string(s->p, id));
	return strings[id];
}

/* As in go tool pprof, a frame matches by its name, its file or its module. */
static uint8_t frame_flags(const struct selection *s, uint32_t frame, uint8_t *strings,
			   struct buf *name)
{
	const struct frame *f = &s->p->frames[frame < s->p->n_frames ? frame : 0];

	name->len = 0;
	shown_name(name, s->p, s->o, frame);
	buf_u8(name, 0);
	return (uint8_t)(filter_text(s->o->filter, (const char *)name->data) |
			 string_flags(s, strings, f->file) |
			 string_flags(s, strings, s->p->modules[f->module].path));
}

void selection_init(struct selection *s, const struct profile *p,
		    const struct tree_options *o)
{
	uint32_t frames[2], n_frames = p->n_frames + SIGPROF_MAX;
	struct buf name = { 0 };
	uint8_t *strings;

	*s = (struct selection){ .p = p, .o = o };
	if (!o->filter || !filter_by_stack(o->filter))
		return;
	strings = mem_zalloc(strtab_count(p->strings));
	s->frames = mem_zalloc(n_frames);
	for (uint32_t i = 1; i < n_frames; i++)
		s->frames[i] = frame_flags(s, i, strings, &name);
	s->calls = mem_zalloc(p->n_calls);
	for (uint32_t i = 1; i < p->n_calls; i++) {
		s->calls[i] = s->calls[p->calls[i].parent];
		for (int n = shown_frames(p, o, i, frames); n--;)
			s->calls[i] |= s->frames[frames[n]];
	}
	buf_release(&name);
	free(strings);
}

static uint8_t event_flags(const struct selection *s, const struct event *e)
{
	uint32_t frames[SIGPROF_CAP];
	uint8_t flags = 0;

	if (!s->o->as_pprof)
		return s->calls[e->call];
	for (uint32_t n = sigprof_stack(s->p, e, frames); n--;)
		flags |= s->frames[frames[n]];
	return flags;
}

bool selection_has(const struct selection *s, const struct event *e)
{
	const struct filter *f = s->o->filter;

	return !f || (filter_match(f, s->p, e) &&
		      (!s->frames || filter_stack(f, event_flags(s, e))));
}

void selection_release(struct selection *s)
{
	free(s->frames);
	free(s->calls);
	*s = (struct selection){ 0 };
}
