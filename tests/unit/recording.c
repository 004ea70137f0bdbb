/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/profile/columns.h"
#include "profiler/profile/recording.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static char path[] = "/tmp/gostrobe-test-XXXXXX";

static void make_path(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void remove_path(void)
{
	unlink(path);
}

TestSuite(recording, .init = make_path, .fini = remove_path);

static int create(struct recording **ret, const char *to, const struct profile *p)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	return fd < 0 ? -errno : recording_create(ret, fd, p);
}

/* What was written, because recording_append() drops the events. */
struct written {
	struct profile *p;
	struct event *events;
	uint32_t n, cap;
	uint32_t ends[8], n_ends; /* events in the file after each block of rows */
};

static void append(struct written *w, struct recording *r)
{
	for (uint32_t i = 0; i < w->p->n_events; i++)
		*table_add(w->events, w->n, w->cap) = w->p->events[i];
	w->ends[w->n_ends++] = w->n;
	cr_assert_eq(recording_append(r, w->p), 0);
	cr_assert_eq(w->p->n_events, 0);
}

/* Three blocks of rows of all tables, with the largest numbers that columns can hold. */
static struct written write_small(void)
{
	struct written w = { .p = hand_profile() };
	struct profile *p = w.p;
	struct recording *r;
	struct frame odd = { UINT64_MAX,         1, 2, 1, UINT32_MAX, UINT32_MAX,
			     FRAME_KIND_MAX - 1, 1 };
	uint32_t pid, tid, call;

	p->command = hand_string(p, "-p 812");
	cr_assert_eq(create(&r, path, p), 0);
	profile_module(p, &(struct module){ hand_string(p, "/bin/demo"),
					    hand_string(p, "abcdef"), .go_minor = 22 });
	pid = profile_process(p, &(struct process){ 812, hand_string(p, "demo"), 1, 2, 0 });
	tid = hand_thread(p, pid, 813, "demo");
	call = hand_stack(p, "goexit:runtime.goexit go:main.main go:main.a kernel:read");
	for (uint64_t i = 0; i < 5; i++)
		hand_event(p, 10 * i, call - (uint32_t)i % 3,
			   hand_goroutine(p, pid, i, "main.a", "", ""), tid, CLASS_USER);
	append(&w, r);
	cr_assert_eq(recording_append(r, p), 0, "nothing new");
	call = profile_call(p, call, profile_frame(p, &odd));
	hand_event(p, UINT64_MAX / 1000000, call, 1, tid, CLASS_MAX - 1);
	hand_event(p, 3, 0, 0, 0, CLASS_STARTING); /* earlier */
	profile_kind(p, &(struct event_kind){ hand_string(p, "off-cpu"),
					      hand_string(p, UNIT_NS),
					      hand_string(p, "sched_switch"),
					      UINT32_MAX,
					      UINT64_MAX,
					      { 0 } });
	profile_event(p, &(struct event){ .time_ns = UINT64_MAX,
					  .weight = UINT64_MAX,
					  .kind = 2,
					  .flags = EVENT_FLAGS - 1,
					  .end = END_MAX - 1 });
	profile_event(p, &(struct event){ .weight = 1ull << 63, .kind = 1 });
	append(&w, r);
	/* no events, but rows */
	hand_goroutine(p, pid, UINT64_MAX, "", "go x", "k=v");
	append(&w, r);
	p->stats = (struct stats){ 1, 2, 3, 4, 10, 5, UINT64_MAX, 7, 8 };
	p->not_go_names = hand_string(p, "bash 3");
	cr_assert_eq(recording_finish(r, p), 0);
	return w;
}

static void release(struct written *w)
{
	profile_free(w->p);
	free(w->events);
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->addr == b->addr && a->func == b->func && a->file == b->file &&
	       a->module == b->module && a->line == b->line &&
	       a->start_line == b->start_line && a->kind == b->kind &&
	       a->inlined == b->inlined;
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->time_ns == b->time_ns && a->weight == b->weight && a->call == b->call &&
	       a->goroutine == b->goroutine && a->thread == b->thread &&
	       a->class == b->class && a->flags == b->flags && a->kind == b->kind &&
	       a->end == b->end;
}

#define same_rows(a, b, rows) \
	((a)->n_##rows == (b)->n_##rows && \
	 !memcmp((a)->rows, (b)->rows, (a)->n_##rows * sizeof(*(a)->rows)))

static bool same_profile(const struct profile *got, const struct written *w)
{
	const struct profile *p = w->p;

	if (got->n_events != w->n || got->n_frames != p->n_frames ||
	    strtab_count(got->strings) != strtab_count(p->strings))
		return false;
	for (uint32_t i = 0; i < w->n; i++)
		if (!same_event(&got->events[i], &w->events[i]))
			return false;
	for (uint32_t i = 0; i < p->n_frames; i++)
		if (!same_frame(&got->frames[i], &p->frames[i]))
			return false;
	for (uint32_t i = 0; i < strtab_count(p->strings); i++)
		if (strcmp(profile_string(got, i), profile_string(p, i)))
			return false;
	return same_rows(got, p, modules) && same_rows(got, p, calls) &&
	       same_rows(got, p, processes) && same_rows(got, p, threads) &&
	       same_rows(got, p, goroutines) && got->start_ns == p->start_ns &&
	       got->command == p->command && same_rows(got, p, kinds);
}

static int load(struct profile **ret, const char **why)
{
	int err = recording_load(ret, path, 0, why);

	cr_assert(err == 0 || (err == -EBADMSG && !*ret && *why && **why), "%d", err);
	return err;
}

static struct buf file_bytes(void)
{
	struct buf b = { 0 };

	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 26, &b), 0);
	return b;
}

