/* SPDX-License-Identifier: BSD-2-Clause */
/* The page's bytes. tests/e2e/page/check tests what a browser makes of them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <zlib.h>

#include "output/html.h"
#include "output/writer.h"
#include "profiler/base/cursor.h"
#include "profiler/profile/match.h"
#include "tests/bytes.h"
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/tree_by_hand.h"

#define EVIL "</script><script>alert(1)//\xff\n\xe2\x80\xae"

/* A page, and its data unpacked. */
struct opened {
	char *text; /* owned */
	struct buf data;
	struct cursor strings; /* the section */
};

/* Two programs, one with an evil name, and all that the data has tables for. */
static struct profile *sample(void)
{
	struct profile *p = hand_workers();
	uint32_t pid = hand_process(p, 900, EVIL), t = hand_thread(p, pid, 901, EVIL);
	uint32_t g = hand_goroutine(p, pid, 18, EVIL, "", "a=x\\00y,b=cut\\+,\\+");

	hand_event(p, 700, hand_stack(p, "go:" EVIL " kernel:vfs_write"), g, t, CLASS_USER);
	hand_event(p, 700, hand_stack(p, "go:" EVIL " kernel:vfs_write"), g, t, CLASS_USER);
	p->events[p->n_events - 1].weight = 10000007;
	p->kinds[1].quality.rooted = 2;
	return p;
}

static struct view view_of(const struct profile *p)
{
	struct view v = { 0 };

	grouping_parse("start,label:job", &v.by);
	view_select(&v, p);
	return v;
}

static const struct view *older; /* what pages compare with; NULL: nothing */

static char *page_of(struct view *v)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (older)
		cr_assert_eq(html_write_diff(older, v, true, f), 0);
	else
		cr_assert_eq(html_writer.write(v, &(struct writer_options){ 0 }, f), 0);
	cr_assert(!fclose(f));
	return text;
}

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Up to the first character that is not base64. */
static void unbase64(const char *s, struct buf *ret)
{
	uint32_t bits = 0;

	for (int n = 0; digit(*s) >= 0; s++) {
		bits = bits << 6 | (uint32_t)digit(*s);
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_u8(ret, (uint8_t)(bits >> n));
		}
	}
}

/* The column with that name, or for "strings" the bytes; it ends where the section does. */
static struct cursor section(const struct opened *o, const char *name)
{
	struct cursor c = cursor_over(o->data.data, o->data.len);

	while (cursor_left(&c)) {
		const char *found = cursor_str(&c);
		size_t len = cursor_uvarint(&c);
		const void *body = cursor_bytes(&c, len);

		cr_assert(!c.bad);
		if (!strcmp(found, name))
			return cursor_over(body, len);
	}
	cr_assert_fail("no section %s", name);
	return c;
}

static void inflate_raw(const struct buf *in, struct buf *ret)
{
	z_stream z = { .next_in = in->data,
		       .avail_in = (uInt)in->len,
		       .avail_out = 1 << 20 };

	z.next_out = buf_room(ret, z.avail_out);
	cr_assert_eq(inflateInit2(&z, -15), Z_OK);
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	cr_assert_eq(z.avail_in, 0);
	ret->len = z.total_out;
	inflateEnd(&z);
}

static struct opened page_open(struct view *v)
{
	static const char mark[] = "<script id=\"data\" type=\"application/octet-stream\">";
	struct opened o = { .text = page_of(v) };
	struct buf packed = { 0 };
	const char *data = strstr(o.text, mark);

	cr_assert(data);
	unbase64(data + strlen(mark), &packed);
	inflate_raw(&packed, &o.data);
	buf_release(&packed);
	o.strings = section(&o, "strings");
	return o;
}

static void page_close(struct opened *o)
{
	buf_release(&o->data);
	free(o->text);
}

static uint64_t number(const struct opened *o, const char *name, uint64_t row)
{
	struct cursor c = section(o, name);

	while (row--)
		cursor_uvarint(&c);
	row = cursor_uvarint(&c);
	cr_assert(!c.bad, "%s is too short", name);
	return row;
}

static const char *string_at(const struct opened *o, uint64_t id)
{
	struct cursor c = o->strings;

	while (id--)
		cursor_str(&c);
	return cursor_str(&c);
}

