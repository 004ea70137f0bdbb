/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading; recording.c writes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/cursor.h"
#include "profiler/base/file.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/columns.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"

#define MAX_FILE ((size_t)8 << 30)
#define MAX_ROWS (1u << 30) /* of one table, well below what table_add() can hold */
/*
 * The memory that a file may take: so many times its size, plus ROOM_MIN. Rows of ordinary
 * recordings take 7 to 17 times the size. Stacks may take more: a new one of 1,000 frames
 * is packed into some 100 bytes.
 */
#define ROOM_RATIO 40
#define ROOM_MIN   ((uint64_t)64 << 20)

enum {
	STRING_BYTES = 64, /* overhead of a string */
	CALL_BYTES = sizeof(struct call) + sizeof(struct stack_sums) + 8 /* in a tree */,
};

static const char too_large[] =
	"it needs more memory than a file of its size may; --max-memory SIZE allows more";

static uint64_t decode(uint8_t coding, uint64_t v, uint64_t last, uint32_t id)
{
	if (coding == DELTA)
		return last + (v >> 1 ^ -(v & 1));
	return coding == BACK ? id - v : v;
}

/* The largest number that a field may hold. */
static uint64_t field_max(const struct profile *p, const struct column *col)
{
	uint64_t max = UINT64_MAX >> (64 - 8 * col->size);

	if (col->accept == ID && table_count(p, col->of) <= max)
		max = table_count(p, col->of) - 1;
	return max;
}

/* The value of a field for a number in the file. */
static uint64_t known(uint64_t v, const struct column *col)
{
	if (col->accept == ENUM && v >= col->of)
		return col->unknown;
	return col->accept == FLAGS ? v & (col->of - 1u) : v;
}

/* Fills a field of the rows [first, end). A number that is not accepted makes c bad. */
static void get_column(struct cursor *c, const struct profile *p, const struct column *col,
		       char *rows, size_t row_size, uint32_t first, uint32_t end)
{
	uint64_t last = col->coding == DELTA ? cursor_uvarint(c) : 0,
		 max = field_max(p, col);
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
		v = known(last, col);
		if (v > max || (col->coding == BACK && v >= i)) {
			c->bad = true;
			return;
		}
		memcpy(rows + i * row_size + col->offset, &v, col->size);
	}
}

/* How many of the columns a file of this minor version has. */
static uint32_t n_present(const struct column *col, uint32_t n, uint16_t minor)
{
	while (n && col[n - 1].since > minor)
		n--;
	return n;
}

static void get_columns(struct cursor *c, const struct profile *p, const struct column *col,
			size_t n_columns, char *rows, size_t row_size, uint32_t first,
			uint32_t end)
{
	for (; n_columns-- && first < end && !c->bad; col++)
		get_column(c, p, col, rows, row_size, first, end);
}

/* Takes room for n times size bytes. False, and c is bad: there is not so much. */
static bool take_room(struct cursor *c, struct profile *p, uint64_t *room, uint64_t n,
		      uint64_t size)
{
	if (n > *room / size) {
		p->damaged = too_large;
		c->bad = true;
		return false;
	}
	*room -= n * size;
	return true;
}

/* A cursor over the next part of a block, bad if there is none. */
static struct cursor part_begin(struct cursor *block)
{
	uint32_t len = cursor_u32(block);
	const void *data = cursor_bytes(block, len);

	return data ? cursor_over(data, len) : (struct cursor){ .bad = true };
}

/* True if a part or a block was read to its end. A newer minor version may have more. */
static bool is_read(const struct cursor *c, const struct profile *p)
{
	return !c->bad && (p->newer || c->pos == c->len);
}

static void get_strings(struct cursor *c, struct profile *p, uint64_t *room)
{
	uint64_t n = cursor_uvarint(c);
	struct cursor lens = *c;

	if (n > cursor_left(c) || n > MAX_ROWS - strtab_count(p->strings)) {
		c->bad = true;
		return;
	}
	if (!take_room(c, p, room, n, STRING_BYTES) ||
	    !take_room(c, p, room, cursor_left(c), 1))
		return;
	for (uint64_t i = 0; i < n; i++)
		cursor_uvarint(c);
	while (n-- && !c->bad) {
		uint64_t len = cursor_uvarint(&lens);
		const char *s = cursor_bytes(c, len);
		uint32_t id = strtab_count(p->strings);

		/* A string that exists already would shift the ids of later ones. */
		if (s && (strnlen(s, len) < len || strtab_addn(p->strings, s, len) != id))
			c->bad = true;
	}
}

/* The columns of the profile itself. */
static void get_row(struct cursor *block, struct profile *p, const struct column *col,
		    uint32_t n_columns)
{
	struct cursor c = part_begin(block);

	get_columns(&c, p, col, n_present(col, n_columns, p->minor), (char *)p, 0, 0, 1);
	block->bad |= !is_read(&c, p);
}