static void write_bytes(const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	cr_assert_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
}

Test(recording, comes_back)
{
	struct written w = write_small();
	struct profile *p;
	const char *why;

	cr_assert_eq(load(&p, &why), 0);
	cr_expect(p->complete);
	cr_expect(same_profile(p, &w));
	cr_expect(p->stats.lost_ring_full == 1 && p->stats.lost_table_full == 2 &&
		  p->stats.stack_faults == 3 && p->stats.g_faults == 4 &&
		  p->stats.labels_cut == 10 && p->stats.not_go_samples == 5 &&
		  p->stats.cpu_ns == UINT64_MAX && p->stats.peak_rss == 7 &&
		  p->stats.duration_ns == 8);
	cr_expect_eq(p->kinds[1].quality.samples + p->kinds[2].quality.samples, 9);
	cr_expect_str_eq(profile_string(p, p->not_go_names), "bash 3");
	profile_free(p);
	release(&w);
}

/* The sums of the quality line are those of the recording process. */
Test(recording, quality_is_added_up_again)
{
	struct profile *p = hand_profile(), *got;
	struct recording *r;
	const char *why;
	struct quality q;

	cr_assert_eq(create(&r, path, p), 0);
	hand_event(p, 1, hand_stack(p, "go:main.main vdso:"), 0, 0, CLASS_UNKNOWN);
	hand_event(p, 2, hand_stack(p, "go:main.main kernel:read"),
		   hand_goroutine(p, 0, 1, "", "", ""), 0, CLASS_USER);
	q = p->kinds[1].quality;
	cr_assert_eq(recording_finish(r, p), 0);
	cr_assert_eq(load(&got, &why), 0);
	cr_expect_eq(memcmp(&got->kinds[1].quality, &q, sizeof(q)), 0);
	cr_expect_eq(q.user_frames, 3);
	profile_free(p);
	profile_free(got);
}

Test(recording, cut_at_every_byte)
{
	struct written w = write_small();
	struct buf b = file_bytes();
	uint32_t seen = 0, loaded = 0;

	for (size_t len = 0; len <= b.len; len++) {
		struct profile *p;
		const char *why = NULL;

		write_bytes(b.data, len);
		if (load(&p, &why)) {
			cr_assert_eq(loaded, 0,
				     "once there is a block there is something to show");
			cr_assert(strstr(why, "too short"), "%zu: %s", len, why);
			continue;
		}
		loaded++;
		cr_assert_eq(p->complete, len == b.len, "%zu", len);
		while (p->n_events != w.ends[seen])
			cr_assert_lt(++seen, w.n_ends, "%zu: no whole blocks", len);
		profile_free(p);
	}
	cr_expect(loaded > 3 && seen == w.n_ends - 2);
	buf_release(&b);
	release(&w);
}

Test(recording, every_bit_flipped)
{
	struct written w = write_small();
	struct buf b = file_bytes();
	uint32_t same = 0;

	for (size_t bit = 0; bit < b.len * 8; bit++) {
		struct profile *p;
		const char *why;

		b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_bytes(b.data, b.len);
		b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (load(&p, &why))
			continue;
		if (p->damaged) { /* what came before is there */
			cr_assert(!p->complete && p->n_events <= w.n);
			profile_free(p);
			continue;
		}
		/* some bits of zstd's frames mean nothing */
		cr_assert(p->complete && same_profile(p, &w), "bit %zu", bit);
		same++;
		profile_free(p);
	}
	cr_expect_lt(same, b.len * 8 / 50, "%u of them", same);
	buf_release(&b);
	release(&w);
}

/* Files put together by hand. */

enum { MAGIC_LEN = 12 };

static void put_block(struct buf *b, uint32_t kind, const struct buf *raw)
{
	size_t bound = ZSTD_compressBound(raw->len), packed;
	void *out = mem_zalloc(bound);

	packed = ZSTD_compress(out, bound, raw->data, raw->len, 1);
	buf_u32(b, kind);
	buf_u32(b, (uint32_t)raw->len);
	buf_u32(b, (uint32_t)packed);
	buf_u32(b, kind ^ (uint32_t)raw->len ^ (uint32_t)packed ^ 0x6b636f6c);
	buf_add(b, out, packed);
	free(out);
}

/* No strings; start, command. */
static const uint8_t header[] = { 1, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 1, 0 };
/* And the number of CPUs, since 3.1. */
static const uint8_t header_1[] = { 1, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 1, 0, 1, 2 };

/* A file of two blocks; the header has no strings. Returns why it is refused, or NULL. */
static const char *load_version(uint16_t minor, uint32_t kind, uint32_t kind2,
				const void *rows, size_t len, struct profile **p)
{
	struct buf b = { 0 }, raw = { 0 };
	const char *why;

	buf_str(&b, "gostrobe");
	buf_u32(&b, 3 | (uint32_t)minor << 16);
	if (minor)
		buf_add(&raw, header_1, sizeof(header_1));
	else
		buf_add(&raw, header, sizeof(header));
	put_block(&b, kind, &raw);
	raw.len = 0;
	buf_add(&raw, rows, len);
	put_block(&b, kind2, &raw);
	write_bytes(b.data, b.len);
	buf_release(&b);
	buf_release(&raw);
	return load(p, &why) ? why : NULL;
}

