/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gzipped profile.proto, for go tool pprof and for go build -pgo. Names are the linker's,
 * as in profiles of runtime/pprof.
 *
 * A message is the concatenation of its parts, so the profile is written row by row: each
 * sample, location and function when it is complete, the mappings and all strings at the
 * end. What is kept are the samples' sums, and the ids of what was written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/gzfile.h"
#include "output/losses.h"
#include "output/pprof_labels.h"
#include "output/writer.h"
#include "profile.pb-c.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/stacks.h"
#include "profiler/profile/view.h"

/* The symbolizer finds no more calls at one address, but a file may have any number. */
enum { MAX_LINES = 64 };

/* The events with the same stack and the same labels. */
struct sum {
	uint64_t samples, weight;
};

/* A row of stacks as part of a location: the calls at one address, which are inlined into
 * each other. */
struct place {
	uint32_t calls;  /* row of pprof.calls */
	uint32_t caller; /* row of stacks: behind the last of them; 0: none */
	uint32_t n;      /* of them */
};

/* What is known of the frames of a module. */
struct resolved {
	uint32_t mapping; /* id; 0: no frame yet */
	bool functions, files, lines, inlined;
};

struct pprof {
	const struct view *view;
	FILE *out;          /* owned: compresses */
	struct buf message; /* scratch */
	size_t bytes;       /* written so far */
	struct strtab *strings;
	bool kinds;
	struct pprof_labels labels;
	struct stacks stacks;
	struct place *places; /* per row of stacks */
	uint32_t n_places, cap_places;
	struct pairs calls;  /* (row of frames, row of the call it is inlined into + 1) */
	uint32_t *locations; /* per row of calls: id; 0: not written yet */
	uint32_t n_location_rows, cap_locations, n_locations;
	/* (name and file, start line): id - 1 of the function */
	struct pairs functions;
	struct resolved *modules; /* per row */
	uint32_t *mappings;       /* per id - 1: row of modules */
	uint32_t n_mappings, cap_mappings;
	struct pairs samples; /* (row of stacks, pprof_labels_key()) */
	bool counts; /* samples are only counted, as in the runtime's goroutine profile */
	struct sum *sums; /* per row of samples */
	uint32_t n_sums, cap_sums;
	uint64_t path[VIEW_MAX_FRAMES]; /* of the sample at hand: ids of locations */
	Pprof__Line lines[MAX_LINES], *line_rows[MAX_LINES]; /* of the location */
};

static void put(struct pprof *x, const Pprof__Profile *part)
{
	size_t n = pprof__profile__get_packed_size(part);

	x->message.len = 0;
	pprof__profile__pack(part, buf_room(&x->message, n));
	fwrite(x->message.data, 1, n, x->out);
	x->bytes += n;
}

/* Puts one row of a repeated field. */
#define put_row(x, field, row) \
	do { \
		Pprof__Profile part = PPROF__PROFILE__INIT; \
		part.n_##field = 1; \
		part.field = row; \
		put(x, &part); \
	} while (0)

static int64_t text(struct pprof *x, const char *s)
{
	return pprof_text(x->strings, s, strlen(s));
}

