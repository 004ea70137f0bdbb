/* SPDX-License-Identifier: BSD-2-Clause */
/* pprof output, unpacked and decoded. tests/e2e/pprof reads it with go tool pprof. */
#include <inttypes.h>
#include <zlib.h>

#include "output/gzfile.h"
#include "output/pprof_labels.h"
#include "output/writer.h"
#include "profiler/base/plain.h"
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

static struct buf unpacked(const void *packed, size_t len)
{
	z_stream z = { .next_in = (void *)(uintptr_t)packed, .avail_in = (uInt)len };
	struct buf b = { 0 };
	int status = Z_OK;

	cr_assert_eq(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	while (status == Z_OK) {
		z.next_out = buf_room(&b, 1 << 16);
		z.avail_out = 1 << 16;
		status = inflate(&z, Z_NO_FLUSH);
		b.len += (1 << 16) - z.avail_out;
	}
	cr_assert_eq(status, Z_STREAM_END);
	cr_assert_eq(z.avail_in, 0);
	inflateEnd(&z);
	return b;
}

static Pprof__Profile *written(struct view *v, uint8_t labels)
{
	struct writer_options o = { .labels = labels };
	Pprof__Profile *p;
	struct buf b;
	char *bytes;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	cr_assert_eq(pprof_writer.write(v, &o, out), 0);
	fclose(out);
	b = unpacked(bytes, len);
	p = pprof__profile__unpack(NULL, b.len, b.data);
	cr_assert(p);
	cr_assert_str_eq(p->string_table[0], "");
	buf_release(&b);
	free(bytes);
	return p;
}

static Pprof__Profile *exported(struct profile *p, uint8_t labels)
{
	struct view v = { 0 };
	Pprof__Profile *ret;

	view_select(&v, p);
	ret = written(&v, labels);
	view_release(&v);
	return ret;
}

static const char *string(const Pprof__Profile *p, int64_t id)
{
	cr_assert(id >= 0 && (size_t)id < p->n_string_table);
	return p->string_table[id];
}

static void add_labels(struct buf *b, const Pprof__Profile *p, const Pprof__Sample *s)
{
	for (size_t i = 0; i < s->n_label; i++) {
		const Pprof__Label *l = s->label[i];

		buf_printf(b, " %s=", string(p, l->key));
		if (l->str)
			buf_printf(b, "'%s'", string(p, l->str));
		else
			buf_printf(b, "%" PRId64 " %s", l->num, string(p, l->num_unit));
	}
}

static void add_location(struct buf *b, const Pprof__Profile *p, const Pprof__Location *l)
{
	buf_printf(b, "location %" PRIu64 " mapping %" PRIu64 " 0x%" PRIx64, l->id,
		   l->mapping_id, l->address);
	for (size_t i = 0; i < l->n_line; i++) {
		const Pprof__Function *f = p->function[l->line[i]->function_id - 1];

		cr_assert_eq(f->id, l->line[i]->function_id);
		cr_expect_eq(f->name, f->system_name);
		buf_printf(b, "\n\t%s %s:%" PRId64 " from %" PRId64, string(p, f->name),
			   string(p, f->filename), l->line[i]->line, f->start_line);
	}
	buf_u8(b, '\n');
}

static void add_mapping(struct buf *b, const Pprof__Profile *p, const Pprof__Mapping *m)
{
	buf_printf(b,
		   "mapping %" PRIu64 " 0x%" PRIx64 "-0x%" PRIx64 " at 0x%" PRIx64
		   " '%s' '%s'%s%s%s%s\n",
		   m->id, m->memory_start, m->memory_limit, m->file_offset,
		   string(p, m->filename), string(p, m->build_id),
		   m->has_functions ? " functions" : "", m->has_filenames ? " files" : "",
		   m->has_line_numbers ? " lines" : "",
		   m->has_inline_frames ? " inlines" : "");
}

/* All of it; with a NUL. */
static struct buf described(const Pprof__Profile *p)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < p->n_sample_type; i++)
		buf_printf(&b, "type %s/%s\n", string(p, p->sample_type[i]->type),
			   string(p, p->sample_type[i]->unit));
	buf_printf(&b, "every %" PRId64 " %s/%s\n", p->period,
		   string(p, p->period_type->type), string(p, p->period_type->unit));
	buf_printf(&b, "from %" PRId64 " for %" PRId64 "\n", p->time_nanos,
		   p->duration_nanos);
	for (size_t i = 0; i < p->n_comment; i++)
		buf_printf(&b, "comment %s\n",
			   i ? string(p, p->comment[i])
			   : strcmp(string(p, p->comment[0]), "gostrobe " GOSTROBE_VERSION)
				   ? "?"
				   : "gostrobe VERSION");
	for (size_t i = 0; i < p->n_sample; i++) {
		buf_str(&b, "sample");
		for (size_t k = 0; k < p->sample[i]->n_location_id; k++)
			buf_printf(&b, " %" PRIu64, p->sample[i]->location_id[k]);
		cr_assert_eq(p->sample[i]->n_value, 2);
		buf_printf(&b, ": %" PRId64 " %" PRId64, p->sample[i]->value[0],
			   p->sample[i]->value[1]);
		add_labels(&b, p, p->sample[i]);
		buf_u8(&b, '\n');
	}
	for (size_t i = 0; i < p->n_location; i++)
		add_location(&b, p, p->location[i]);
	for (size_t i = 0; i < p->n_mapping; i++)
		add_mapping(&b, p, p->mapping[i]);
	buf_u8(&b, 0);
	return b;
}