static const char *load_blocks(uint32_t kind, uint32_t kind2, const void *rows, size_t len,
			       struct profile **p)
{
	return load_version(0, kind, kind2, rows, len, p);
}

static void put_part(struct buf *b, const void *data, size_t len)
{
	buf_u32(b, (uint32_t)len);
	buf_add(b, data, len);
}

/* The parts of a block of rows, in their order, by number; NULL: a part without rows. */
struct parts {
	const char *rows[TABLES + 1];
	size_t len[TABLES + 1];
	bool extra; /* one more part, which comes last */
};

static struct buf parts_join(const struct parts *p)
{
	struct buf b = { 0 };

	for (int i = 0; i < TABLES + p->extra; i++)
		put_part(&b, p->rows[i] ? p->rows[i] : "", p->rows[i] ? p->len[i] : 1);
	return b;
}

static const char *load_parts(uint16_t minor, const struct parts *parts, struct profile **p)
{
	struct buf b = parts_join(parts);
	const char *why = load_version(minor, 1, 2, b.data, b.len, p);

	buf_release(&b);
	return why;
}

/* Only this part has rows. */
static const char *load_part(uint16_t minor, int part, const char *rows, size_t len,
			     struct profile **p)
{
	struct parts parts = { 0 };

	parts.rows[part] = rows;
	parts.len[part] = len;
	return load_parts(minor, &parts, p);
}

Test(recording, header_comes_first_and_once)
{
	struct profile *p;

	cr_expect_str_eq(load_blocks(1, 1, header, sizeof(header), &p),
			 "the recording is corrupt");
	cr_expect_str_eq(load_blocks(9, 2, "", 0, &p), "the recording is corrupt");
	cr_expect(strstr(load_blocks(1, 9, "", 0, &p), "too short"));
}

#define BYTES(bytes)         bytes, sizeof(bytes) - 1
#define FRAME(kind, inlined) "\1\0\1\0\0\1\0\0\1\0\0\1\0\0\1\0\0\1\0\1" kind "\1" inlined
#define EVENT(kind, call, goroutine, thread, class, flags, end) \
	"\1\0\1\0\1" kind "\0\1\0\1" call "\1" goroutine "\1" thread "\1" class "\1" flags \
										"\1" end

Test(recording, refuses_rows_that_lie)
{
	struct {
		const char *what;
		int part;
		const char *rows;
		size_t len;
		bool fine;
	} cases[] = {
		{ "nothing", STRINGS, BYTES("\0"), true },
		{ "a string", STRINGS, BYTES("\1\1a"), true },
		{ "two strings", STRINGS, BYTES("\2\1\1ab"), true },
		{ "a string twice", STRINGS, BYTES("\2\1\1aa"), false },
		{ "an empty string", STRINGS, BYTES("\1\0"), false },
		{ "a NUL in a string", STRINGS, BYTES("\1\2a\0"), false },
		{ "a string past the end", STRINGS,
		  BYTES("\1\x20"
			"a"),
		  false },
		{ "more strings than bytes", STRINGS,
		  BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"
			"a\0\0\0"),
		  false },
		{ "bytes left over", STRINGS, BYTES("\0\0"), false },
		{ "a module", MODULES, BYTES("\1\0\1\0\0\1\0\1\0"), true },
		{ "bytes after it", MODULES, BYTES("\1\0\1\0\0\1\0\1\0\0"), false },
		{ "a path that is none", MODULES, BYTES("\1\0\1\2\0\1\0\1\0"), false },
		{ "a path below 0", MODULES, BYTES("\1\0\1\1\0\1\0\1\0"), false },
		{ "a column of width 0", MODULES, BYTES("\1\0\0\0\1\0\1\0"), false },
		{ "a column of width 9", MODULES,
		  BYTES("\1\0\x9\0\0\0\0\0\0\0\0\0\0\1\0\1\0"), false },
		{ "more modules than bytes", MODULES,
		  BYTES("\xff\xff\xff\xff\x7f\1\0\0\1\0\1\0"), false },
		{ "a frame", FRAMES, BYTES(FRAME("\1", "\1")), true },
		{ "a line of 33 bits", FRAMES,
		  BYTES("\1\0\1\0\0\1\0\0\1\0\0\1\0\0\5\0\0\0\0\2\0\1\0\1\1\1\1"), false },
		{ "a call", CALLS, BYTES("\1\1\1\0\1\0"), true },
		{ "its own parent", CALLS, BYTES("\1\1\0\0\1\0"), false },
		{ "a parent before all", CALLS, BYTES("\1\1\2\0\1\0"), false },
		{ "a frame that is none", CALLS, BYTES("\1\1\1\0\1\2"), false },
		{ "a kind", KINDS, BYTES("\1\0\1\0\0\1\0\0\1\0\1\0\1\0"), true },
		{ "a kind without a name", KINDS, BYTES("\1\0\1\2\0\1\0\0\1\0\1\0\1\0"),
		  false },
		{ "an event", EVENTS,
		  BYTES(EVENT("\0", "\0", "\0", "\0", "\x9", "\1", "\5")), true },
		{ "a kind that is none", EVENTS,
		  BYTES(EVENT("\1", "\0", "\0", "\0", "\0", "\0", "\0")), false },
		{ "a call that is none", EVENTS,
		  BYTES(EVENT("\0", "\1", "\0", "\0", "\0", "\0", "\0")), false },
		{ "a goroutine", EVENTS,
		  BYTES(EVENT("\0", "\0", "\1", "\0", "\0", "\0", "\0")), false },
		{ "a thread", EVENTS,
		  BYTES(EVENT("\0", "\0", "\0", "\1", "\0", "\0", "\0")), false },
		{ "half an event", EVENTS, BYTES("\1\0\1\0\1\0\0\1\0\1"), false },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct profile *p = NULL;
		const char *why = load_part(0, cases[i].part, cases[i].rows, cases[i].len,
					    &p);

		cr_expect_eq(!why, cases[i].fine, "%s: %s", cases[i].what,
			     why ? why : "loaded");
		profile_free(p);
	}
}