static int64_t clamped(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* Functions and locations. */

static uint64_t function_get(struct pprof *x, const struct frame *f, const char *name)
{
	const struct profile *p = x->view->profile;
	int64_t id = text(x, name), file = text(x, profile_string(p, f->file));
	uint32_t n = x->functions.n;
	uint32_t row = pairs_add(&x->functions, (uint64_t)id << 32 | (uint64_t)file,
				 f->start_line);
	Pprof__Function function = PPROF__FUNCTION__INIT, *one = &function;

	if (row == n) {
		function.id = row + 1;
		function.name = function.system_name = id;
		function.filename = file;
		function.start_line = f->start_line;
		put_row(x, function, &one);
	}
	return row + 1;
}

/* The name of a frame; NULL: only its address is known. */
static const char *frame_name(const struct pprof *x, uint32_t row, struct buf *b)
{
	const struct frame *f = view_frame(x->view, row);

	if (f->func)
		return profile_string(x->view->profile, f->func);
	if (f->kind == FRAME_UNNAMED && f->module)
		return NULL;
	view_frame_name(x->view, row, b); /* "[kernel]", "[cut]" */
	return buf_text(b);
}

static uint32_t mapping_get(struct pprof *x, uint32_t module)
{
	struct resolved *m = &x->modules[module];

	if (module && !m->mapping) {
		*table_add(x->mappings, x->n_mappings, x->cap_mappings) = module;
		m->mapping = x->n_mappings;
	}
	return m->mapping;
}

/* Adds a frame to the location. */
static void line_add(struct pprof *x, uint32_t row, Pprof__Location *to)
{
	const struct frame *f = view_frame(x->view, row);
	struct resolved *m = &x->modules[f->module];
	struct buf b = { 0 };
	const char *name = frame_name(x, row, &b);
	Pprof__Line *line;

	m->functions |= f->func > 0;
	m->files |= f->file > 0;
	m->lines |= f->line > 0;
	m->inlined |= f->inlined;
	if (name) {
		line = x->line_rows[to->n_line++];
		pprof__line__init(line);
		line->function_id = function_get(x, f, name);
		line->line = f->line;
	}
	buf_release(&b);
}

static void write_location(struct pprof *x, uint32_t id, uint32_t calls)
{
	Pprof__Location location = PPROF__LOCATION__INIT, *one = &location;
	const struct frame *f = view_frame(x->view, (uint32_t)x->calls.rows[calls].a);

	location.id = id;
	location.mapping_id = mapping_get(x, f->module);
	location.address = f->addr;
	location.kind = x->kinds ? f->kind : 0;
	location.line = x->line_rows;
	for (uint32_t next = calls + 1; next; next = (uint32_t)x->calls.rows[next - 1].b)
		line_add(x, (uint32_t)x->calls.rows[next - 1].a, &location);
	put_row(x, location, &one);
}

static uint64_t location_get(struct pprof *x, uint32_t calls)
{
	while (x->n_location_rows < x->calls.n)
		(void)table_add(x->locations, x->n_location_rows, x->cap_locations);
	if (!x->locations[calls]) {
		x->locations[calls] = ++x->n_locations;
		write_location(x, x->n_locations, calls);
	}
	return x->locations[calls];
}

/* Is the frame inlined into that of its caller's row, at the same address? */
static bool is_part_of(const struct pprof *x, const struct frame *f, uint32_t caller)
{
	const struct frame *into = view_frame(x->view, x->stacks.rows[caller].frame);

	return f->inlined && caller && into->addr == f->addr && into->module == f->module &&
	       x->places[caller].n < MAX_LINES;
}

/* Fills in the places of new rows of stacks. Callers come first. */
static void find_places(struct pprof *x)
{
	for (uint32_t i = x->n_places; i < x->stacks.n; i++) {
		const struct stack *s = &x->stacks.rows[i];
		struct place *place = table_add(x->places, x->n_places, x->cap_places);
		const struct place *into = &x->places[s->parent];

		if (!i)
			continue;
		if (is_part_of(x, view_frame(x->view, s->frame), s->parent))
			*place = (struct place){ pairs_add(&x->calls, s->frame,
							   into->calls + 1),
						 into->caller, into->n + 1 };
		else
			*place = (struct place){ pairs_add(&x->calls, s->frame, 0),
						 s->parent, 1 };
	}
}

/* Samples. */

static void add_up(struct pprof *x)
{
	const struct profile *p = x->view->profile;

	for (uint32_t i = 0; i < x->view->n_events; i++) {
		const struct event *e = &p->events[x->view->events[i]];
		uint32_t stack = stacks_add(&x->stacks, e);
		uint32_t row = pairs_add(&x->samples, stack,
					 pprof_labels_key(&x->labels, e));

		if (row == x->n_sums)
			(void)table_add(x->sums, x->n_sums, x->cap_sums);
		x->sums[row].samples++;
		x->sums[row].weight += e->weight;
	}
}

static void write_sample(struct pprof *x, uint32_t row)
{
	int64_t values[] = { clamped(x->sums[row].samples), clamped(x->sums[row].weight) };
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *one = &sample;
	uint32_t stack = (uint32_t)x->samples.rows[row].a;

	for (; stack; stack = x->places[stack].caller)
		x->path[sample.n_location_id++] = location_get(x, x->places[stack].calls);
	sample.location_id = x->path;
	sample.n_value = x->counts ? 1 : 2;
	sample.value = values;
	sample.n_label = pprof_labels_get(&x->labels, x->samples.rows[row].b,
					  &sample.label);
	put_row(x, sample, &one);
}

/* Those with the same stack one after the other: that packs better, in less time. */
static void write_samples(struct pprof *x)
{
	uint32_t *first = mem_zalloc((x->stacks.n + 1) * sizeof(*first));
	uint32_t *order = mem_zalloc(x->samples.n * sizeof(*order));

	find_places(x);
	for (uint32_t i = 0; i < x->samples.n; i++)
		first[x->samples.rows[i].a + 1]++;
	for (uint32_t i = 0; i < x->stacks.n; i++)
		first[i + 1] += first[i];
	for (uint32_t i = 0; i < x->samples.n; i++)
		order[first[x->samples.rows[i].a]++] = i;
	for (uint32_t i = 0; i < x->samples.n; i++)
		write_sample(x, order[i]);
	free(first);
	free(order);
}

/* The rest. */

static void write_head(struct pprof *x)
{
	const struct view *v = x->view;
	const struct profile *p = v->profile;
	const struct event_kind *k = &p->kinds[v->kind];
	Pprof__ValueType count = PPROF__VALUE_TYPE__INIT, weight = count,
			 *types[] = { &count, &weight };
	Pprof__Profile part = PPROF__PROFILE__INIT;

	x->counts = !strcmp(profile_string(p, k->name), "goroutine");
	count.type = text(x, "samples");
	count.unit = text(x, "count");
	weight.type = text(x, profile_string(p, k->name));
	weight.unit = text(x, profile_string(p, k->unit));
	part.n_sample_type = x->counts ? 1 : 2;
	part.sample_type = x->counts ? types + 1 : types;
	part.time_nanos = clamped(p->start_ns + v->filter.from_ns);
	part.duration_nanos = clamped(view_selected_ns(v));
	part.period_type = &weight;
	part.period = clamped(k->period);
	put(x, &part);
}

static void write_comment(struct pprof *x, const char *s, size_t n)
{
	int64_t comment = pprof_text(x->strings, s, n);

	put_row(x, comment, &comment);
}

/* One for each line. */
static void write_comments(struct pprof *x)
{
	struct buf b = { 0 };
	const char *s, *end, *last;

	buf_printf(&b, "gostrobe " GOSTROBE_VERSION "\n");
	plain_add(&b, x->view->title);
	buf_u8(&b, '\n');
	losses_add(x->view->profile, &b);
	buf_add(&b, x->labels.note.data, x->labels.note.len);
	last = (const char *)b.data + b.len;
	for (s = (const char *)b.data; s < last; s = end + 1) {
		end = memchr(s, '\n', (size_t)(last - s));
		write_comment(x, s, (size_t)(end - s));
	}
	buf_release(&b);
}

/* The module of the program: that of the first process; 0: not known. */
static uint32_t main_module(const struct view *v)
{
	const struct profile *p = v->profile;
	uint32_t path = v->n_processes ? p->processes[v->processes[0]].path : 0, go = 0;

	for (uint32_t i = p->n_modules; path && --i;) {
		if (p->modules[i].path == path)
			return i;
		go = p->modules[i].go_minor ? i : go;
	}
	return go;
}

static void write_mapping(struct pprof *x, uint32_t id)
{
	const struct profile *p = x->view->profile;
	uint32_t row = x->mappings[id - 1];
	const struct module *m = &p->modules[row];
	const struct resolved *known = &x->modules[row];
	const char *path = profile_string(p, m->path);
	Pprof__Mapping mapping = PPROF__MAPPING__INIT, *one = &mapping;

	mapping.id = id;
	mapping.memory_start = m->text.start;
	mapping.memory_limit = m->text.limit;
	mapping.file_offset = m->text.offset;
	mapping.filename = text(x, strcmp(path, "[kernel]") ? path : "[kernel.kallsyms]");
	mapping.build_id = text(x, profile_string(p, m->build_id));
	mapping.has_functions = known->functions;
	mapping.has_filenames = known->files;
	mapping.has_line_numbers = known->lines;
	/* those of Go are always known */
	mapping.has_inline_frames = known->inlined || (known->functions && m->go_minor);
	put_row(x, mapping, &one);
}

static void write_strings(struct pprof *x)
{
	for (uint32_t i = 0; i < strtab_count(x->strings); i++) {
		char *one = (char *)(uintptr_t)strtab_get(x->strings, i);

		put_row(x, string_table, &one);
	}
}

static void pprof_release(struct pprof *x)
{
	buf_release(&x->message);
	pprof_labels_release(&x->labels);
	strtab_free(x->strings);
	stacks_release(&x->stacks);
	free(x->places);
	pairs_release(&x->calls);
	free(x->locations);
	pairs_release(&x->functions);
	free(x->modules);
	free(x->mappings);
	pairs_release(&x->samples);
	free(x->sums);
	free(x);
}

static int pprof_write(struct view *v, const struct writer_options *o, FILE *out)
{
	FILE *gzip = gzfile_open(out, 1);
	struct pprof *x;
	int err;

	if (!gzip)
		return -errno;
	x = mem_zalloc(sizeof(*x));
	x->view = v;
	x->out = gzip;
	x->kinds = o->kinds;
	x->strings = strtab_new();
	x->stacks.view = v;
	x->modules = mem_zalloc(v->profile->n_modules * sizeof(*x->modules));
	for (int i = 0; i < MAX_LINES; i++)
		x->line_rows[i] = &x->lines[i];
	pprof_labels_init(&x->labels, v, o, x->strings);
	write_head(x);
	write_comments(x);
	mapping_get(x, main_module(v));
	add_up(x);
	write_samples(x);
	for (uint32_t id = 1; id <= x->n_mappings; id++)
		write_mapping(x, id);
	write_strings(x);
	if (o->size)
		*o->size = (struct pprof_size){ x->bytes, x->samples.n };
	err = gzfile_close(x->out);
	pprof_release(x);
	return err;
}

const struct writer pprof_writer = {
	.name = "pprof",
	.ending = ".pb.gz",
	.help = "for go tool pprof, and for go build -pgo",
	.binary = true,
	.labels = true,
	.groups = GROUPS_NONE,
	.by = BY_START,
	.write = pprof_write,
};
