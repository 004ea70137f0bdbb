/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both directions follow the same lists of columns, so what is written is what is read; the
 * checks of the reader stand in the lists as well.
 */
#include "profiler/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/cursor.h"
#include "profiler/base/file.h"
#include "profiler/base/strtab.h"
#include "profiler/profile.h"

#define MAGIC       "gostrobe"
#define VERSION     2
#define BLOCK_CHECK 0x6b636f6cu
#define MAX_RAW     ((size_t)128 << 20)
#define MAX_FILE    ((size_t)8 << 30)
#define MAX_ROWS    (1u << 30) /* of one table: so that tables never reach their own limit */
#define LEVEL       3
/* Memory that a file may take: so many times its size, and as much for a small one. */
#define ROOM_RATIO   40
#define ROOM_MIN     ((uint64_t)64 << 20)
#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

enum { BLOCK_HEADER = 1, BLOCK_ROWS, BLOCK_END };
enum { HEAD_LEN = sizeof(MAGIC) - 1 + 4, BLOCK_HEAD_LEN = 16 };

enum coding { PLAIN, DELTA, BACK };

/* What a number must stay below, besides the values 2 and up, which are limits themselves. */
enum limit { ANY, ID };

struct column {
	uint16_t offset; /* of the field in the row */
	uint8_t size;    /* of the field: 1, 4, 8 */
	uint8_t coding;
	uint8_t limit; /* enum limit, or the number itself */
	uint8_t table; /* ID: of which */
};

/* Tables, in the order of a ROWS block after the strings. */
enum { STRINGS, MODULES, FRAMES, CALLS, PROCESSES, THREADS, GOROUTINES, EVENTS, TABLES };

#define FIELD(type, field) \
	offsetof(struct type, field), sizeof(((struct type *)NULL)->field)
#define STRING(type, field) \
	{ \
		FIELD(type, field), DELTA, ID, STRINGS \
	}

static const struct column header_columns[] = {
	{ FIELD(profile, start_ns), PLAIN, ANY, 0 },
	{ FIELD(profile, period_ns), PLAIN, ANY, 0 },
	STRING(profile, unit),
	STRING(profile, event_name),
	{ FIELD(profile, freq), PLAIN, ANY, 0 },
	STRING(profile, command),
};
static const struct column end_columns[] = {
	{ FIELD(profile, truth.lost_ring_full), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.lost_table_full), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.stack_faults), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.g_faults), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.labels_cut), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.not_go_samples), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.cpu_ns), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.peak_rss), PLAIN, ANY, 0 },
	{ FIELD(profile, truth.duration_ns), PLAIN, ANY, 0 },
	STRING(profile, not_go_names),
};
static const struct column module_columns[] = {
	STRING(module, path),
	STRING(module, build_id),
	{ FIELD(module, go_minor), PLAIN, ANY, 0 },
};
static const struct column frame_columns[] = {
	{ FIELD(frame, addr), DELTA, ANY, 0 },
	STRING(frame, func),
	STRING(frame, file),
	{ FIELD(frame, module), DELTA, ID, MODULES },
	{ FIELD(frame, line), DELTA, ANY, 0 },
	{ FIELD(frame, start_line), DELTA, ANY, 0 },
	{ FIELD(frame, kind), PLAIN, FRAME_KIND_MAX, 0 },
	{ FIELD(frame, inlined), PLAIN, 2, 0 },
};
static const struct column call_columns[] = {
	{ FIELD(call, parent), BACK, ID, CALLS },
	{ FIELD(call, frame), DELTA, ID, FRAMES },
};
static const struct column process_columns[] = {
	{ FIELD(process, tgid), DELTA, ANY, 0 },
	STRING(process, name),
	STRING(process, path),
	STRING(process, go_version),
};
static const struct column thread_columns[] = {
	{ FIELD(thread, process), DELTA, ID, PROCESSES },
	{ FIELD(thread, tid), DELTA, ANY, 0 },
	STRING(thread, name),
};
static const struct column goroutine_columns[] = {
	{ FIELD(goroutine, goid), DELTA, ANY, 0 },
	{ FIELD(goroutine, parent_goid), DELTA, ANY, 0 },
	{ FIELD(goroutine, process), DELTA, ID, PROCESSES },
	STRING(goroutine, start),
	STRING(goroutine, creator),
	STRING(goroutine, labels),
};
static const struct column event_columns[] = {
	{ FIELD(event, time_ns), DELTA, ANY, 0 },
	{ FIELD(event, weight), DELTA, ANY, 0 },
	{ FIELD(event, call), PLAIN, ID, CALLS },
	{ FIELD(event, goroutine), PLAIN, ID, GOROUTINES },
	{ FIELD(event, thread), PLAIN, ID, THREADS },
	{ FIELD(event, class), PLAIN, CLASS_MAX, 0 },
	{ FIELD(event, flags), PLAIN, EVENT_FLAGS, 0 },
};