/* One part too few, one too many, and one that is longer than the block. */
Test(recording, refuses_blocks_of_other_parts)
{
	struct parts none = { 0 }, more = { .extra = true };
	struct buf b = parts_join(&none);
	struct profile *p = NULL;

	cr_expect(load_blocks(1, 2, b.data, b.len - 5, &p));
	cr_expect(load_blocks(1, 2, b.data, b.len - 1, &p));
	cr_expect(load_parts(0, &more, &p));
	cr_assert_null(load_blocks(1, 2, b.data, b.len, &p));
	profile_free(p);
	buf_release(&b);
}

Test(recording, refuses_stacks_that_are_too_deep)
{
	for (uint32_t depth = MAX_STACK_FRAMES; depth <= MAX_STACK_FRAMES + 1; depth++) {
		struct buf raw = { 0 };
		struct profile *p = NULL;
		const char *why;

		buf_uvarint(&raw, depth);
		buf_u8(&raw, 1);
		memset(buf_room(&raw, depth), 1, depth); /* parent: the call before */
		raw.len += depth;
		buf_add(&raw, "\0\1", 2);
		memset(buf_room(&raw, depth), 0, depth);
		raw.len += depth;
		why = load_part(0, CALLS, (const char *)raw.data, raw.len, &p);
		cr_expect_eq(!why, depth == MAX_STACK_FRAMES);
		if (p)
			cr_expect_eq(p->sums[depth].depth, depth);
		profile_free(p);
		buf_release(&raw);
	}
}

Test(recording, skips_blocks_it_does_not_know)
{
	struct written w = write_small();
	struct buf b = file_bytes(), out = { 0 }, raw = { 0 };
	struct {
		uint32_t kind, raw_len, packed_len, check;
	} head;
	struct profile *p;
	const char *why;
	size_t first;

	memcpy(&head, b.data + MAGIC_LEN, sizeof(head));
	first = MAGIC_LEN + sizeof(head) + head.packed_len;
	buf_str(&raw, "of a later version");
	buf_add(&out, b.data, first);
	put_block(&out, 4, &raw);
	buf_add(&out, b.data + first, b.len - first);
	write_bytes(out.data, out.len);
	cr_assert_eq(load(&p, &why), 0);
	cr_expect(p->complete && same_profile(p, &w));
	profile_free(p);
	/* but END is the end */
	write_bytes(b.data, b.len);
	put_block(&b, 4, &raw);
	write_bytes(b.data, b.len);
	cr_assert_eq(load(&p, &why), 0);
	cr_expect(p->damaged && !p->complete);
	profile_free(p);
	buf_release(&b);
	buf_release(&out);
	buf_release(&raw);
	release(&w);
}

/* What this version does not know becomes "unknown", never something else. */
Test(recording, unknown_numbers_load_as_unknown)
{
	struct profile *p;

	cr_assert_null(load_part(0, FRAMES, BYTES(FRAME("\x12", "\2")), &p));
	cr_expect_eq(p->frames[1].kind, FRAME_UNNAMED);
	cr_expect_eq(p->frames[1].inlined, 1);
	profile_free(p);
	cr_assert_null(load_part(0, FRAMES, BYTES(FRAME("\x11", "\0")), &p));
	cr_expect(p->frames[1].kind == FRAME_SIGTRAMP && !p->frames[1].inlined);
	profile_free(p);
	cr_assert_null(load_part(
		0, EVENTS, BYTES(EVENT("\0", "\0", "\0", "\0", "\xa", "\xf5", "\6")), &p));
	cr_expect_eq(p->events[0].class, CLASS_UNKNOWN);
	cr_expect_eq(p->events[0].flags, EVENT_ROOTED | EVENT_VDSO);
	cr_expect_eq(p->events[0].end, END_OTHER);
	profile_free(p);
}

/* It may add columns behind the last of a table, parts behind the last of a block, and
 * blocks. */
Test(recording, reads_what_it_can_of_a_newer_minor_version)
{
	static const char frame[] = FRAME("\1", "\1") "\1\7",
			  event[] = EVENT("\0", "\0", "\0", "\0", "\10", "\1", "\5") "\1\3"
										     "\1\7";
	struct parts parts = { .extra = true };
	struct profile *p;

	parts.rows[FRAMES] = frame;
	parts.len[FRAMES] = sizeof(frame) - 1;
	parts.rows[EVENTS] = event;
	parts.len[EVENTS] = sizeof(event) - 1;
	parts.rows[TABLES] = "new";
	parts.len[TABLES] = 3;
	cr_expect(load_parts(MINOR, &parts, &p), "in our own version it is an error");
	cr_assert_null(load_parts(MINOR + 1, &parts, &p));
	cr_expect(p->newer);
	cr_expect(p->n_frames == 2 && p->frames[1].kind == FRAME_GO);
	cr_expect(p->n_events == 1 && p->events[0].class == CLASS_USER);
	profile_free(p);
	cr_assert_null(load_part(MINOR, FRAMES, frame, sizeof(frame) - 3, &p));
	cr_expect(!p->newer);
	profile_free(p);
	/* what is there must still be right */
	parts.len[FRAMES] = 5;
	cr_expect(load_parts(MINOR + 1, &parts, &p));
}

