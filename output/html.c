/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page: one file that loads nothing. page.html is the frame; page.css, page.js and the
 * data replace its marks, such as "@style@". Names come from binaries that we do not trust:
 * all that depends on the profile is in the data, which is base64, and page.js shows it as
 * text only.
 *
 * The data is raw deflate over sections: name, NUL, length in bytes, body. A body is a
 * column of LEB128 numbers, one per row; that of "strings" is NUL-terminated bytes. Readers
 * skip unknown sections, so columns and tables can be added.
 *
 *	strings		the string table; 0 is ""
 *	meta		title (string), start in ns, period of the kind of event (0: each
 *			has its own weight), are weights ns?, the kind's name (string)
 *	quality		see write_meta(); shares and seconds in millionths
 *	func.*		name, file, module (strings), line, kind (enum page_kind), inlined
 *	node.*		up (own row minus the parent's), func, self (samples), extra: what
 *			the self weight has beyond samples × period, zig-zag, mostly 0
 *	group.*		innermost groups: node, goroutines, creator and labels (strings)
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "output/writer.h"
#include "page_assets.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/index.h"
#include "profiler/base/plain.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* What page.js colours frames by; its KINDS have the same order. */
enum page_kind {
	PAGE_GROUP,
	PAGE_GO,
	PAGE_RUNTIME,
	PAGE_GC,
	PAGE_KERNEL,
	PAGE_NATIVE,
	PAGE_VDSO,
	PAGE_UNNAMED,
};

/* What all nodes of a function have in common. */
struct func {
	uint32_t name, file, module, line;
	uint32_t kind, inlined;
};

struct page {
	const struct view *view;
	const struct tree *tree;
	struct strtab *strings;
	struct func *funcs;
	uint32_t n_funcs, cap_funcs;
	struct index index;
	uint32_t *func_of; /* by node */
	struct buf body;   /* of the section being written */
	struct buf out;
};

static bool starts_with_any(const char *s, const char *const *prefixes)
{
	for (; *prefixes; prefixes++) {
		if (!strncmp(s, *prefixes, strlen(*prefixes)))
			return true;
	}
	return false;
}

static enum page_kind page_kind(const struct node *n)
{
	static const char *const runtime[] = { "runtime.", "internal/runtime/",
					       "runtime/internal/", NULL };
	static const char *const gc[] = {
		"runtime.gc",         "runtime.(*gc",        "runtime.bgs",
		"runtime.scan",       "runtime.mark",        "runtime.greyobject",
		"runtime.sweep",      "runtime.(*sweep",     "runtime.(*mspan).sweep",
		"runtime.wb",         "runtime.(*wbBuf)",    "runtime.(*scav",
		"runtime.(*spanScan", "runtime.(*spanQueue", NULL
	};

	if (n->type != NODE_FRAME)
		return PAGE_GROUP;
	switch (n->kind) {
	case FRAME_UNNAMED:
	case FRAME_CUT: return PAGE_UNNAMED;
	case FRAME_NATIVE: return PAGE_NATIVE;
	case FRAME_VDSO: return PAGE_VDSO;
	case FRAME_KERNEL: return PAGE_KERNEL;
	}
	if (starts_with_any(n->name, gc))
		return PAGE_GC;
	/* No package: assembly helpers of the runtime, such as memeqbody. */
	if (starts_with_any(n->name, runtime) || !strchr(n->name, '.'))
		return PAGE_RUNTIME;
	return PAGE_GO;
}

struct func_key {
	const struct func *funcs, *f;
};

static bool func_same(const void *arg, uint32_t id)
{
	const struct func_key *k = arg;

	return !memcmp(&k->funcs[id], k->f, sizeof(*k->f));
}

static uint32_t page_func(struct page *p, const struct node *n)
{
	struct func f = { strtab_add(p->strings, n->name),
			  strtab_add(p->strings, n->file),
			  strtab_add(p->strings, n->module),
			  n->start_line,
			  page_kind(n),
			  n->inlined };
	struct func_key key = { p->funcs, &f };
	uint64_t hash = hash_bytes(&f, sizeof(f));
	uint32_t id = index_get(&p->index, hash, func_same, &key, p->n_funcs);

	if (id == p->n_funcs)
		*table_add(p->funcs, p->n_funcs, p->cap_funcs) = f;
	return id;
}

/* The bytes in p->body become a section; the next one starts empty. */
static void section(struct page *p, const char *name)
{
	buf_add(&p->out, name, strlen(name) + 1);
	buf_uvarint(&p->out, p->body.len);
	buf_add(&p->out, p->body.data, p->body.len);
	p->body.len = 0;
}

/* A section of n numbers: the value is an expression over the row i. */
#define column(p, name, n, value) \
	do { \
		for (uint32_t i = 0; i < (n); i++) \
			buf_uvarint(&(p)->body, value); \
		section(p, name); \
	} while (0)

static uint64_t millionths(double v)
{
	return v > 0 ? (uint64_t)(v * 1e6 + 0.5) : 0;
}

static void write_meta(struct page *p)
{
	const struct profile *profile = p->view->profile;
	const struct event_kind *k = &profile->kinds[p->view->kind];
	const struct quality *q = &k->quality;
	const struct stats *s = &profile->stats;
	uint64_t meta[] = { strtab_add(p->strings, p->view->title), profile->start_ns,
			    k->period, profile_is_time(profile, p->view->kind),
			    strtab_add(p->strings, profile_string(profile, k->name)) };
	uint64_t figures[] = {
		q->samples,
		s->lost_ring_full + s->lost_table_full,
		q->with_class,
		millionths(share_of(q->with_goroutine, q->samples)),
		millionths(share_of(q->rooted, q->samples)),
		millionths(share_of(q->named_frames, q->user_frames)),
		millionths((double)s->cpu_ns / 1e9),
		s->peak_rss,
	};

	column(p, "meta", sizeof(meta) / sizeof(*meta), meta[i]);
	column(p, "quality", sizeof(figures) / sizeof(*figures), figures[i]);
}

static void write_rows(struct page *p)
{
	const struct tree *t = p->tree;
	const struct node *nodes = t->nodes;
	const struct group *g = t->groups;
	uint64_t period = p->view->profile->kinds[p->view->kind].period;

	column(p, "func.name", p->n_funcs, p->funcs[i].name);
	column(p, "func.file", p->n_funcs, p->funcs[i].file);
	column(p, "func.module", p->n_funcs, p->funcs[i].module);
	column(p, "func.line", p->n_funcs, p->funcs[i].line);
	column(p, "func.kind", p->n_funcs, p->funcs[i].kind);
	column(p, "func.inlined", p->n_funcs, p->funcs[i].inlined);
	column(p, "node.up", t->n_nodes, i - nodes[i].parent);
	column(p, "node.func", t->n_nodes, p->func_of[i]);
	column(p, "node.self", t->n_nodes, nodes[i].self_samples);
	for (uint32_t i = 0; i < t->n_nodes; i++)
		buf_svarint(&p->body,
			    (int64_t)(nodes[i].self - nodes[i].self_samples * period));
	section(p, "node.extra");
	column(p, "group.node", t->n_groups, g[i].node);
	column(p, "group.goroutines", t->n_groups, g[i].goroutines);
	column(p, "group.creator", t->n_groups, strtab_add(p->strings, g[i].creator));
	column(p, "group.labels", t->n_groups, strtab_add(p->strings, g[i].labels));
}

static void write_strings(struct page *p)
{
	for (uint32_t i = 0; i < strtab_count(p->strings); i++) {
		plain_add(&p->body, strtab_get(p->strings, i));
		buf_u8(&p->body, 0);
	}
	section(p, "strings");
}

static int deflate_raw(const struct buf *in, struct buf *ret)
{
	z_stream z = { 0 };
	int err;

	if (in->len > UINT_MAX / 2)
		return -EFBIG;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY))
		return -ENOMEM;
	z.next_in = in->data;
	z.avail_in = (uInt)in->len;
	z.avail_out = (uInt)deflateBound(&z, in->len);
	z.next_out = buf_room(ret, z.avail_out);
	err = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -EIO;
	ret->len += z.total_out;
	deflateEnd(&z);
	return err;
}

