/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenTelemetry's profiles by HTTP: what a pprof file says, in other tables. Ids of our
 * pprof files count up from 1, as indexes of the tables do, whose row 0 is "none". All
 * messages are made in one arena and packed at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "otlp.pb-c.h"
#include "profile.pb-c.h"
#include "profiler/agent/receiver.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/index.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/labels.h"

enum {
	CHUNK = 1 << 16,
	GZIP_WRAPPER = 16,
	TRACE_BYTES = 16,
	SPAN_BYTES = 8,
	ATTRIBUTES = 80
};

/* A table of the dictionary: its rows, and how to find one by its packed bytes. */
struct rows {
	ProtobufCMessage **rows;
	uint32_t n, cap;
	struct strtab *known; /* the packed bytes, a letter for four bits */
};

struct otlp {
	const struct item *item;
	const Pprof__Profile *from;
	struct arena arena;
	struct strtab *strings;
	struct rows mappings, locations, functions, links, attributes, stacks;
};

static void *message(struct otlp *x, size_t size, void (*init)(void *))
{
	void *m = arena_alloc(&x->arena, size);

	init(m);
	return m;
}

/* A new message of a type, in the arena. */
#define NEW(x, Type, type) \
	((Otlp__##Type *)message(x, sizeof(Otlp__##Type), \
				 (void (*)(void *))otlp__##type##__init))

static int32_t append(struct rows *r, void *m)
{
	*table_add(r->rows, r->n, r->cap) = m;
	return (int32_t)r->n - 1;
}

/* The index of the row that is equal to m, which is added if there is none. */
static int32_t intern(struct rows *r, void *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *packed = mem_zalloc(len + 1);
	struct buf hex = { 0 };
	uint32_t id;

	protobuf_c_message_pack(m, packed);
	buf_u8(&hex, 'x'); /* "" is the table's own */
	for (size_t i = 0; i < len; i++) {
		buf_u8(&hex, (uint8_t)('a' + (packed[i] >> 4)));
		buf_u8(&hex, (uint8_t)('a' + (packed[i] & 15)));
	}
	id = strtab_add(r->known, buf_text(&hex)) - 1;
	buf_release(&hex);
	free(packed);
	return id < r->n ? (int32_t)id : append(r, m);
}

static int32_t text(struct otlp *x, const char *s)
{
	return (int32_t)strtab_add(x->strings, s);
}

/* A string of the pprof file. */
static const char *string(const struct otlp *x, int64_t id)
{
	return (uint64_t)id < x->from->n_string_table ? x->from->string_table[id] : "";
}

static Otlp__AnyValue *value(struct otlp *x, const char *s, int64_t number)
{
	Otlp__AnyValue *v = NEW(x, AnyValue, any_value);

	v->value_case = s ? OTLP__ANY_VALUE__VALUE_STRING_VALUE
			  : OTLP__ANY_VALUE__VALUE_INT_VALUE;
	if (s)
		v->string_value = arena_strndup(&x->arena, s, strlen(s));
	else
		v->int_value = number;
	return v;
}

/* s NULL: a number. */
static int32_t attribute(struct otlp *x, const char *key, const char *s, int64_t number)
{
	Otlp__Attribute *a = NEW(x, Attribute, attribute);

	a->key_strindex = text(x, key);
	a->value = value(x, s, number);
	return intern(&x->attributes, a);
}

/* A list of one index. */
static int32_t *only(struct otlp *x, int32_t index)
{
	int32_t *list = arena_alloc(&x->arena, sizeof(*list));

	*list = index;
	return list;
}

/* Tables. */

static bool is_hex(const char *s)
{
	return *s && strspn(s, "0123456789abcdef") == strlen(s);
}

static void add_mapping(struct otlp *x, const Pprof__Mapping *m)
{
	Otlp__Mapping *to = NEW(x, Mapping, mapping);
	const char *id = string(x, m->build_id);

	to->memory_start = m->memory_start;
	to->memory_limit = m->memory_limit;
	to->file_offset = m->file_offset;
	to->filename_strindex = text(x, string(x, m->filename));
	if (is_hex(id)) {
		to->n_attribute_indices = 1;
		to->attribute_indices =
			only(x, attribute(x, "process.executable.build_id.gnu", id, 0));
	}
	append(&x->mappings, to);
}

static void add_function(struct otlp *x, const Pprof__Function *f)
{
	Otlp__Function *to = NEW(x, Function, function);

	to->name_strindex = text(x, string(x, f->name));
	to->system_name_strindex = text(x, string(x, f->system_name));
	to->filename_strindex = text(x, string(x, f->filename));
	to->start_line = f->start_line;
	append(&x->functions, to);
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

/* profile.frame.type; NULL: the file does not tell. */
static const char *frame_type(const struct otlp *x, const Pprof__Location *l)
{
	const Pprof__Profile *p = x->from;
	const char *module = l->mapping_id
				     ? string(x, p->mapping[l->mapping_id - 1]->filename)
				     : "";

	if (!strcmp(module, "[kernel.kallsyms]"))
		return "kernel";
	if (l->n_line &&
	    ends_with(string(x, p->function[l->line[0]->function_id - 1]->filename), ".go"))
		return "go";
	return NULL;
}

static void add_location(struct otlp *x, const Pprof__Location *l)
{
	Otlp__Location *to = NEW(x, Location, location);
	const char *type = frame_type(x, l);

	to->mapping_index = (int32_t)l->mapping_id;
	to->address = l->address;
	to->lines = arena_alloc(&x->arena, (l->n_line + 1) * sizeof(*to->lines));
	for (size_t i = 0; i < l->n_line; i++) {
		Otlp__Line *line = NEW(x, Line, line);

		line->function_index = (int32_t)l->line[i]->function_id;
		line->line = l->line[i]->line;
		to->lines[to->n_lines++] = line;
	}
	if (type) {
		to->n_attribute_indices = 1;
		to->attribute_indices = only(x,
					     attribute(x, "profile.frame.type", type, 0));
	}
	append(&x->locations, to);
}

/* Row 0 of each is empty. */
static void add_tables(struct otlp *x)
{
	const Pprof__Profile *p = x->from;

	append(&x->mappings, NEW(x, Mapping, mapping));
	append(&x->locations, NEW(x, Location, location));
	append(&x->functions, NEW(x, Function, function));
	intern(&x->links, NEW(x, Link, link));
	intern(&x->attributes, NEW(x, Attribute, attribute));
	intern(&x->stacks, NEW(x, Stack, stack));
	for (size_t i = 0; i < p->n_mapping; i++)
		add_mapping(x, p->mapping[i]);
	for (size_t i = 0; i < p->n_function; i++)
		add_function(x, p->function[i]);
	for (size_t i = 0; i < p->n_location; i++)
		add_location(x, p->location[i]);
}

/* Samples. */

/* Decodes an id of 2 * n hexadecimal digits; false: it is none, or zero. */
static bool parse_id(const char *s, uint8_t *to, size_t n)
{
	bool any = false;

	if (strlen(s) != 2 * n || strspn(s, "0123456789abcdefABCDEF") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char byte[3] = { s[2 * i], s[2 * i + 1], 0 };

		to[i] = (uint8_t)strtoul(byte, NULL, 16);
		any |= to[i];
	}
	return any;
}

/* Where the sample belongs in a trace; 0: nowhere. */
static int32_t link_of(struct otlp *x, const char *trace, const char *span)
{
	Otlp__Link *l = NEW(x, Link, link);

	l->trace_id.data = arena_alloc(&x->arena, TRACE_BYTES);
	l->span_id.data = arena_alloc(&x->arena, SPAN_BYTES);
	if (!parse_id(trace, l->trace_id.data, TRACE_BYTES) ||
	    !parse_id(span, l->span_id.data, SPAN_BYTES))
		return 0;
	l->trace_id.len = TRACE_BYTES;
	l->span_id.len = SPAN_BYTES;
	return intern(&x->links, l);
}

/* The names that OpenTelemetry foresees for ours. */
static const char *attribute_name(const char *label)
{
	return !strcmp(label, "goid")        ? "go.goroutine.id"
	       : !strcmp(label, "go_parent") ? "go.goroutine.parent_id"
					     : label;
}

static void add_labels(struct otlp *x, const Pprof__Sample *s, Otlp__Sample *to)
{
	const char *trace = "", *span = "";

	to->attribute_indices = arena_alloc(&x->arena, (s->n_label + 1) * sizeof(int32_t));
	for (size_t i = 0; i < s->n_label; i++) {
		const Pprof__Label *l = s->label[i];
		const char *key = string(x, l->key),
			   *str = l->str ? string(x, l->str) : NULL;

		if (str && !strcmp(key, "trace_id"))
			trace = str;
		else if (str && !strcmp(key, "span_id"))
			span = str;
		else
			to->attribute_indices[to->n_attribute_indices++] =
				attribute(x, attribute_name(key), str, l->num);
	}
	to->link_index = link_of(x, trace, span);
}

static Otlp__Sample *sample(struct otlp *x, const Pprof__Sample *s)
{
	Otlp__Sample *to = NEW(x, Sample, sample);
	Otlp__Stack *stack = NEW(x, Stack, stack);

	stack->location_indices = arena_alloc(&x->arena,
					      (s->n_location_id + 1) * sizeof(int32_t));
	for (size_t i = 0; i < s->n_location_id; i++)
		stack->location_indices[stack->n_location_indices++] =
			(int32_t)s->location_id[i];
	to->stack_index = intern(&x->stacks, stack);
	to->n_values = 1;
	to->values = s->value; /* how many samples */
	add_labels(x, s, to);
	return to;
}

static Otlp__ValueType *type(struct otlp *x, const Pprof__ValueType *t)
{
	Otlp__ValueType *to = NEW(x, ValueType, value_type);

	to->type_strindex = text(x, string(x, t->type));
	to->unit_strindex = text(x, string(x, t->unit));
	return to;
}

static Otlp__Profile *profile(struct otlp *x)
{
	const Pprof__Profile *p = x->from;
	Otlp__Profile *to = NEW(x, Profile, profile);
	char id[33], *end = id;

	to->sample_type = type(x, p->sample_type[0]);
	to->period_type = type(x, p->period_type);
	to->period = p->period;
	to->time_unix_nano = (uint64_t)p->time_nanos;
	to->duration_nano = (uint64_t)p->duration_nanos;
	for (const char *s = x->item->id; *s; s++)
		if (*s != '-')
			*end++ = *s;
	*end = 0;
	to->profile_id.data = arena_alloc(&x->arena, TRACE_BYTES);
	to->profile_id.len = TRACE_BYTES;
	parse_id(id, to->profile_id.data, TRACE_BYTES);
	to->samples = arena_alloc(&x->arena, (p->n_sample + 1) * sizeof(*to->samples));
	for (size_t i = 0; i < p->n_sample; i++)
		to->samples[to->n_samples++] = sample(x, p->sample[i]);
	return to;
}

/* The process. */

static void add(struct otlp *x, Otlp__Resource *r, const char *key, const char *s,
		int64_t number)
{
	Otlp__KeyValue *kv;

	for (size_t i = 0; i < r->n_attributes; i++)
		if (!strcmp(r->attributes[i]->key, key))
			return;
	if ((s && !*s) || r->n_attributes == ATTRIBUTES)
		return;
	kv = NEW(x, KeyValue, key_value);
	kv->key = arena_strndup(&x->arena, key, strlen(key));
	kv->value = value(x, s, number);
	r->attributes[r->n_attributes++] = kv;
}

static Otlp__Resource *resource(struct otlp *x)
{
	const struct origin *o = &x->item->origin;
	Otlp__Resource *r = NEW(x, Resource, resource);
	const char *set = o->attributes;
	struct buf key = { 0 }, text_of = { 0 };

	r->attributes = arena_alloc(&x->arena, ATTRIBUTES * sizeof(*r->attributes));
	add(x, r, "service.name", o->service, 0);
	add(x, r, "host.name", o->host, 0);
	add(x, r, "process.pid", NULL, o->pid);
	add(x, r, "process.executable.name", o->program, 0);
	add(x, r, "container.id", o->container_id, 0);
	add(x, r, "process.runtime.name", "go", 0);
	add(x, r, "process.runtime.version", o->go_version, 0);
	while (labels_next(&set, &key, &text_of) != LABEL_NONE)
		add(x, r, buf_text(&key), buf_text(&text_of), 0);
	buf_release(&key);
	buf_release(&text_of);
	return r;
}

/* All. */

static Otlp__Dictionary *dictionary(struct otlp *x)
{
	Otlp__Dictionary *d = NEW(x, Dictionary, dictionary);

	d->n_mapping_table = x->mappings.n;
	d->mapping_table = (Otlp__Mapping **)x->mappings.rows;
	d->n_location_table = x->locations.n;
	d->location_table = (Otlp__Location **)x->locations.rows;
	d->n_function_table = x->functions.n;
	d->function_table = (Otlp__Function **)x->functions.rows;
	d->n_link_table = x->links.n;
	d->link_table = (Otlp__Link **)x->links.rows;
	d->n_attribute_table = x->attributes.n;
	d->attribute_table = (Otlp__Attribute **)x->attributes.rows;
	d->n_stack_table = x->stacks.n;
	d->stack_table = (Otlp__Stack **)x->stacks.rows;
	d->n_string_table = strtab_count(x->strings);
	d->string_table = arena_alloc(&x->arena, d->n_string_table * sizeof(char *));
	for (uint32_t i = 0; i < d->n_string_table; i++)
		d->string_table[i] = (char *)(uintptr_t)strtab_get(x->strings, i);
	return d;
}

static void pack(struct otlp *x, struct buf *to)
{
	Otlp__Request *request = NEW(x, Request, request);
	Otlp__ResourceProfiles *of = NEW(x, ResourceProfiles, resource_profiles);
	Otlp__ScopeProfiles *scope = NEW(x, ScopeProfiles, scope_profiles);
	Otlp__Profile *p;
	size_t n;

	add_tables(x);
	p = profile(x);
	scope->scope = NEW(x, Scope, scope);
	scope->scope->name = (char *)(uintptr_t) "gostrobe";
	scope->scope->version = (char *)(uintptr_t)GOSTROBE_VERSION;
	scope->n_profiles = 1;
	scope->profiles = &p;
	of->resource = resource(x);
	of->n_scope_profiles = 1;
	of->scope_profiles = &scope;
	request->n_resource_profiles = 1;
	request->resource_profiles = &of;
	request->dictionary = dictionary(x);
	n = otlp__request__get_packed_size(request);
	otlp__request__pack(request, buf_room(to, n));
	to->len += n;
}

static void unzip(const struct item *it, struct buf *to)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)it->bytes,
		       .avail_in = (uInt)it->len };
	int status = inflateInit2(&z, MAX_WBITS + GZIP_WRAPPER);

	while (status == Z_OK) {
		z.next_out = buf_room(to, CHUNK);
		z.avail_out = CHUNK;
		status = inflate(&z, Z_NO_FLUSH);
		to->len += CHUNK - z.avail_out;
	}
	inflateEnd(&z);
}