/* Columns that came later are 0 in an older file, and must be there in a newer one. */
Test(recording, columns_of_later_versions)
{
	struct profile *p;

	cr_assert_null(load_part(0, MODULES, BYTES("\1\0\1\0\0\1\0\1\x16"), &p));
	cr_expect(p->modules[1].go_minor == 22 && !p->modules[1].go_module && !p->n_cpus);
	profile_free(p);
	cr_expect(load_part(1, MODULES, BYTES("\1\0\1\0\0\1\0\1\x16"), &p));
	cr_assert_null(load_part(1, MODULES, BYTES("\1\0\1\0\0\1\0\1\x16\0\1\0"), &p));
	cr_expect(p->n_cpus == 2 && p->modules[1].go_minor == 22);
	cr_expect(!p->modules[1].text.start && !p->modules[1].text.limit);
	profile_free(p);
	cr_expect(load_part(2, MODULES, BYTES("\1\0\1\0\0\1\0\1\x16\0\1\0"), &p));
	cr_assert_null(load_part(2, MODULES,
				 BYTES("\1\0\1\0\0\1\0\1\x16\0\1\0"
				       "\3\0\x10\x40\3\0\x50\x40\2\0\x10"),
				 &p));
	cr_expect(p->modules[1].text.start == 0x401000 &&
		  p->modules[1].text.limit == 0x405000 &&
		  p->modules[1].text.offset == 0x1000);
	profile_free(p);
}

/* Files hold these numbers: new ones are added at the end, the others never change. */
Test(recording, numbers_are_pinned)
{
	static const int pinned[] = {
		FRAME_UNNAMED,     FRAME_GO,        FRAME_NATIVE,      FRAME_VDSO,
		FRAME_KERNEL,      FRAME_CUT,       FRAME_WRAPPER,     FRAME_PANIC,
		FRAME_SIGPANIC,    FRAME_INJECTED,  FRAME_GOEXIT,      FRAME_MSTART,
		FRAME_MCALL,       FRAME_MORESTACK, FRAME_SYSTEMSTACK, FRAME_ASMCGOCALL,
		FRAME_CGOCALLBACK, FRAME_SIGTRAMP,  FRAME_KIND_MAX,
	};
	static const int classes[] = {
		CLASS_STARTING,  CLASS_SIGNAL,  CLASS_C,      CLASS_GC,
		CLASS_SCHEDULER, CLASS_CGO,     CLASS_KERNEL, CLASS_RUNTIME,
		CLASS_USER,      CLASS_UNKNOWN, CLASS_MAX,
	};
	static const int ends[] = { END_OTHER,  END_DEEP, END_FAULT, END_NATIVE,
				    END_BROKEN, END_BARE, END_MAX };
	static const int flags[] = { EVENT_ROOTED, EVENT_CGO, EVENT_VDSO, EVENT_LOCKED,
				     EVENT_FLAGS };
	static const int blocks[] = { BLOCK_HEADER, BLOCK_ROWS, BLOCK_END };
	static const int parts[] = { STRINGS, MODULES,    FRAMES, CALLS,  PROCESSES,
				     THREADS, GOROUTINES, KINDS,  EVENTS, TABLES };

	for (int i = 0; i < (int)LEN(pinned); i++)
		cr_expect_eq(pinned[i], i);
	for (int i = 0; i < (int)LEN(classes); i++)
		cr_expect_eq(classes[i], i);
	for (int i = 0; i < (int)LEN(ends); i++)
		cr_expect_eq(ends[i], i);
	for (int i = 0; i < (int)LEN(flags); i++)
		cr_expect_eq(flags[i], 1 << i);
	for (int i = 0; i < (int)LEN(blocks); i++)
		cr_expect_eq(blocks[i], i + 1);
	for (int i = 0; i < (int)LEN(parts); i++)
		cr_expect_eq(parts[i], i);
}

/* A recording of an earlier gostrobe, which wrote version 2. */
Test(recording, version_2_is_refused_by_name)
{
	struct profile *p;
	const char *why;

	cr_assert_eq(recording_load(&p, "tests/unit/fixtures/recording-2.gsr", 0, &why),
		     -EBADMSG);
	cr_expect_str_eq(why, "its format is version 2.0, this gostrobe reads 3.3; "
			      "use the gostrobe that wrote it");
}

/* Since 3.3. */
Test(recording, attributes_of_processes_come_back)
{
	struct profile *p = hand_workers();
	struct recording *r;
	const char *why;

	p->processes[1].resource = hand_string(p, "service.name=web");
	cr_assert_eq(create(&r, path, p), 0);
	cr_assert_eq(recording_finish(r, p), 0);
	profile_free(p);
	cr_assert_eq(load(&p, &why), 0);
	cr_expect_str_eq(profile_string(p, p->processes[1].resource), "service.name=web");
	profile_free(p);
}

