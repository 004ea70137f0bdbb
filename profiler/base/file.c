/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"

int file_read(int dirfd, const char *path, size_t max, struct buf *b)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t start = b->len;
	int err = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		uint8_t *p = buf_room(b, 16384);
		ssize_t n = read(fd, p, b->cap - b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		b->len += (size_t)n;
		if (b->len - start > max) {
			err = -EFBIG;
			break;
		}
	}
	close(fd);
	return err;
}

const char *file_line(char line[64], const char *key, const char *path)
{
	struct buf b = { 0 };
	const char *at;

	*line = 0;
	if (!file_read(AT_FDCWD, path, 1 << 16, &b)) {
		at = strstr(buf_text(&b), key);
		at = at ? at + strlen(key) : "";
		at += strspn(at, " \t");
		snprintf(line, 64, "%.*s", (int)strcspn(at, "\n"), at);
	}
	buf_release(&b);
	return line;
}

uint64_t file_line_bytes(const char *key, const char *path)
{
	char line[64];

	return strtoull(file_line(line, key, path), NULL, 10) << 10;
}

ssize_t stdout_send(const void *bytes, size_t n, int timeout_ms)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t sent;

	if (poll(&out, 1, timeout_ms) < 1)
		return 0;
	/* a pipe that poll() reports as writable has room for that: this does not block */
	sent = write(STDOUT_FILENO, bytes, n < PIPE_BUF ? n : PIPE_BUF);
	if (sent < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return sent;
}

int outfile_open(struct outfile *f, const char *path)
{
	struct stat st;
	int fd, err;
	size_t n;

	*f = (struct outfile){ 0 };
	if (!strcmp(path, "-")) {
		f->out = stdout;
		return 0;
	}
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return -EISDIR;
	f->path = realpath(path, NULL); /* writes the target of a link, not the link */
	if (!f->path)
		f->path = mem_strdup(path);
	n = strlen(f->path) + sizeof(".XXXXXX");
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		f->out = fopen(path, "we");
	} else {
		f->tmp = mem_zalloc(n);
		snprintf(f->tmp, n, "%s.XXXXXX", f->path);
		fd = mkostemp(f->tmp, O_CLOEXEC);
		if (fd >= 0) {
			char mask[64]; /* umask() would change it for other threads */

			file_line(mask, "Umask:", "/proc/self/status");
			fchmod(fd, 0666 & ~(*mask ? strtoul(mask, NULL, 8) : 077));
			f->out = fdopen(fd, "w");
		}
	}
	if (f->out)
		return 0;
	err = -errno;
	free(f->tmp);
	f->tmp = NULL;
	outfile_abort(f);
	return err;
}

int outfile_create(struct outfile *f, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	*f = (struct outfile){ 0 };
	if (fd < 0)
		return -errno;
	f->out = fdopen(fd, "w");
	f->tmp = mem_strdup(path);
	return 0;
}

int outfile_commit(struct outfile *f)
{
	int err = 0;

	if (fflush(f->out) || ferror(f->out))
		err = errno ? -errno : -EIO;
	if (f->out != stdout && fclose(f->out) && !err)
		err = -errno;
	f->out = NULL;
	if (!err && f->tmp) {
		if (f->path && rename(f->tmp, f->path))
			err = -errno;
		else
			*f->tmp = 0;
	}
	outfile_abort(f);
	return err;
}

void outfile_abort(struct outfile *f)
{
	if (f->out && f->out != stdout)
		fclose(f->out);
	if (f->tmp && *f->tmp)
		unlink(f->tmp);
	free(f->tmp);
	free(f->path);
	*f = (struct outfile){ 0 };
}
