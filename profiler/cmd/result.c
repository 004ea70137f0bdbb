/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/run.h"
#include "profiler/profile/recording.h"

enum {
	/* of the process's name in a file name; eCryptfs allows 143 in all */
	NAME_BYTES = 100,
	STALL_MS = 5000,
	POLL_MS = 100,
};

static bool is_stdout(const struct result *r)
{
	return r->path && !strcmp(r->path, "-");
}

/* Sends what the reader accepts within timeout_ms. Returns the number of bytes, or
 * -errno. */
static ssize_t stream_send(struct stream *s, int timeout_ms)
{
	off_t start = s->sent;
	char bytes[PIPE_BUF];
	ssize_t n;

	while ((n = pread(s->memory, bytes, sizeof(bytes), s->sent)) > 0) {
		n = stdout_send(bytes, (size_t)n, s->sent > start ? 0 : timeout_ms);
		if (n < 1)
			break;
		s->sent += n;
	}
	if (n < 0)
		return n;
	/* free the memory of what was sent */
	if (s->sent > start)
		fallocate(s->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  s->sent);
	return s->sent - start;
}

static int stream_drain(struct stream *s)
{
	sig_atomic_t stops = run_stops;
	int waited_ms = 0;
	bool person = isatty(STDERR_FILENO);
	struct stat st;

	while (!fstat(s->memory, &st) && s->sent < st.st_size) {
		ssize_t n = stream_send(s, POLL_MS);

		if (n < 0)
			return (int)n;
		if (run_stops != stops)
			return -EINTR;
		waited_ms = n ? 0 : waited_ms + POLL_MS;
		if (waited_ms >= STALL_MS && !person)
			return -ETIMEDOUT;
	}
	return 0;
}

/* A file that holds something is given up only once sampling has begun: result_begin(). */
static int create_recording(struct result *r, const struct profile *p)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC, fd, err;
	struct stat st;

	if (is_stdout(r)) {
		fd = dup(r->stream.memory);
	} else {
		fd = open(r->path, flags | O_EXCL, 0666);
		r->created = fd >= 0;
		if (fd < 0 && errno == EEXIST && !r->by_default)
			fd = open(r->path, flags, 0666);
	}
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_size) {
		r->old = fd;
		return 0;
	}
	err = recording_create(&r->recording, fd, p);
	if (err && r->created)
		unlink(r->path);
	return err;
}

static int create_file(struct result *r, const struct profile *p)
{
	if (!r->writer)
		return create_recording(r, p);
	return r->by_default ? outfile_create(&r->out, r->path)
			     : outfile_open(&r->out, r->path);
}

/* Creates the file; a default name is the first one that is unused. */
static int create(struct result *r, const struct profile *p)
{
	int err = -EEXIST;

	if (!r->by_default)
		return create_file(r, p);
	for (int i = 1; err == -EEXIST; i++) {
		r->path = i == 1 ? arena_printf(&r->arena, "%s%s", r->stem, r->ending)
				 : arena_printf(&r->arena, "%s-%d%s", r->stem, i,
						r->ending);
		err = create_file(r, p);
	}
	return err;
}

static void choose_name(struct result *r, const char *name, pid_t pid)
{
	struct buf b = { 0 };

	buf_str(&b, "gostrobe-");
	plain_file_name(&b, name, NAME_BYTES);
	if (pid)
		buf_printf(&b, "-%d", pid);
	r->stem = arena_strndup(&r->arena, (const char *)b.data, b.len);
	r->ending = r->writer ? r->writer->ending : ".gsr";
	r->by_default = true;
	buf_release(&b);
}

int result_open(struct result *r, const char *name, pid_t pid, const struct profile *p)
{
	int err = 0;

	r->stream.memory = r->old = -1;
	if (!r->path)
		choose_name(r, name, pid);
	if (is_stdout(r)) {
		r->stream.memory = memfd_create("gostrobe", MFD_CLOEXEC);
		err = r->stream.memory < 0 ? -errno : 0;
	}
	if (!err && !(r->writer && is_stdout(r)))
		err = create(r, p);
	/* now we know that it can be written; leave nothing behind if we are killed */
	if (!err && r->out.tmp)
		outfile_abort(&r->out);
	return err;
}

int result_begin(struct result *r, const struct profile *p)
{
	int fd = r->old;

	if (fd < 0)
		return 0;
	if (ftruncate(fd, 0))
		return -errno;
	r->old = -1;
	return recording_create(&r->recording, fd, p);
}

int result_append(struct result *r, struct profile *p)
{
	return r->recording ? recording_append(r->recording, p) : 0;
}

int result_step(struct result *r)
{
	ssize_t n = r->stream.memory >= 0 ? stream_send(&r->stream, 0) : 0;

	return n < 0 ? (int)n : 0;
}

static int write_format(const struct result *r, const struct profile *p, FILE *out)
{
	struct view v = { .by = r->by };
	int err;

	view_select(&v, p);
	err = r->writer->write(&v, &(struct writer_options){ 0 }, out);
	view_release(&v);
	return err;
}

static int finish_writer(struct result *r, const struct profile *p)
{
	FILE *memory;
	int err = 0;

	if (is_stdout(r)) {
		memory = fdopen(dup(r->stream.memory), "w");
		if (!memory)
			return -errno;
		err = write_format(r, p, memory);
		return fclose(memory) && !err ? -errno : err;
	}
	if (!r->out.out)
		err = create(r, p);
	if (!err)
		err = write_format(r, p, r->out.out);
	if (!err)
		err = outfile_commit(&r->out);
	return err;
}

int result_finish(struct result *r, struct profile *p)
{
	int err;

	if (r->writer)
		err = finish_writer(r, p);
	else
		err = recording_finish(r->recording, p);
	r->recording = NULL;
	if (!err && r->stream.memory >= 0)
		err = stream_drain(&r->stream);
	return err;
}

void result_leave_nothing(struct result *r)
{
	if (r->created)
		unlink(r->path);
}

void result_close(struct result *r)
{
	recording_close(r->recording);
	outfile_abort(&r->out);
	if (r->stream.memory > 0)
		close(r->stream.memory);
	if (r->old > 0)
		close(r->old);
	arena_release(&r->arena);
	*r = (struct result){ 0 };
}
