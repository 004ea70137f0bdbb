/* SPDX-License-Identifier: BSD-2-Clause */
/* The page's bytes. tests/e2e/page/check tests what a browser makes of them. */
#include <criterion/criterion.h>
#include <zlib.h>

#include "output/writer.h"
#include "profiler/base/cursor.h"
#include "tests/bytes.h"
#include "tests/unit/tree_by_hand.h"

#define EVIL       "</script><script>alert(1)//\xff\n\xe2\x80\xae"
#define EVIL_SHOWN "</script><script>alert(1)//\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"

/* A page, and its data unpacked. */
struct opened {
	char *text; /* owned */
	struct buf data;
	struct cursor strings; /* the section */
};

static struct view sample_view(void)
{
	struct view v;
	struct tree *t = hand_tree();
	uint32_t g1, g2, at;

	g1 = hand_group(t, 0, "goroutine 18 main.worker", 1);
	at = hand_node(t, g1, "main.worker", FRAME_GO, 3);
	t->nodes[at].file = "/src/main.go";
	t->nodes[at].start_line = 66;
	at = hand_node(t, at, "runtime.mallocgc", FRAME_GO, 200);
	t->nodes[at].inlined = 1;
	hand_node(t, at, "runtime.gcAssistAlloc", FRAME_GO, 5);
	hand_node(t, at, "memeqbody", FRAME_GO, 1);
	hand_node(t, at, "vfs_write", FRAME_KERNEL, 70000);
	g2 = hand_group(t, 0, EVIL, 12);
	at = hand_node(t, g2, "main.worker", FRAME_GO, 4);
	t->nodes[at].file = "/src/main.go";
	t->nodes[at].start_line = 66;
	hand_node(t, at, "puts", FRAME_NATIVE, 1);
	hand_node(t, at, "[vdso]", FRAME_VDSO, 2);
	hand_node(t, at, "libc.so.6+0x2f0", FRAME_UNNAMED, 1);
	t->nodes[2].self += 7; /* a weight that is not a multiple of the period, */
	t->nodes[3].self -= 9; /* and one below it */
	v = hand_view(hand_done(t));
	hand_profile_of(&v)->kinds[1].quality.samples = 10;
	hand_profile_of(&v)->kinds[1].quality.rooted = 5;
	return v;
}

static char *page_of(struct view *v)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

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

static const char *string(const struct opened *o, const char *name, uint64_t row)
{
	struct cursor c = o->strings;

	for (uint64_t n = number(o, name, row); n--;)
		cursor_str(&c);
	return cursor_str(&c);
}

Test(html, every_column_comes_back)
{
	struct view v = sample_view();
	const struct tree *t = v.tree;
	struct opened o = page_open(&v);
	struct cursor extra = section(&o, "node.extra");

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		const struct node *n = &t->nodes[i];
		uint64_t func = number(&o, "node.func", i),
			 self = number(&o, "node.self", i);

		cr_expect_eq(i - number(&o, "node.up", i), n->parent);
		cr_expect_eq(self, n->self_samples);
		cr_expect_eq(self * v.profile->kinds[1].period +
				     (uint64_t)cursor_svarint(&extra),
			     n->self);
		cr_expect_str_eq(string(&o, "func.name", func),
				 strcmp(n->name, EVIL) ? n->name : EVIL_SHOWN);
		cr_expect_str_eq(string(&o, "func.file", func), n->file);
		cr_expect_eq(number(&o, "func.line", func), n->start_line);
		cr_expect_eq(number(&o, "func.inlined", func), n->inlined);
	}
	cr_expect(!cursor_left(&extra) && !extra.bad);
	cr_expect_str_eq(string(&o, "meta", 0), v.title);
	cr_expect_eq(number(&o, "meta", 2), v.profile->kinds[1].period);
	cr_expect_eq(number(&o, "meta", 3), 1);
	cr_expect_str_eq(string(&o, "meta", 4), "cpu");
	cr_expect_eq(number(&o, "quality", 0), v.profile->kinds[1].quality.samples);
	cr_expect_eq(number(&o, "quality", 4), 500000);
	for (uint32_t i = 0; i < t->n_groups; i++) {
		cr_expect_eq(number(&o, "group.node", i), t->groups[i].node);
		cr_expect_eq(number(&o, "group.goroutines", i), t->groups[i].goroutines);
	}
	page_close(&o);
	hand_release(&v);
}