/* All sections, a line each, strings by their text. */
static char *dump(const struct opened *o)
{
	static const char *const texts[] = { "by",
					     "options",
					     "kind.name",
					     "class.name",
					     "func.name",
					     "func.file",
					     "func.module",
					     "process.name",
					     "process.program",
					     "thread.name",
					     "goroutine.start",
					     "goroutine.creator",
					     "goroutine.labels",
					     "label.key",
					     "label.value",
					     NULL };
	struct cursor c = cursor_over(o->data.data, o->data.len);
	struct buf b = { 0 };

	while (cursor_left(&c)) {
		const char *name = cursor_str(&c), *const *t = texts;
		size_t len = cursor_uvarint(&c);
		struct cursor body = cursor_over(cursor_bytes(&c, len), len);

		cr_assert(!c.bad);
		if (!strcmp(name, "strings"))
			continue;
		while (*t && strcmp(*t, name) &&
		       (strncmp(name, "old.", 4) || strcmp(*t, name + 4)))
			t++;
		buf_str(&b, name);
		while (cursor_left(&body)) {
			uint64_t v = cursor_uvarint(&body);

			if (*t)
				buf_printf(&b, " '%s'", string_at(o, v));
			else
				buf_printf(&b, " %" PRIu64, v);
		}
		buf_u8(&b, '\n');
	}
	buf_u8(&b, 0);
	return (char *)b.data;
}

Test(html, data)
{
	struct profile *p = sample();
	struct view v = view_of(p);
	struct opened o = page_open(&v);
	char *text = dump(&o);

	expect_golden(text, "tests/unit/golden/page.txt");
	free(text);
	page_close(&o);
	view_release(&v);
	profile_free(p);
}

/* The tables of functions are common, goroutines have the names that match. */
Test(html, data_of_two)
{
	struct profile *a = hand_workers(), *b = sample();
	struct view old = view_of(a), new = view_of(b);
	struct opened o;
	char *text;

	match_views(&old, &new);
	older = &old;
	o = page_open(&new);
	text = dump(&o);
	expect_golden(text, "tests/unit/golden/page-diff.txt");
	free(text);
	page_close(&o);
	view_release(&old);
	view_release(&new);
	profile_free(a);
	profile_free(b);
}

/* Two builds have their functions in other files and lines. */
Test(html, functions_of_two_builds_are_one)
{
	struct profile *p[2];
	struct view v[2];
	struct opened o;
	uint32_t names = 0;

	for (int i = 0; i < 2; i++) {
		p[i] = hand_workers();
		for (uint32_t f = 1; f < p[i]->n_frames; f++) {
			p[i]->frames[f].file = hand_string(p[i],
							   i ? "/new/a.go" : "/old/a.go");
			p[i]->frames[f].start_line = 7 + (uint32_t)i;
		}
		v[i] = view_of(p[i]);
	}
	match_views(&v[0], &v[1]);
	older = &v[0];
	o = page_open(&v[1]);
	for (struct cursor c = section(&o, "func.name"); cursor_left(&c); names++)
		cursor_uvarint(&c);
	cr_expect_eq(names, 7, "%u", names);
	page_close(&o);
	older = NULL;
	for (int i = 0; i < 2; i++) {
		view_release(&v[i]);
		profile_free(p[i]);
	}
}

/* A page of a part says which part. */
Test(html, options)
{
	static const char *const options[] = {
		"--pid 812",          "--goid 18,19",     "--time 0.05s-2.5s",
		"--kind cpu",         "--label job=x,=y", "--label user=",
		"--focus (" EVIL ")", "--ignore b",       "--as-pprof",
	};
	struct profile *p = hand_workers();
	struct view v = { .as_pprof = true, .filter.kind = "cpu" };
	struct opened o;
	struct cursor c;

	cr_assert_null(filter_pids("812", &v.filter));
	cr_assert_null(filter_goids("18,19", &v.filter));
	cr_assert_null(filter_time("50ms-2500ms", &v.filter));
	cr_assert_null(filter_label("job=x,=y", &v.filter));
	cr_assert_null(filter_label("user=", &v.filter));
	cr_assert_null(filter_focus("(" EVIL ")", &v.filter));
	cr_assert_null(filter_ignore("b", &v.filter));
	view_select(&v, p);
	o = page_open(&v);
	c = section(&o, "options");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const char *seen = string_at(&o, cursor_uvarint(&c));

		if (i == 6)
			cr_expect_eq(strncmp(seen, options[i], 20), 0, "%s", seen);
		else
			cr_expect_str_eq(seen, options[i]);
	}
	cr_expect(!cursor_left(&c) && !c.bad);
	page_close(&o);
	view_release(&v);
	profile_free(p);
}