static void put_base64(const struct buf *b, FILE *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < b->len; i += 3) {
		int n = b->len - i > 2 ? 3 : (int)(b->len - i);
		uint32_t v = 0;

		for (int k = 0; k < 3; k++)
			v = v << 8 | (k < n ? b->data[i + (size_t)k] : 0);
		for (int k = 0; k < 4; k++)
			putc(k <= n ? digits[v >> (18 - 6 * k) & 63] : '=', out);
	}
}

/* page.html, with what its marks name in their place. */
static void put_page(const struct buf *data, FILE *out)
{
	const struct {
		const char *mark;
		const void *bytes;
		size_t len;
	} parts[] = {
		{ "@script-sha256@", page_js_sha256, sizeof(page_js_sha256) - 1 },
		{ "@style-sha256@", page_css_sha256, sizeof(page_css_sha256) - 1 },
		{ "@style@", page_css, page_css_len },
		{ "@data@", NULL, 0 }, /* in base64 */
		{ "@script@", page_js, page_js_len },
	};
	const char *at = (const char *)page_html, *end = at + page_html_len, *mark;

	/* each mark is there once, in this order */
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		size_t len = strlen(parts[i].mark);

		mark = memmem(at, (size_t)(end - at), parts[i].mark, len);
		if (!mark)
			continue;
		fwrite(at, 1, (size_t)(mark - at), out);
		if (parts[i].bytes)
			fwrite(parts[i].bytes, 1, parts[i].len, out);
		else
			put_base64(data, out);
		at = mark + len;
	}
	fwrite(at, 1, (size_t)(end - at), out);
}

static int html_write(struct view *v, const struct writer_options *o, FILE *out)
{
	const struct tree *t = view_tree(v);
	struct page p = { .view = v, .tree = t };
	struct buf data = { 0 };
	int err;

	(void)o;
	if (!t)
		return -E2BIG;
	p.strings = strtab_new();
	p.func_of = mem_realloc(NULL, t->n_nodes + 1, sizeof(*p.func_of));
	for (uint32_t i = 0; i < t->n_nodes; i++)
		p.func_of[i] = page_func(&p, &t->nodes[i]);
	write_meta(&p);
	write_rows(&p);
	write_strings(&p);
	err = deflate_raw(&p.out, &data);
	if (!err)
		put_page(&data, out);
	buf_release(&data);
	buf_release(&p.out);
	buf_release(&p.body);
	free(p.func_of);
	free(p.funcs);
	index_release(&p.index);
	strtab_free(p.strings);
	return err;
}

const struct writer html_writer = {
	.name = "html",
	.ending = ".html",
	.help = "a flame graph page that opens in any browser, offline",
	.write = html_write,
};