static uint32_t frame(struct profile *p, uint32_t module, uint64_t addr, const char *func,
		      uint32_t line, uint8_t kind, bool inlined)
{
	struct frame f = { .addr = addr,
			   .func = hand_string(p, func),
			   .file = line ? hand_string(p, "/src/demo.go") : 0,
			   .module = module,
			   .line = line,
			   .start_line = line ? line - 2 : 0,
			   .kind = kind,
			   .inlined = inlined };

	return profile_frame(p, &f);
}

/* A program with a library, the kernel, and all kinds of frames. */
static struct profile *demo(void)
{
	struct profile *p = hand_profile();
	uint32_t libc = profile_module(
		p, &(struct module){ .path = hand_string(p, "/lib/libc.so.6"),
				     .build_id = hand_string(p, "0123"),
				     .text = { 0x26000, 0x17c000, 0x26000 } });
	uint32_t exe = profile_module(
		p, &(struct module){ .path = hand_string(p, "/bin/demo"),
				     .build_id = hand_string(p, "abcd"),
				     .go_minor = 22,
				     .text = { 0x401000, 0x405000, 0x1000 } });
	uint32_t kernel =
		profile_module(p, &(struct module){ .path = hand_string(p, "[kernel]") });
	uint32_t pid = hand_process(p, 812, "demo"),
		 t = hand_thread(p, pid, 813, "dem\xffo");
	uint32_t a = hand_goroutine(p, pid, 18, "main.F[go.shape.int]",
				    "main.main demo.go:7", "job=a\\00\xc3\xa4,user=42\\+");
	uint32_t b = hand_goroutine(p, pid, 1, "main.main", "", "");
	uint32_t root, call;