static void body(const struct item *it, struct buf *to)
{
	struct otlp x = { .item = it, .strings = strtab_new() };
	struct rows *all[] = { &x.mappings, &x.locations,  &x.functions,
			       &x.links,    &x.attributes, &x.stacks };
	Pprof__Profile *from;
	struct buf bytes = { 0 };

	unzip(it, &bytes);
	from = pprof__profile__unpack(NULL, bytes.len, bytes.data);
	x.from = from;
	for (int i = 0; i < 6; i++)
		all[i]->known = strtab_new();
	if (from)
		pack(&x, to);
	for (int i = 0; i < 6; i++) {
		strtab_free(all[i]->known);
		free(all[i]->rows);
	}
	if (from)
		pprof__profile__free_unpacked(from, NULL);
	strtab_free(x.strings);
	arena_release(&x.arena);
	buf_release(&bytes);
}

/* A collector may take a request and say that it has refused what is in it. */
static bool taken(const void *answer, size_t len)
{
	Otlp__Response *r = otlp__response__unpack(NULL, len, answer);
	bool ret = r && (!r->partial_success || r->partial_success->rejected_profiles <= 0);

	if (r)
		otlp__response__free_unpacked(r, NULL);
	return ret;
}

const struct receiver_kind otlp_kind = {
	.scheme = "otlp+",
	.encoding = ENCODED_TRACES,
	.path = "/v1development/profiles",
	.content_type = "application/x-protobuf",
	/* of the state of the protocol; a receiver of another one refuses it */
	.headers = { "OTLP-Profiles-Development-Version: 1" },
	.body = body,
	.taken = taken,
	.run = http_run,
};
