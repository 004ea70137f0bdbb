/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing; loading.c reads. */
#include "profiler/profile/recording.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/columns.h"
#include "profiler/profile/profile.h"

#define LEVEL 3

struct recording {
	int fd;
	off_t len;                /* of the whole blocks in the file */
	uint32_t written[TABLES]; /* rows, row 0 included */
	struct buf raw, out;
	ZSTD_CCtx *zstd;
};

/* Fields of 1, 2, 4 and 8 bytes are copied into the low bytes of a number. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian only");

static uint64_t field_get(const char *field, const struct column *c)
{
	uint64_t v = 0;

	memcpy(&v, field + c->offset, c->size);
	return v;
}

static uint64_t encode(uint8_t coding, uint64_t v, uint64_t last, uint32_t id)
{
	uint64_t delta = v - last;

	if (coding == DELTA)
		return delta << 1 ^ -(delta >> 63);
	return coding == BACK ? id - v : v;
}

static void put_column(struct buf *b, const struct column *c, const char *rows,
		       size_t row_size, uint32_t first, uint32_t end)
{
	uint64_t v, all = 0, start = field_get(rows + first * row_size, c), last = start;
	uint32_t i, n = end - first;
	int width = 1;
	uint8_t *to;

	for (i = first; i < end; i++, last = v) {
		v = field_get(rows + i * row_size, c);
		all |= encode(c->coding, v, last, i);
	}
	while (width < 8 && all >> (8 * width))
		width++;
	if (c->coding == DELTA)
		buf_uvarint(b, start);
	buf_u8(b, (uint8_t)width);
	to = buf_room(b, (size_t)width * n);
	for (i = first, last = start; i < end; i++, last = v, to++) {
		v = field_get(rows + i * row_size, c);
		all = encode(c->coding, v, last, i);
		for (int byte = 0; byte < width; byte++)
			to[(size_t)byte * n] = (uint8_t)(all >> (8 * byte));
	}
	b->len += (size_t)width * n;
}

static void put_columns(struct buf *b, const struct column *c, size_t n_columns,
			const char *rows, size_t row_size, uint32_t first, uint32_t end)
{
	for (; n_columns-- && first < end; c++)
		put_column(b, c, rows, row_size, first, end);
}

/* A part begins with its length, which part_end() fills in; begin is from part_begin(). */
static size_t part_begin(struct buf *b)
{
	buf_u32(b, 0);
	return b->len;
}

static void part_end(struct buf *b, size_t begin)
{
	uint32_t len = (uint32_t)(b->len - begin);

	memcpy(b->data + begin - sizeof(len), &len, sizeof(len));
}

static void put_strings(struct recording *r, const struct profile *p)
{
	uint32_t first = r->written[STRINGS], n = strtab_count(p->strings);
	size_t begin = part_begin(&r->raw);

	buf_uvarint(&r->raw, n - first);
	for (uint32_t i = first; i < n; i++)
		buf_uvarint(&r->raw, strlen(profile_string(p, i)));
	for (uint32_t i = first; i < n; i++)
		buf_str(&r->raw, profile_string(p, i));
	part_end(&r->raw, begin);
}

/* The columns of the profile itself. */
static void put_row(struct recording *r, const struct profile *p, const struct column *c,
		    uint32_t n_columns)
{
	size_t begin = part_begin(&r->raw);

	put_columns(&r->raw, c, n_columns, (const char *)p, 0, 0, 1);
	part_end(&r->raw, begin);
}

/* Writes what is in r->out, then r->raw as a block, completely or not at all. */
static int block_write(struct recording *r, uint32_t kind)
{
	size_t bound = ZSTD_compressBound(r->raw.len), head = r->out.len, done = 0, packed;
	struct buf *out = &r->out;
	int err = 0;

	if (r->raw.len > MAX_RAW)
		return -EFBIG;
	buf_room(out, BLOCK_HEAD_LEN + bound);
	packed = ZSTD_compress2(r->zstd, out->data + head + BLOCK_HEAD_LEN, bound,
				r->raw.data, r->raw.len);
	if (ZSTD_isError(packed))
		return -ENOMEM;
	buf_u32(out, kind);
	buf_u32(out, (uint32_t)r->raw.len);
	buf_u32(out, (uint32_t)packed);
	buf_u32(out, kind ^ (uint32_t)r->raw.len ^ (uint32_t)packed ^ BLOCK_CHECK);
	out->len += packed;
	while (done < out->len && !err) {
		ssize_t n = write(r->fd, out->data + done, out->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	/* On a device or a pipe both calls fail, which is harmless. */
	if (err && !ftruncate(r->fd, r->len))
		lseek(r->fd, r->len, SEEK_SET);
	if (!err)
		r->len += (off_t)out->len;
	out->len = 0;
	return err;
}

int recording_create(struct recording **ret, int fd, const struct profile *p)
{
	struct recording *r = mem_zalloc(sizeof(*r));
	int err;

	r->fd = fd;
	for (int t = 0; t < TABLES; t++)
		r->written[t] = tables[t].first;
	r->zstd = ZSTD_createCCtx();
	if (!r->zstd) {
		err = -ENOMEM;
		goto fail;
	}
	ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(r->zstd, ZSTD_c_checksumFlag, 1);
	buf_str(&r->out, MAGIC);
	buf_u32(&r->out, MAJOR | MINOR << 16);
	put_strings(r, p);
	put_row(r, p, header_columns, n_header_columns);
	err = block_write(r, BLOCK_HEADER);
	if (err)
		goto fail;
	r->written[STRINGS] = strtab_count(p->strings);
	*ret = r;
	return 0;
fail:
	recording_close(r);
	return err;
}

int recording_append(struct recording *r, struct profile *p)
{
	uint32_t counts[TABLES];
	bool any = false;
	int err;

	for (int t = 0; t < TABLES; t++) {
		counts[t] = table_count(p, t);
		any |= counts[t] > r->written[t];
	}
	if (!any)
		return 0;
	r->raw.len = 0;
	put_strings(r, p);
	for (int t = STRINGS + 1; t < TABLES; t++) {
		size_t begin = part_begin(&r->raw);

		buf_uvarint(&r->raw, counts[t] - r->written[t]);
		put_columns(&r->raw, tables[t].columns, tables[t].n_columns,
			    table_rows(p, t), tables[t].row_size, r->written[t], counts[t]);
		part_end(&r->raw, begin);
	}
	err = block_write(r, BLOCK_ROWS);
	if (err)
		return err;
	memcpy(r->written, counts, sizeof(counts));
	r->written[EVENTS] = 0;
	p->n_events = 0; /* ids of all other rows stay valid */
	profile_forget(p);
	return 0;
}

int recording_finish(struct recording *r, struct profile *p)
{
	int err = recording_append(r, p);

	if (!err) {
		r->raw.len = 0;
		put_row(r, p, end_columns, n_end_columns);
		err = block_write(r, BLOCK_END);
	}
	recording_close(r);
	return err;
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	close(r->fd);
	ZSTD_freeCCtx(r->zstd);
	buf_release(&r->raw);
	buf_release(&r->out);
	free(r);
}