	p->processes[pid].path = hand_string(p, "/bin/demo");
	p->stats = (struct stats){ .lost_ring_full = 3, .duration_ns = 10000000000 };
	root = profile_call(
		p, 0, frame(p, exe, 0x401010, "runtime.goexit", 9, FRAME_GOEXIT, false));
	root = profile_call(
		p, root,
		frame(p, exe, 0x401100, "main.F[go.shape.int]", 12, FRAME_GO, false));
	/* Two inlined calls at one address. */
	call = profile_call(p, root,
			    frame(p, exe, 0x401200, "main.outer", 20, FRAME_GO, false));
	call = profile_call(p, call,
			    frame(p, exe, 0x401200, "main.mid", 30, FRAME_GO, true));
	call = profile_call(p, call,
			    frame(p, exe, 0x401200, "main.in", 40, FRAME_GO, true));
	hand_event(p, 10, call, a, t, CLASS_USER);
	hand_event(p, 20,
		   profile_call(p, call,
				frame(p, kernel, 0xffffffff81000010, "read", 0,
				      FRAME_KERNEL, false)),
		   a, t, CLASS_KERNEL);
	hand_event(p, 30, call, a, t, CLASS_USER);
	/* The same frame, but not inlined into its caller here. */
	root = profile_call(p, 1, frame(p, exe, 0x401300, "main.main", 7, FRAME_GO, false));
	hand_event(p, 40,
		   profile_call(p, root,
				frame(p, exe, 0x401200, "main.in", 40, FRAME_GO, true)),
		   b, t, CLASS_USER);
	call = profile_call(p, 0, frame(p, 0, 0, "", 0, FRAME_CUT, false));
	hand_event(
		p, 50,
		profile_call(p, call, frame(p, libc, 0x26010, "", 0, FRAME_UNNAMED, false)),
		b, t, CLASS_CGO);
	hand_event(p, 60, 0, 0, t, CLASS_UNKNOWN);
	return p;
}

Test(pprof, is_what_pprof_reads)
{
	struct profile *p = demo();
	Pprof__Profile *got = exported(p, LABELS_OF_GROUP);
	struct buf text = described(got);

	expect_golden((const char *)text.data, "tests/unit/golden/pprof.txt");
	buf_release(&text);
	pprof__profile__free_unpacked(got, NULL);
	profile_free(p);
}

static void expect_sample(const Pprof__Profile *got, const char *line)
{
	struct buf text = described(got);

	cr_expect(strstr((const char *)text.data, line), "no %s in:\n%s", line,
		  (const char *)text.data);
	buf_release(&text);
}

Test(pprof, labels_decide_which_samples_are_one)
{
	struct profile *p = demo();
	uint32_t t = hand_thread(p, 1, 814, "");
	Pprof__Profile *got;

	hand_event(p, 70, p->events[3].call, 2, t, CLASS_USER);
	got = exported(p, LABELS_OF_NONE);
	expect_sample(got, ": 2 20000000\n");
	pprof__profile__free_unpacked(got, NULL);
	got = exported(p, LABELS_OF_GROUP);
	expect_sample(got, ": 2 20000000 goid=1 id go_start='main.main'\n");
	pprof__profile__free_unpacked(got, NULL);
	got = exported(p, LABELS_OF_ALL);
	expect_sample(got, ": 1 10000000 goid=1 id go_start='main.main' pid=812 id "
			   "thread_id=814 id\n");
	expect_sample(got, ": 1 10000000 goid=1 id go_start='main.main' pid=812 id "
			   "thread_id=813 id thread_name='dem\xef\xbf\xbdo'\n");
	pprof__profile__free_unpacked(got, NULL);
	profile_free(p);
}

Test(pprof, goids_of_several_processes_do_not_collide)
{
	struct profile *p = demo();
	uint32_t pid = hand_process(p, 900, "other"), t = hand_thread(p, pid, 901, "");
	uint32_t g = hand_goroutine(p, pid, 1, "main.main", "", "");
	Pprof__Profile *got;

	hand_event(p, 70, p->events[3].call, g, t, CLASS_USER);
	hand_event(p, 70, 0, 0, t, CLASS_UNKNOWN);
	got = exported(p, LABELS_OF_GROUP);
	expect_sample(got, "goid=1 id go_start='main.main' pid=900 id\n");
	expect_sample(got, "goid=1 id go_start='main.main' pid=812 id\n");
	expect_sample(got, "sample: 1 10000000 pid=900 id\n");
	pprof__profile__free_unpacked(got, NULL);
	profile_free(p);
}

Test(pprof, labels_of_the_program_keep_their_keys)
{
	struct profile *p = demo();
	uint32_t g = hand_goroutine(p, 1, 20, "main.main", "",
				    "goid=mine,gostrobe.goid=too,pid=x");
	Pprof__Profile *got;

	hand_event(p, 70, p->events[3].call, g, 1, CLASS_USER);
	got = exported(p, LABELS_OF_GROUP);
	expect_sample(got, ": 1 10000000 gostrobe.gostrobe.goid=20 id go_parent=10 id "
			   "go_start='main.main' goid='mine' gostrobe.goid='too' "
			   "pid='x'\n");
	expect_sample(got, ": 1 10000000 gostrobe.gostrobe.goid=1 id go_start=");
	expect_sample(got, "comment label goid is the program's own; that of gostrobe is "
			   "gostrobe.gostrobe.goid\nsample");
	pprof__profile__free_unpacked(got, NULL);
	profile_free(p);
}

