/* SPDX-License-Identifier: BSD-2-Clause */
/* Ids of our pprof files count up from 1, so each is a row. A half gets the rows that it
 * needs, with new ids. */
#include "profiler/agent/halves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "output/gzfile.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"

enum { CHUNK = 1 << 16, GZIP_WRAPPER = 16, MAX_DEPTH = 13 };

/* A table of the file: which rows are needed, and their new ids. */
struct ids {
	uint32_t *to; /* per row: its new number, from 1; 0: not needed */
	size_t n;     /* rows */
	uint32_t used;
};

struct half {
	Pprof__Profile *p; /* of the whole file, until this is made */
	struct ids locations, functions, mappings, strings;
};

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

Pprof__Profile *item_profile(const struct item *it)
{
	struct buf bytes = { 0 };
	Pprof__Profile *p;

	unzip(it, &bytes);
	p = pprof__profile__unpack(NULL, bytes.len, bytes.data);
	buf_release(&bytes);
	return p;
}

/* Rows. */

/* Replaces the id of a row by its new one; 0 stays. */
static uint64_t renew(struct ids *ids, uint64_t id)
{
	if (!id || id > ids->n)
		return 0;
	if (!ids->to[id - 1])
		ids->to[id - 1] = ++ids->used;
	return ids->to[id - 1];
}

/* The same for a string, whose number is its row. */
static void renew_text(struct half *h, int64_t *text)
{
	*text = (int64_t)renew(&h->strings, (uint64_t)*text + 1) - 1;
	if (*text < 0)
		*text = 0;
}

/* Moves rows to where their new ids say. Others are freed, as `type`. */
static size_t keep(void **rows, const struct ids *ids, void (*drop)(void *row))
{
	void **kept = mem_zalloc((ids->used + 1) * sizeof(*kept));

	for (size_t i = 0; i < ids->n; i++)
		if (ids->to[i])
			kept[ids->to[i] - 1] = rows[i];
		else
			drop(rows[i]);
	for (size_t i = 0; i < ids->used; i++)
		rows[i] = kept[i];
	free(kept);
	return ids->used;
}

static void drop_message(void *row)
{
	protobuf_c_message_free_unpacked(row, NULL);
}

static void renew_sample(struct half *h, Pprof__Sample *s)
{
	for (size_t i = 0; i < s->n_location_id; i++)
		s->location_id[i] = renew(&h->locations, s->location_id[i]);
	for (size_t i = 0; i < s->n_label; i++) {
		renew_text(h, &s->label[i]->key);
		renew_text(h, &s->label[i]->str);
		renew_text(h, &s->label[i]->num_unit);
	}
}

static void renew_location(struct half *h, Pprof__Location *l)
{
	l->mapping_id = renew(&h->mappings, l->mapping_id);
	for (size_t i = 0; i < l->n_line; i++)
		l->line[i]->function_id = renew(&h->functions, l->line[i]->function_id);
}

/* Keeps what is needed of each table, in the order of their references. */
static void renew_tables(struct half *h)
{
	Pprof__Profile *p = h->p;

	p->n_location = keep((void **)p->location, &h->locations, drop_message);
	for (size_t i = 0; i < p->n_location; i++) {
		p->location[i]->id = i + 1;
		renew_location(h, p->location[i]);
	}
	p->n_function = keep((void **)p->function, &h->functions, drop_message);
	for (size_t i = 0; i < p->n_function; i++) {
		p->function[i]->id = i + 1;
		renew_text(h, &p->function[i]->name);
		renew_text(h, &p->function[i]->system_name);
		renew_text(h, &p->function[i]->filename);
	}
	p->n_mapping = keep((void **)p->mapping, &h->mappings, drop_message);
	for (size_t i = 0; i < p->n_mapping; i++) {
		p->mapping[i]->id = i + 1;
		renew_text(h, &p->mapping[i]->filename);
		renew_text(h, &p->mapping[i]->build_id);
	}
}