Test(html, widths_add_up_to_the_whole)
{
	struct view v = sample_view();
	const struct tree *t = v.tree;
	struct opened o = page_open(&v);
	struct cursor self = section(&o, "node.self"), extra = section(&o, "node.extra");
	uint64_t samples = 0, weight = 0;

	while (cursor_left(&self)) {
		uint64_t n = cursor_uvarint(&self);

		samples += n;
		weight += n * v.profile->kinds[1].period + (uint64_t)cursor_svarint(&extra);
	}
	cr_expect_eq(samples, t->nodes[0].samples);
	cr_expect_eq(weight, t->nodes[0].total);
	page_close(&o);
	hand_release(&v);
}

/* Each event has a weight of its own: node.extra is all of it. */
Test(html, weights_of_a_kind_without_a_period)
{
	struct view v = sample_view();
	const struct tree *t = v.tree;
	struct opened o;
	struct cursor extra;

	hand_kind(&v, "off-cpu", UNIT_NS, 0);
	o = page_open(&v);
	extra = section(&o, "node.extra");
	for (uint32_t i = 0; i < t->n_nodes; i++)
		cr_expect_eq((uint64_t)cursor_svarint(&extra), t->nodes[i].self);
	cr_expect_eq(number(&o, "meta", 2), 0);
	cr_expect_str_eq(string(&o, "meta", 4), "off-cpu");
	page_close(&o);
	hand_release(&v);
}

Test(html, one_function_is_one_row_and_has_its_kind)
{
	static const struct {
		const char *name;
		uint64_t kind; /* as in page.js */
	} want[] = { { "main.worker", 1 }, { "runtime.mallocgc", 2 },
		     { "memeqbody", 2 },   { "runtime.gcAssistAlloc", 3 },
		     { "vfs_write", 4 },   { "puts", 5 },
		     { "[vdso]", 6 },      { "libc.so.6+0x2f0", 7 },
		     { "[cut]", 7 },       { EVIL_SHOWN, 0 } };
	struct view v = sample_view();
	uint32_t cut = hand_node(v.tree, 1, "[cut]", FRAME_CUT, 0);
	struct opened o = page_open(&v);
	struct cursor names = section(&o, "func.name");
	uint64_t rows = 0;

	for (; cursor_left(&names); rows++)
		cursor_uvarint(&names);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		int found = 0;

		for (uint64_t row = 0; row < rows; row++) {
			if (strcmp(string(&o, "func.name", row), want[i].name))
				continue;
			found++;
			cr_expect_eq(number(&o, "func.kind", row), want[i].kind, "%s",
				     want[i].name);
		}
		cr_expect_eq(found, 1, "%s: %d rows", want[i].name, found);
	}
	cr_expect_str_eq(string(&o, "func.name", number(&o, "node.func", cut)), "[cut]");
	page_close(&o);
	hand_release(&v);
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
	struct view v = sample_view();
	char *text;

	v.title = EVIL;
	text = page_of(&v);
	cr_expect_eq(occurrences(text, "</script"), 2);
	cr_expect_eq(occurrences(text, "<!--"), 0);
	cr_expect_eq(occurrences(text, "alert("), 0);
	free(text);
	hand_release(&v);
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
	struct view v = sample_view();
	char *text = page_of(&v), *end = text + strlen(text) - strlen("</html>\n");

	cr_expect_eq(strncmp(text, "<!DOCTYPE html>\n", 16), 0);
	cr_expect_str_eq(end, "</html>\n");
	cr_expect(strstr(text, "content=\"default-src 'none'; script-src 'sha256-"));
	expect_hash(text, "script-src 'sha256-", "<script>", "</script>");
	expect_hash(text, "style-src 'sha256-", "<style>", "</style>");
	for (const char *const *s = absent; *s; s++)
		cr_expect_eq(occurrences(text, *s), 0, "%s", *s);
	free(text);
	hand_release(&v);
}

Test(html, empty_tree)
{
	struct view v = hand_view(hand_done(hand_tree()));
	struct opened o = page_open(&v);

	cr_expect_eq(number(&o, "node.self", 0), 0);
	page_close(&o);
	hand_release(&v);
}