/* Each event has a weight of its own, and event.extra is all of it. */
Test(html, weights_of_a_kind_without_a_period)
{
	struct profile *p = hand_workers();
	struct view v;
	struct opened o;
	struct cursor extra;

	p->kinds[1].period = 0;
	p->kinds[1].name = hand_string(p, "off-cpu");
	v = view_of(p);
	o = page_open(&v);
	extra = section(&o, "event.extra");
	for (uint32_t i = 0; i < v.n_events; i++)
		cr_expect_eq(cursor_svarint(&extra), 10000000);
	cr_expect(!cursor_left(&extra) && !extra.bad);
	cr_expect_eq(number(&o, "meta", 2), 0);
	cr_expect_str_eq(string_at(&o, number(&o, "meta", 4)), "off-cpu");
	page_close(&o);
	view_release(&v);
	profile_free(p);
}

/* Many samples: cells are 10 ms, and what is equal in a cell is one row. */
Test(html, cells)
{
	struct profile *p = hand_workers();
	uint32_t n = p->n_events, samples = 0, rows = 0;
	struct cursor count;
	struct opened o;
	struct view v;

	for (uint32_t i = 0; i < 200000; i++)
		hand_event(p, 1000 + i / 1000, p->events[0].call, p->events[0].goroutine,
			   p->events[0].thread, CLASS_USER);
	v = view_of(p);
	o = page_open(&v);
	cr_expect_eq(number(&o, "meta", 9), 10000000);
	for (count = section(&o, "event.count"); cursor_left(&count); rows++)
		samples += 1 + (uint32_t)cursor_uvarint(&count);
	cr_expect_eq(samples, n + 200000);
	cr_expect_eq(rows, n + 20);
	page_close(&o);
	view_release(&v);
	profile_free(p);
}

static int occurrences(const char *text, const char *s)
{
	int n = 0;

	for (; (text = strstr(text, s)); text++)
		n++;
	return n;
}

Test(html, names_cannot_break_out)
{
	struct profile *p = sample();
	struct view v = view_of(p);
	char *text;

	v.title = EVIL;
	text = page_of(&v);
	cr_expect_eq(occurrences(text, "</script"), 2);
	cr_expect_eq(occurrences(text, "<!--"), 0);
	cr_expect_eq(occurrences(text, "alert("), 0);
	free(text);
	view_release(&v);
	profile_free(p);
}

/* The hash in the policy is that of the bytes between the tags: browsers hash those. */
static void expect_hash(const char *text, const char *directive, const char *open,
			const char *close)
{
	char path[] = "/tmp/test_html.XXXXXX", command[64], hex[65] = "", want[65] = "";
	const char *hash = strstr(text, directive), *body = strstr(text, open);
	struct buf digest = { 0 };
	FILE *f = fdopen(mkstemp(path), "w");

	cr_assert(hash && body && f, "%s", directive);
	body += strlen(open);
	fwrite(body, 1, (size_t)(strstr(body, close) - body), f);
	cr_assert(!fclose(f));
	snprintf(command, sizeof(command), "sha256sum %s", path);
	f = popen(command, "r");
	cr_assert(f && fread(hex, 1, 64, f) == 64);
	pclose(f);
	remove(path);
	unbase64(hash + strlen(directive), &digest);
	cr_assert_eq(digest.len, 32);
	for (size_t i = 0; i < 32; i++)
		sprintf(want + 2 * i, "%02x", digest.data[i]);
	cr_expect_str_eq(hex, want, "%s", directive);
	buf_release(&digest);
}

Test(html, page_is_whole_and_asks_nobody)
{
	static const char *const absent[] = { "http:",   "https:",    " src=",   "url(",
					      "@import", "innerHTML", "unsafe-", "@style",
					      "@script", "@data@",    NULL };
	struct profile *p = sample();
	struct view v = view_of(p);
	char *text = page_of(&v), *end = text + strlen(text) - strlen("</html>\n");

	cr_expect_eq(strncmp(text, "<!DOCTYPE html>\n", 16), 0);
	cr_expect_str_eq(end, "</html>\n");
	cr_expect(strstr(text, "content=\"default-src 'none'; script-src 'sha256-"));
	expect_hash(text, "script-src 'sha256-", "<script>", "</script>");
	expect_hash(text, "style-src 'sha256-", "<style>", "</style>");
	for (const char *const *s = absent; *s; s++)
		cr_expect_eq(occurrences(text, *s), 0, "%s", *s);
	free(text);
	view_release(&v);
	profile_free(p);
}

Test(html, no_samples)
{
	struct profile *p = hand_profile();
	struct view v = view_of(p);
	struct opened o = page_open(&v);
	struct cursor c = section(&o, "event.time");

	cr_expect(!cursor_left(&c));
	cr_expect_eq(number(&o, "stack.up", 0), 0);
	page_close(&o);
	view_release(&v);
	profile_free(p);
}