/* A file of version 3.0: every later 3.x has to read the same from it. */
Test(recording, version_3_0_comes_back)
{
	static const char fixture[] = "tests/unit/fixtures/recording-3.0.gsr";
	struct written w = write_small();
	struct profile *p;
	const char *why;

	if (getenv("GOLDEN")) {
		struct buf b = file_bytes();
		FILE *f = fopen(fixture, "w");

		cr_assert(f && fwrite(b.data, 1, b.len, f) == b.len && !fclose(f));
		buf_release(&b);
	}
	cr_assert_eq(recording_load(&p, fixture, 0, &why), 0);
	cr_expect(p->complete && same_profile(p, &w));
	cr_expect(p->stats.labels_cut == 10 && p->stats.duration_ns == 8);
	profile_free(p);
	release(&w);
}

/* A block of n equal events, which pack well. */
static const char *load_alike(uint32_t n, struct profile **p)
{
	struct buf rows = { 0 };
	const char *why;

	buf_uvarint(&rows, n);
	for (int column = 0; column < 9; column++) {
		if (column == 0 || column == 2) /* time, weight: differences */
			buf_u8(&rows, 0);
		buf_u8(&rows, 1);
		memset(buf_room(&rows, n), 0, n);
		rows.len += n;
	}
	why = load_part(0, EVENTS, (const char *)rows.data, rows.len, p);
	buf_release(&rows);
	return why;
}

/* A small file must not fill up memory. */
Test(recording, refuses_what_takes_too_much_memory)
{
	struct profile *p;
	const char *why = load_alike(4 << 20, &p);

	cr_expect(why && strstr(why, "memory"), "%s", why);
	cr_assert_null(load_alike(100000, &p));
	cr_expect_eq(p->n_events, 100000);
	profile_free(p);
}

static void put_column(struct buf *b, bool delta, uint32_t n, const uint32_t *values)
{
	if (delta)
		buf_u8(b, 0);
	buf_u8(b, 4);
	for (int byte = 0; byte < 4; byte++)
		for (uint32_t i = 0; i < n; i++)
			buf_u8(b, values ? (uint8_t)(values[i] >> 8 * byte) : 0);
}

/* One event of each of n goroutines, all with the same stack of that depth. */
static const char *load_deep(uint32_t n, uint32_t depth, struct profile **p)
{
	uint32_t *ones = mem_realloc(NULL, n + depth, 4),
		 *deepest = mem_realloc(NULL, n, 4), *ids = mem_realloc(NULL, n, 4);
	struct buf calls = { 0 }, goroutines = { 0 }, events = { 0 };
	struct parts parts = { 0 };
	const char *why;

	for (uint32_t i = 0; i < n + depth; i++)
		ones[i] = 1;
	for (uint32_t i = 0; i < n; i++) {
		deepest[i] = depth;
		ids[i] = i + 1;
	}
	buf_uvarint(&calls, depth);
	put_column(&calls, false, depth, ones); /* the parent is the call before */
	put_column(&calls, true, depth, NULL);
	for (uint32_t i = 0; i < n; i++)
		ones[i] = 2; /* zig-zag: one more than the goroutine before */
	buf_uvarint(&goroutines, n);
	for (int column = 0; column < 6; column++)
		put_column(&goroutines, true, n, column ? NULL : ones);
	buf_uvarint(&events, n);
	for (int column = 0; column < 9; column++)
		put_column(&events, column == 0 || column == 2, n,
			   column == 3   ? deepest
			   : column == 4 ? ids
					 : NULL);
	parts.rows[CALLS] = (const char *)calls.data;
	parts.len[CALLS] = calls.len;
	parts.rows[GOROUTINES] = (const char *)goroutines.data;
	parts.len[GOROUTINES] = goroutines.len;
	parts.rows[EVENTS] = (const char *)events.data;
	parts.len[EVENTS] = events.len;
	why = load_parts(0, &parts, p);
	free(ones);
	free(deepest);
	free(ids);
	buf_release(&calls);
	buf_release(&goroutines);
	buf_release(&events);
	return why;
}

/* A tree by goroutine is larger than the profile. */
Test(recording, trees_of_small_files_are_bounded)
{
	const struct grouping by = { .keys = { BY_GOROUTINE }, .n = 1 };
	struct view v = { .by = by };
	struct profile *p = NULL;
	const struct tree *t;

	cr_assert_null(load_deep(5000, 4000, &p));
	view_select(&v, p);
	cr_expect_null(view_tree(&v));
	view_release(&v);
	view_select(&v, p); /* without groups now */
	t = view_tree(&v);
	cr_assert(t);
	cr_expect_eq(t->nodes[0].samples, 5000);
	view_release(&v);
	profile_free(p);
	cr_assert_null(load_deep(100, 1000, &p));
	v.by = by;
	view_select(&v, p);
	t = view_tree(&v);
	cr_assert(t);
	cr_expect_eq(t->n_groups, 100);
	view_release(&v);
	profile_free(p);
}