static void get_rows(struct cursor *c, struct profile *p, int table, uint64_t *room)
{
	const struct table *t = &tables[table];
	uint32_t *count = (uint32_t *)((char *)p + t->n),
		 *cap = (uint32_t *)((char *)p + t->cap);
	uint64_t n = cursor_uvarint(c);
	uint32_t first = *count, n_columns = n_present(t->columns, t->n_columns, p->minor);
	char *rows = table_rows(p, table);

	if (n > cursor_left(c) / n_columns ||
	    n > (table == KINDS ? (uint32_t)MAX_KINDS : MAX_ROWS) - first)
		c->bad = true;
	else
		take_room(c, p, room, n, table == CALLS ? CALL_BYTES : t->row_size);
	if (c->bad)
		return;
	while (*count < first + n)
		rows = table_room(rows, t->row_size, (*count)++, cap);
	memcpy((char *)p + t->rows, &rows, sizeof(rows));
	get_columns(c, p, t->columns, n_columns, rows, t->row_size, first, *count);
}

/* The next part of a block: rows of a table. */
static void get_table(struct cursor *block, struct profile *p, int table, uint64_t *room)
{
	struct cursor c = part_begin(block);

	if (table == STRINGS)
		get_strings(&c, p, room);
	else
		get_rows(&c, p, table, room);
	block->bad |= !is_read(&c, p);
}

/* The content of one block. */
static bool get_block(struct profile *p, uint32_t kind, const void *raw, size_t len,
		      uint64_t *room)
{
	struct cursor c = cursor_over(raw, len);
	uint32_t call = p->n_calls, event = p->n_events;

	if (kind == BLOCK_HEADER) {
		get_table(&c, p, STRINGS, room);
		get_row(&c, p, header_columns, n_header_columns);
	} else if (kind == BLOCK_ROWS) {
		for (int t = STRINGS; t < TABLES && !c.bad; t++)
			get_table(&c, p, t, room);
		for (; call < p->n_calls && !c.bad; call++)
			c.bad = !profile_measure_call(p, call);
		for (; event < p->n_events && is_read(&c, p); event++)
			profile_count_event(p, &p->events[event]);
	} else {
		get_row(&c, p, end_columns, n_end_columns);
		p->complete = true;
	}
	return is_read(&c, p);
}

/* Drops what a bad block has added. Its strings stay, unused. */
static void take_back(struct profile *p, const struct profile *before)
{
	for (int t = STRINGS + 1; t < TABLES; t++)
		memcpy((char *)p + tables[t].n, (const char *)before + tables[t].n,
		       sizeof(uint32_t));
	p->stats = before->stats;
	p->not_go_names = before->not_go_names;
	p->complete = before->complete;
}

/* Reads one block. Returns its kind, 0 if the file ends inside it, or -EBADMSG. */
static int load_block(struct cursor *file, struct profile *p, bool first, uint64_t *room)
{
	uint32_t kind = cursor_u32(file), raw_len = cursor_u32(file);
	uint32_t packed_len = cursor_u32(file), check = cursor_u32(file);
	struct profile before = *p;
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
	raw = mem_zalloc(raw_len);
	ok = ZSTD_decompress(raw, raw_len, packed, packed_len) == raw_len &&
	     get_block(p, kind, raw, raw_len, room);
	free(raw);
	if (!ok)
		take_back(p, &before);
	return ok ? (int)kind : -EBADMSG;
}

/* Returns NULL, or why this version cannot be read: valid until the next call. */
static const char *check_version(struct cursor *file, struct profile *p)
{
	static char why[96];
	uint16_t major = cursor_u16(file), minor = cursor_u16(file);

	p->minor = minor;
	p->newer = minor > MINOR;
	if (major == MAJOR || file->bad)
		return NULL;
	snprintf(why, sizeof(why),
		 "its format is version %u.%u, this gostrobe reads %u.%u; %s", major, minor,
		 MAJOR, MINOR,
		 major < MAJOR ? "use the gostrobe that wrote it" : "use a newer gostrobe");
	return why;
}

static int load_bytes(struct profile *p, const void *data, size_t len, uint64_t max,
		      const char **why)
{
	uint64_t room = max ? max : ROOM_RATIO * (uint64_t)len + ROOM_MIN;
	struct cursor file = cursor_over(data, len);
	size_t magic = sizeof(MAGIC) - 1;
	bool rows = false;
	int kind;

	*why = "not a recording of gostrobe";
	if (memcmp(data, MAGIC, len < magic ? len : magic))
		return -EBADMSG;
	cursor_seek(&file, magic);
	*why = check_version(&file, p);
	if (*why)
		return -EBADMSG;
	*why = "too short: it was cut off before its first samples";
	kind = load_block(&file, p, true, &room);
	while (kind > 0 && kind != BLOCK_END && cursor_left(&file)) {
		kind = load_block(&file, p, false, &room);
		rows |= kind == BLOCK_ROWS;
	}
	p->tree_max = room + 1; /* never 0 */
	if (kind >= 0 && (kind != BLOCK_END || !cursor_left(&file)))
		return rows || p->complete ? 0 : -EBADMSG;
	*why = p->damaged ? p->damaged : "the recording is corrupt";
	if (!p->damaged)
		p->damaged = kind == BLOCK_END ? "it goes on after its end"
					       : "a block is corrupt";
	p->complete = false;
	return rows && *why != too_large ? 0 : -EBADMSG;
}

int recording_load(struct profile **ret, const char *path, uint64_t max, const char **why)
{
	struct buf b = { 0 };
	struct profile *p = NULL;
	int err = file_read(AT_FDCWD, path, MAX_FILE, &b);

	if (err)
		goto out;
	p = profile_new();
	err = load_bytes(p, b.data, b.len, max, why);
out:
	buf_release(&b);
	if (err) {
		profile_free(p);
		p = NULL;
	}
	*ret = p;
	return err;
}
