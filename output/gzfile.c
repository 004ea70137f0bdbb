/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/gzfile.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "profiler/base/arena.h"

enum { CHUNK = 1 << 16, GZIP_WRAPPER = 16 };

struct gzip {
	z_stream z;
	FILE *out;
	int err; /* the first one, -errno */
	unsigned char chunk[CHUNK];
};

/* Compresses what z has. -errno: out cannot be written. */
static int run(struct gzip *g, int flush)
{
	int status;

	do {
		size_t n;

		g->z.next_out = g->chunk;
		g->z.avail_out = CHUNK;
		status = deflate(&g->z, flush);
		n = CHUNK - g->z.avail_out;
		errno = 0;
		if (fwrite(g->chunk, 1, n, g->out) != n)
			return errno ? -errno : -EIO;
	} while (status == Z_OK && !g->z.avail_out);
	return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ? 0 : -EIO;
}

static ssize_t gzip_write(void *cookie, const char *data, size_t n)
{
	struct gzip *g = cookie;

	g->z.next_in = (unsigned char *)(uintptr_t)data;
	g->z.avail_in = (uInt)n;
	if (!g->err)
		g->err = run(g, Z_NO_FLUSH);
	errno = -g->err;
	return g->err ? 0 : (ssize_t)n;
}

static int gzip_end(void *cookie)
{
	struct gzip *g = cookie;
	int err = g->err;

	g->z.avail_in = 0;
	if (!err)
		err = run(g, Z_FINISH);
	deflateEnd(&g->z);
	free(g);
	if (!err)
		return 0;
	errno = -err;
	return EOF;
}

FILE *gzfile_open(FILE *out, int level)
{
	const cookie_io_functions_t io = { .write = gzip_write, .close = gzip_end };
	struct gzip *g = mem_zalloc(sizeof(*g));
	FILE *ret = NULL;

	g->out = out;
	if (deflateInit2(&g->z, level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
			 Z_DEFAULT_STRATEGY)) {
		free(g);
		errno = ENOMEM;
		return NULL;
	}
	ret = fopencookie(g, "w", io);
	if (ret)
		setvbuf(ret, NULL, _IOFBF, CHUNK);
	return ret;
}

int gzfile_close(FILE *gzip)
{
	return fclose(gzip) ? -errno : 0;
}