/* In honest files, too, many new stacks pack into few bytes: then the user decides. */
Test(recording, deep_stacks_that_differ_need_permission)
{
	struct profile *p = hand_profile(), *got;
	struct recording *r;
	const char *why;
	struct stat st;

	cr_assert_eq(create(&r, path, p), 0);
	for (uint32_t i = 0; i < 8; i++)
		hand_stack(p, i % 2 ? "go:main.a go:main.b" : "go:main.b go:main.a");
	for (uint64_t i = 0; i < 8000; i++) {
		uint32_t call = 0;

		for (uint32_t depth = 0; depth < 1000; depth++)
			call = profile_call(
				p, call,
				1 + (uint32_t)(i * 0x9e3779b97f4a7c15 >> depth % 60) % 2);
		hand_event(p, i * 1000, call, 0, 0, CLASS_USER);
		if (i % 200 == 199)
			cr_assert_eq(recording_append(r, p), 0);
	}
	cr_assert_eq(recording_finish(r, p), 0);
	stat(path, &st);
	cr_expect_gt(p->n_calls * 14ull, 40ull * (uint64_t)st.st_size + (64ull << 20));
	cr_assert_eq(recording_load(&got, path, 0, &why), -EBADMSG);
	cr_expect(strstr(why, "--max-memory"), "%s", why);
	cr_assert_eq(recording_load(&got, path, 1 << 30, &why), 0);
	cr_expect_eq(got->n_events, 8000);
	profile_free(got);
	profile_free(p);
}

/* The share of a table's pages that are not zeros. */
static double in_use(const void *rows, size_t bytes)
{
	static const char zeros[4096];
	const char *page = (const char *)(((uintptr_t)rows + 4095) & ~4095ul);
	size_t n = (bytes - (size_t)(page - (const char *)rows)) / 4096, used = 0;

	for (size_t i = 0; i < n; i++)
		used += memcmp(page + i * 4096, zeros, 4096) != 0;
	return (double)used / (double)n;
}

/* Rows of processes that have ended go out of memory, not out of the file. */
Test(recording, forgets_the_dead)
{
	struct profile *p = hand_profile(), *got;
	uint32_t stack = hand_stack(p, "go:main.a"), lives, main_of, last = 0;
	struct recording *r;
	const char *why;

	cr_assert_eq(create(&r, path, p), 0);
	lives = hand_process(p, 1, "lives");
	main_of = hand_goroutine(p, lives, 1, "main.main", "", "");
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t process = hand_process(p, 2 + i, "short");

		for (uint32_t k = 1; k <= 4; k++) {
			uint32_t g = hand_goroutine(p, process, k, "main.work", "", ""),
				 t = hand_thread(p, process, 4 * i + k, "short");

			hand_event(p, i, stack, g, t, CLASS_USER);
		}
		if (i % 100)
			continue;
		last = hand_goroutine(p, lives, i + 2, "main.work", "", "");
		hand_event(p, i, stack, last, 0, CLASS_USER);
		cr_assert_eq(recording_append(r, p), 0);
		for (uint32_t k = i > 100 ? i - 100 : 0; k < i; k++)
			profile_process_ended(p, 2 + k);
	}
	cr_expect_lt(in_use(p->goroutines, p->n_goroutines * sizeof(*p->goroutines)), 0.5);
	cr_expect_lt(in_use(p->threads, p->n_threads * sizeof(*p->threads)), 0.5);
	cr_expect_lt(in_use(p->processes, p->n_processes * sizeof(*p->processes)), 0.5);
	cr_expect_lt(p->goroutine_index.n, 20000);
	cr_expect_eq(hand_goroutine(p, lives, 1, "main.main", "", ""), main_of);
	cr_expect_eq(hand_goroutine(p, lives, 19902, "main.work", "", ""), last);
	cr_assert_eq(recording_finish(r, p), 0);
	cr_assert_eq(load(&got, &why), 0);
	cr_assert_eq(got->n_goroutines, p->n_goroutines);
	cr_assert_eq(got->n_events, 80000 + 200);
	for (uint32_t i = 0; i < got->n_events; i++) {
		const struct event *e = &got->events[i];
		const struct goroutine *g = &got->goroutines[e->goroutine];
		const struct thread *t = &got->threads[e->thread];

		cr_assert_eq(g->process, e->thread ? t->process : lives);
		if (e->thread)
			cr_assert_eq(g->goid, (t->tid - 1) % 4 + 1, "event %u", i);
	}
	profile_free(got);
	profile_free(p);
}

/* What comes before a bad block is kept. */
Test(recording, reads_up_to_a_bad_block)
{
	struct written w = write_small();
	struct buf b = file_bytes();
	struct profile *p;
	const char *why;

	b.data[b.len * 2 / 3 + 8] ^= 1; /* of the second block, and not to spare */
	write_bytes(b.data, b.len);
	cr_assert_eq(load(&p, &why), 0);
	cr_expect_str_eq(p->damaged, "a block is corrupt");
	cr_expect(!p->complete && p->n_events > 0 && p->n_events < w.n);
	cr_expect_eq(p->n_kinds, 2);
	cr_expect_eq(p->kinds[1].quality.samples, p->n_events);
	profile_free(p);
	buf_release(&b);
	release(&w);
}

