/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page: one file that loads nothing. page.html is the frame; the style, the script and
 * the data replace its marks, such as "@style@". Names come from binaries that we do not
 * trust: all that depends on the profile is in the data, which is base64, and the script
 * shows it as text only.
 *
 * The data is raw deflate over what output/page_data.h describes.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "output/html.h"
#include "output/page_data.h"
#include "output/writer.h"
#include "page_assets.h"
#include "profiler/base/buf.h"
#include "profiler/profile/view.h"

/* As small as the default within a few percent, in half the time. */
enum { LEVEL = 5 };

static int deflate_raw(const struct buf *in, struct buf *ret)
{
	z_stream z = { 0 };
	int err;

	if (in->len > UINT_MAX / 2)
		return -EFBIG;
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY))
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

static int write_page(const struct view *v, const struct view *old, bool shares, FILE *out)
{
	struct buf sections = { 0 }, data = { 0 };
	int err;

	page_data_add(v, old, shares, &sections);
	err = deflate_raw(&sections, &data);
	if (!err)
		put_page(&data, out);
	buf_release(&data);
	buf_release(&sections);
	return err;
}

static int html_write(struct view *v, const struct writer_options *o, FILE *out)
{
	(void)o;
	return write_page(v, NULL, false, out);
}

int html_write_diff(const struct view *old, const struct view *new, bool shares, FILE *out)
{
	return write_page(new, old, shares, out);
}

const struct writer html_writer = {
	.name = "html",
	.ending = ".html",
	.help = "a flame graph page that opens in any browser, offline",
	.by = BY_START,
	.write = html_write,
};