struct table {
	size_t rows, n, cap; /* offsets in struct profile */
	size_t row_size;
	const struct column *columns;
	uint32_t n_columns, first; /* first: row that is written first */
};

#define TABLE(rows, row, columns, first) \
	{ \
		offsetof(struct profile, rows), offsetof(struct profile, n_##rows), \
			offsetof(struct profile, cap_##rows), sizeof(struct row), columns, \
			ARRAY_LEN(columns), first \
	}

static const struct table tables[TABLES] = {
	[STRINGS] = { .first = 1 }, /* in the strtab */
	[MODULES] = TABLE(modules, module, module_columns, 1),
	[FRAMES] = TABLE(frames, frame, frame_columns, 1),
	[CALLS] = TABLE(calls, call, call_columns, 1),
	[PROCESSES] = TABLE(processes, process, process_columns, 1),
	[THREADS] = TABLE(threads, thread, thread_columns, 1),
	[GOROUTINES] = TABLE(goroutines, goroutine, goroutine_columns, 1),
	[EVENTS] = TABLE(events, event, event_columns, 0),
};

static uint32_t table_count(const struct profile *p, int table)
{
	uint32_t n;

	if (table == STRINGS)
		return strtab_count(p->strings);
	memcpy(&n, (const char *)p + tables[table].n, sizeof(n));
	return n;
}

static char *table_rows(const struct profile *p, int table)
{
	char *rows;

	memcpy(&rows, (const char *)p + tables[table].rows, sizeof(rows));
	return rows;
}

/* Writing. */

struct recording {
	int fd;
	off_t len;                /* of the whole blocks in the file */
	uint32_t written[TABLES]; /* rows, row 0 included */
	struct buf raw, out;
	ZSTD_CCtx *zstd;
};

/* Fields of 1, 4 and 8 bytes, by their low bytes. */
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

static void put_strings(struct recording *r, const struct profile *p)
{
	uint32_t first = r->written[STRINGS], n = strtab_count(p->strings);

	buf_uvarint(&r->raw, n - first);
	for (uint32_t i = first; i < n; i++)
		buf_uvarint(&r->raw, strlen(profile_string(p, i)));
	for (uint32_t i = first; i < n; i++)
		buf_str(&r->raw, profile_string(p, i));
}

/* Writes r->raw as a block, behind what is in r->out; all or nothing. */
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
	/* Neither call can help a device or a pipe, and neither has to. */
	if (err && !ftruncate(r->fd, r->len))
		lseek(r->fd, r->len, SEEK_SET);
	if (!err)
		r->len += (off_t)out->len;
	out->len = 0;
	return err;
}

int recording_create(struct recording **ret, const char *path, const struct profile *p)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : recording_create_fd(ret, fd, p);
}

int recording_create_fd(struct recording **ret, int fd, const struct profile *p)
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
	buf_u32(&r->out, VERSION);
	put_strings(r, p);
	put_columns(&r->raw, header_columns, ARRAY_LEN(header_columns), (const char *)p, 0,
		    0, 1);
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
		buf_uvarint(&r->raw, counts[t] - r->written[t]);
		put_columns(&r->raw, tables[t].columns, tables[t].n_columns,
			    table_rows(p, t), tables[t].row_size, r->written[t], counts[t]);
	}
	err = block_write(r, BLOCK_ROWS);
	if (err)
		return err;
	memcpy(r->written, counts, sizeof(counts));
	r->written[EVENTS] = 0;
	profile_drop_events(p);
	return 0;
}