Test(recording, refuses_other_files)
{
	struct {
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{ "", 0, "too short" },
		{ "gost", 4, "too short" },
		{ "gostrobe\3\0\0", 11, "too short" },
		{ "gostrobe\3\0\0\0", 12, "too short" },
		{ "gostrobe\4\0\0\0", 12,
		  "its format is version 4.0, this gostrobe reads 3.3; use a newer gostrobe" },
		{ "gostrobe\1\0\2\1", 12, "its format is version 1.258, this gostrobe" },
		{ "gosling", 7, "not a recording" },
		{ "{\"truth\": []}", 13, "not a recording" },
		{ "\x7f"
		  "ELF\2\1\1\0\0\0\0\0\0\0",
		  14, "not a recording" },
		{ "gostrobe\3\0\0\0garbage, of some length", 35, "corrupt" },
	};
	struct profile *p;
	const char *why = NULL;

	for (size_t i = 0; i < LEN(cases); i++) {
		write_bytes(cases[i].bytes, cases[i].len);
		cr_assert_eq(load(&p, &why), -EBADMSG);
		cr_expect(strstr(why, cases[i].why), "%zu: %s", i, why);
	}
	cr_expect_eq(recording_load(&p, "/none", 0, &why), -ENOENT);
	cr_expect_eq(recording_load(&p, "/tmp", 0, &why), -EISDIR);
	cr_expect_null(p);
}

Test(recording, without_samples_is_whole)
{
	struct profile *p = hand_profile(), *got;
	struct recording *r;
	const char *why;

	cr_assert_eq(create(&r, path, p), 0);
	cr_assert_eq(recording_finish(r, p), 0);
	cr_assert_eq(load(&got, &why), 0);
	cr_expect(got->complete && !got->n_events);
	cr_assert_eq(got->n_kinds, 2);
	cr_expect_str_eq(profile_string(got, got->kinds[1].source), "cpu-clock");
	profile_free(got);
	profile_free(p);
}

Test(recording, paths_that_cannot_be_written)
{
	struct profile *p = hand_profile();
	struct recording *r;

	cr_expect_eq(create(&r, "/none/a.gsr", p), -ENOENT);
	cr_expect_eq(create(&r, "/tmp", p), -EISDIR);
	cr_expect_eq(create(&r, "/dev/full", p), -ENOSPC);
	recording_close(NULL);
	profile_free(p);
}

/* Real short writes, by a limit on the size of files. */
Test(recording, a_full_disk_leaves_whole_blocks)
{
	struct rlimit limit, old;
	struct profile *p = hand_profile(), *got;
	struct recording *r;
	const char *why;
	struct stat st;
	off_t len;

	cr_assert_eq(create(&r, path, p), 0);
	hand_event(p, 1, hand_stack(p, "go:main.main"), 0, 0, CLASS_USER);
	cr_assert_eq(recording_append(r, p), 0);
	cr_assert_eq(stat(path, &st), 0);
	len = st.st_size;
	for (uint64_t i = 0; i < 1000; i++)
		hand_event(p, i * i * 7919 % 65537, 1, 0, 0, CLASS_USER);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){ (rlim_t)len + 100, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_expect_eq(recording_append(r, p), -EFBIG);
	cr_expect_eq(p->n_events, 1000, "they are not in the file");
	cr_expect(!stat(path, &st) && st.st_size == len, "cut back");
	setrlimit(RLIMIT_FSIZE, &old);
	cr_assert_eq(load(&got, &why), 0);
	cr_expect(!got->complete && got->n_events == 1);
	profile_free(got);
	/* there is room again, and it continues */
	cr_expect_eq(recording_append(r, p), 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_expect_eq(recording_finish(r, p), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	cr_assert_eq(load(&got, &why), 0);
	cr_expect(!got->complete && got->n_events == 1001);
	profile_free(got);
	profile_free(p);
}

static uint32_t rand_state = 1;

static uint32_t rand_below(uint32_t n)
{
	rand_state = rand_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)rand_state * n >> 32);
}

/* Two CPUs at 4999 Hz with 2 us of jitter, 64 goroutines, a thousand stacks, most rare. */
Test(recording, is_small)
{
	struct profile *p = hand_profile();
	struct recording *r;
	struct stat st, base;
	uint32_t n = 0, stacks[1024], goroutines[64];

	for (uint32_t i = 0; i < LEN(stacks); i++) {
		char words[64];

		snprintf(words, sizeof(words), "go:main.main go:main.f%u go:main.g%u",
			 i % 32, i);
		stacks[i] = hand_stack(p, words);
	}
	for (uint32_t i = 0; i < LEN(goroutines); i++)
		goroutines[i] = hand_goroutine(p, 0, 1 + 3 * i, "main.worker", "", "");
	cr_assert_eq(create(&r, path, p), 0);
	cr_assert_eq(recording_append(r, p), 0);
	stat(path, &base);
	for (uint64_t tick = 0; tick < 5 * 4999; tick++) {
		for (uint32_t cpu = 0; cpu < 2; cpu++, n++) {
			struct event e = { .time_ns = tick * 200040 + cpu * 70000 +
						      rand_below(2000),
					   .weight = 200040,
					   .kind = 1,
					   .class = CLASS_USER,
					   .flags = EVENT_ROOTED };

			e.call = stacks[rand_below(
				1 + rand_below(1 + rand_below(LEN(stacks))))];
			e.goroutine = goroutines[(tick / 50 * 7 + cpu) % LEN(goroutines)];
			profile_event(p, &e);
		}
		if (tick % 4999 == 4998)
			cr_assert_eq(recording_append(r, p), 0);
	}
	cr_assert_eq(recording_finish(r, p), 0);
	stat(path, &st);
	cr_expect_leq((double)(st.st_size - base.st_size) / n, 5.0, "%.2f bytes per sample",
		      (double)(st.st_size - base.st_size) / n);
	profile_free(p);
}