Test(pprof, other_kinds_have_their_unit)
{
	struct profile *p = demo();
	struct view v = { 0 };
	Pprof__Profile *got;

	profile_kind(p, &(struct event_kind){ .name = hand_string(p, "calls"),
					      .unit = hand_string(p, UNIT_COUNT) });
	profile_event(p, &(struct event){ .kind = 2, .weight = UINT64_MAX });
	cr_assert_null(filter_time("2s-4s", &v.filter));
	v.filter.from_ns = 0;
	v.filter.kind = "calls";
	view_select(&v, p);
	got = written(&v, LABELS_OF_GROUP);
	expect_sample(got, "type samples/count\ntype calls/count\nevery 0 calls/count\n"
			   "from 1700000000000000000 for 4000000000\n");
	expect_sample(got, "sample: 1 9223372036854775807\n");
	pprof__profile__free_unpacked(got, NULL);
	view_release(&v);
	profile_free(p);
}

/* Frames that the runtime's profiler makes up are in no module. */
Test(pprof, as_pprof)
{
	struct profile *p = demo();
	struct view v = { .as_pprof = true };
	Pprof__Profile *got;

	view_select(&v, p);
	got = written(&v, LABELS_OF_NONE);
	expect_sample(got, "\n\truntime._System :0 from 0\n");
	pprof__profile__free_unpacked(got, NULL);
	view_release(&v);
	profile_free(p);
}

/* A file may claim that any number of calls are inlined at one address, and names may be
 * any bytes. */
Test(pprof, hostile_frames)
{
	struct profile *p = hand_profile();
	uint32_t t = hand_thread(p, hand_process(p, 1, "x"), 1, ""), call = 0;
	size_t lines = 0;
	Pprof__Profile *got;

	for (uint32_t i = 0; i < MAX_STACK_FRAMES; i++) {
		char name[24];

		snprintf(name, sizeof(name), "\xff\033%u\xed\xa0\x80", i);
		call = profile_call(p, call, frame(p, 0, 1, name, i, FRAME_GO, true));
	}
	hand_event(p, 1, call, 0, t, CLASS_USER);
	got = exported(p, LABELS_OF_ALL);
	for (size_t i = 0; i < got->n_location; i++) {
		cr_expect_leq(got->location[i]->n_line, 64);
		lines += got->location[i]->n_line;
	}
	cr_expect_eq(lines, MAX_STACK_FRAMES);
	for (size_t i = 0; i < got->n_string_table; i++)
		for (const char *s = got->string_table[i]; *s;) {
			const char *at = s;

			cr_assert(plain_decode(&s) != PLAIN_REPLACEMENT || s - at == 3);
		}
	pprof__profile__free_unpacked(got, NULL);
	profile_free(p);
}

Test(pprof, gzip_of_any_length)
{
	for (size_t n = 0; n < 1 << 20; n = 3 * n + 65535) {
		struct buf data = { 0 }, back;
		FILE *g;
		char *bytes;
		size_t len;
		FILE *out = open_memstream(&bytes, &len);

		for (uint64_t i = 0; i < n; i++)
			buf_u8(&data, (uint8_t)hash_pair(i, n));
		g = gzfile_open(out, 1);
		for (size_t at = 0, part; at < n; at += part) {
			part = n - at < at + 1 ? n - at : at + 1;
			fwrite(data.data + at, 1, part, g);
		}
		cr_assert_eq(gzfile_close(g), 0);
		fclose(out);
		back = unpacked(bytes, len);
		cr_expect(back.len == n && (!n || !memcmp(back.data, data.data, n)));
		buf_release(&back);
		buf_release(&data);
		free(bytes);
	}
}