int recording_finish(struct recording *r, struct profile *p)
{
	int err = recording_append(r, p);

	if (!err) {
		r->raw.len = 0;
		put_columns(&r->raw, end_columns, ARRAY_LEN(end_columns), (const char *)p,
			    0, 0, 1);
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

/* Reading. */

static const char too_large[] = "it would take too much memory for a file of its size";

static uint64_t decode(uint8_t coding, uint64_t v, uint64_t last, uint32_t id)
{
	if (coding == DELTA)
		return last + (v >> 1 ^ -(v & 1));
	return coding == BACK ? id - v : v;
}

/* Fills a field of the rows from first to end; what it may not hold makes c bad. */
static void get_column(struct cursor *c, const struct column *col, uint64_t max, char *rows,
		       size_t row_size, uint32_t first, uint32_t end)
{
	uint64_t last = col->coding == DELTA ? cursor_uvarint(c) : 0;
	uint32_t n = end - first, width = cursor_u8(c);
	const uint8_t *from = cursor_bytes(c, (size_t)width * n);

	if (width < 1 || width > 8 || !from) {
		c->bad = true;
		return;
	}
	for (uint32_t i = first; i < end; i++, from++) {
		uint64_t v = 0;

		for (uint32_t byte = 0; byte < width; byte++)
			v |= (uint64_t)from[(size_t)byte * n] << (8 * byte);
		last = decode(col->coding, v, last, i);
		if (last > max || (col->coding == BACK && last >= i)) {
			c->bad = true;
			return;
		}
		memcpy(rows + i * row_size + col->offset, &last, col->size);
	}
}

static void get_columns(struct cursor *c, const struct profile *p, const struct column *col,
			size_t n_columns, char *rows, size_t row_size, uint32_t first,
			uint32_t end)
{
	for (; n_columns-- && first < end && !c->bad; col++) {
		uint64_t max = UINT64_MAX >> (64 - 8 * col->size);

		if (col->limit != ANY)
			max = (col->limit == ID ? table_count(p, col->table) : col->limit) -
			      1;
		get_column(c, col, max, rows, row_size, first, end);
	}
}

static void get_strings(struct cursor *c, struct profile *p)
{
	uint64_t n = cursor_uvarint(c);
	struct cursor lens = *c;

	if (n > cursor_left(c) || n > MAX_ROWS - strtab_count(p->strings)) {
		c->bad = true;
		return;
	}
	for (uint64_t i = 0; i < n; i++)
		cursor_uvarint(c);
	while (n-- && !c->bad) {
		uint64_t len = cursor_uvarint(&lens);
		const char *s = cursor_bytes(c, len);
		uint32_t id = strtab_count(p->strings);

		/* One that is there already would shift the ids of the next. */
		if (s && (strnlen(s, len) < len || strtab_addn(p->strings, s, len) != id))
			c->bad = true;
	}
}

/* Does memory allow n more rows of this table? Small files must not fill it. */
static bool has_room(const struct profile *p, uint64_t room, int table, uint64_t n)
{
	uint64_t size = p->n_calls * sizeof(*p->sums);

	for (int t = STRINGS + 1; t < TABLES; t++)
		size += tables[t].row_size * (table_count(p, t) + (t == table ? n : 0));
	return size <= room;
}

static void get_table(struct cursor *c, struct profile *p, int table, uint64_t room)
{
	const struct table *t = &tables[table];
	uint32_t *count = (uint32_t *)((char *)p + t->n),
		 *cap = (uint32_t *)((char *)p + t->cap);
	uint64_t n = cursor_uvarint(c);
	uint32_t first = *count;
	char *rows = table_rows(p, table);

	if (!has_room(p, room, table, n))
		p->damaged = too_large;
	if (n > cursor_left(c) / t->n_columns || n > MAX_ROWS - first || p->damaged) {
		c->bad = true;
		return;
	}
	while (*count < first + n)
		rows = table_room(rows, t->row_size, (*count)++, cap);
	memcpy((char *)p + t->rows, &rows, sizeof(rows));
	get_columns(c, p, t->columns, t->n_columns, rows, t->row_size, first, *count);
}

/* The content of one block. */
static bool get_block(struct profile *p, uint32_t kind, const void *raw, size_t len,
		      uint64_t room)
{
	struct cursor c = cursor_over(raw, len);
	uint32_t call = p->n_calls, event = p->n_events;

	if (kind == BLOCK_HEADER) {
		get_strings(&c, p);
		get_columns(&c, p, header_columns, ARRAY_LEN(header_columns), (char *)p, 0,
			    0, 1);
	} else if (kind == BLOCK_ROWS) {
		get_strings(&c, p);
		for (int t = STRINGS + 1; t < TABLES && !c.bad; t++) {
			get_table(&c, p, t, room);
			for (; t == CALLS && call < p->n_calls && !c.bad; call++)
				c.bad = !profile_measure_call(p, call);
		}
		for (; event < p->n_events && !c.bad; event++)
			profile_count_event(p, &p->events[event]);
	} else {
		get_columns(&c, p, end_columns, ARRAY_LEN(end_columns), (char *)p, 0, 0, 1);
		p->complete = true;
	}
	return !c.bad && c.pos == c.len;
}

/* Forgets the rows of a bad block. Its strings stay, unused. */
static void take_back(struct profile *p, const uint32_t counts[TABLES])
{
	for (int t = STRINGS + 1; t < TABLES; t++)
		*(uint32_t *)((char *)p + tables[t].n) = counts[t];
}

/* Reads one block: its kind, 0 when the file ends within it, -EBADMSG. */
static int load_block(struct cursor *file, struct profile *p, bool first, uint64_t *room)
{
	uint32_t kind = cursor_u32(file), raw_len = cursor_u32(file);
	uint32_t packed_len = cursor_u32(file), check = cursor_u32(file);
	uint32_t counts[TABLES];
	const void *packed;
	void *raw;
	bool ok;

	if (file->bad)
		return 0;
	if (check != (kind ^ raw_len ^ packed_len ^ BLOCK_CHECK) || raw_len > MAX_RAW ||
	    !kind || kind > INT32_MAX || first != (kind == BLOCK_HEADER))
		return -EBADMSG;
	packed = cursor_bytes(file, packed_len);
	if (!packed)
		return 0;
	if (kind > BLOCK_END)
		return (int)kind;
	if (raw_len > *room) {
		p->damaged = too_large;
		return -EBADMSG;
	}
	for (int t = 0; t < TABLES; t++)
		counts[t] = table_count(p, t);
	raw = mem_zalloc(raw_len);
	ok = ZSTD_decompress(raw, raw_len, packed, packed_len) == raw_len &&
	     get_block(p, kind, raw, raw_len, *room);
	free(raw);
	*room -= raw_len; /* strings are no larger, and rows are counted by themselves */
	if (!ok)
		take_back(p, counts);
	return ok ? (int)kind : -EBADMSG;
}

static int load_bytes(struct profile *p, const void *data, size_t len, const char **why)
{
	uint64_t room = ROOM_RATIO * (uint64_t)len + ROOM_MIN;
	struct cursor file = cursor_over(data, len);
	size_t magic = sizeof(MAGIC) - 1;
	bool rows = false;
	int kind;

	*why = "not a recording of gostrobe";
	if (memcmp(data, MAGIC, len < magic ? len : magic))
		return -EBADMSG;
	*why = "a recording of another version of gostrobe";
	cursor_seek(&file, magic);
	if (cursor_u32(&file) != VERSION && !file.bad)
		return -EBADMSG;
	*why = "too short: it was cut off before its first samples";
	kind = load_block(&file, p, true, &room);
	while (kind > 0 && kind != BLOCK_END && cursor_left(&file)) {
		kind = load_block(&file, p, false, &room);
		rows |= kind == BLOCK_ROWS;
	}
	if (kind >= 0 && (kind != BLOCK_END || !cursor_left(&file)))
		return rows || p->complete ? 0 : -EBADMSG;
	if (!p->damaged)
		p->damaged = "the recording is corrupt";
	p->complete = false;
	*why = p->damaged;
	return rows && *why != too_large ? 0 : -EBADMSG;
}

int recording_load(struct profile **ret, const char *path, const char **why)
{
	struct buf b = { 0 };
	struct profile *p = NULL;
	int err = file_read(AT_FDCWD, path, MAX_FILE, &b);

	if (err)
		goto out;
	p = profile_new();
	err = load_bytes(p, b.data, b.len, why);
out:
	buf_release(&b);
	if (err) {
		profile_free(p);
		p = NULL;
	}
	*ret = p;
	return err;
}