static void renew_type(struct half *h, Pprof__ValueType *t)
{
	renew_text(h, &t->type);
	renew_text(h, &t->unit);
}

static void renew_all(struct half *h)
{
	Pprof__Profile *p = h->p;

	renew(&h->strings, 1);  /* "" is the first */
	renew(&h->mappings, 1); /* and the program */
	for (size_t i = 0; i < p->n_sample_type; i++)
		renew_type(h, p->sample_type[i]);
	if (p->period_type)
		renew_type(h, p->period_type);
	for (size_t i = 0; i < p->n_comment; i++)
		renew_text(h, &p->comment[i]);
	for (size_t i = 0; i < p->n_sample; i++)
		renew_sample(h, p->sample[i]);
	renew_tables(h);
	p->n_string_table = keep((void **)p->string_table, &h->strings, free);
}

/* Halves. */

/* Every second row of samples, from the first or the second one. How many samples. */
static uint32_t select_samples(Pprof__Profile *p, size_t first)
{
	size_t n = 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n_sample; i++) {
		Pprof__Sample *s = p->sample[i];

		if (i % 2 != first) {
			drop_message(s);
			continue;
		}
		sum += s->n_value ? (uint64_t)s->value[0] : 0;
		p->sample[n++] = s;
	}
	p->n_sample = n;
	return (uint32_t)sum;
}

static struct item *zip(const struct item *it, const Pprof__Profile *p)
{
	size_t n = pprof__profile__get_packed_size(p), len;
	uint8_t *packed = mem_zalloc(n + 1);
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, &len), *gzip = out ? gzfile_open(out, 1) : NULL;
	struct item *ret = NULL;
	int err = gzip ? 0 : -1;

	pprof__profile__pack(p, packed);
	if (gzip) {
		fwrite(packed, 1, n, gzip);
		err = gzfile_close(gzip);
	}
	if (out && fclose(out))
		err = -1;
	if (!err)
		ret = item_new((enum encoding)it->encoding, &it->origin, bytes, len);
	free(bytes);
	free(packed);
	return ret;
}

static struct item *half(const struct item *it, size_t which, uint64_t later_ns)
{
	Pprof__Profile *p = item_profile(it);
	struct half h = { .p = p };
	struct ids *all[] = { &h.locations, &h.functions, &h.mappings, &h.strings };
	struct item *ret;
	uint32_t samples;

	if (!p)
		return NULL;
	h.locations.n = p->n_location;
	h.functions.n = p->n_function;
	h.mappings.n = p->n_mapping;
	h.strings.n = p->n_string_table;
	for (int i = 0; i < 4; i++)
		all[i]->to = mem_zalloc((all[i]->n + 1) * sizeof(uint32_t));
	samples = select_samples(p, which);
	renew_all(&h);
	p->time_nanos += (int64_t)later_ns;
	ret = zip(it, p);
	if (ret) {
		ret->start_ns = it->start_ns + later_ns;
		ret->samples = samples;
	}
	for (int i = 0; i < 4; i++)
		free(all[i]->to);
	pprof__profile__free_unpacked(p, NULL);
	return ret;
}

static size_t rows_of(const struct item *it)
{
	Pprof__Profile *p = item_profile(it);
	size_t n = p ? p->n_sample : 0;

	if (p)
		pprof__profile__free_unpacked(p, NULL);
	return n;
}

bool item_halve(const struct item *it, uint32_t depth, struct item *halves[2])
{
	if (it->encoding == ENCODED_RECORDING || depth > MAX_DEPTH || rows_of(it) < 2)
		return false;
	halves[0] = half(it, 0, 0);
	halves[1] = half(it, 1, 1000000ull << depth);
	if (halves[0] && halves[1])
		return true;
	item_drop(halves[0]);
	item_drop(halves[1]);
	return false;
}
