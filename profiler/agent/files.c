/* SPDX-License-Identifier: BSD-2-Clause */
/* file://DIR: a file per item, the oldest removed when there are too many, or too large
 * ones. Only files with names of ours are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "profiler/agent/receiver.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/plain.h"

#define PREFIX "gostrobe-"

enum { SERVICE_BYTES = 100, STALE_S = 60, TEMPORARY = 7 /* ".XXXXXX" */ };

static const char *const endings[] = {
	[ENCODED_PPROF] = ".pb.gz",
	[ENCODED_SPANS] = ".pb.gz",
	[ENCODED_TRACES] = ".pb.gz",
	[ENCODED_RECORDING] = ".gsr",
};

struct kept {
	char *name; /* owned; begins with the time */
	uint64_t bytes;
};

struct files {
	struct receiver *receiver;
	const char *dir;
	struct kept *rows; /* oldest first */
	uint32_t n, cap;
	uint64_t bytes;
};

static bool ends_ours(const char *name, size_t len)
{
	for (int i = 0; i < ENCODINGS; i++) {
		size_t n = strlen(endings[i]);

		if (len > n && !memcmp(name + len - n, endings[i], n))
			return true;
	}
	return false;
}

static bool is_ours(const char *name)
{
	const char *s = name + strlen(PREFIX);

	return !strncmp(name, PREFIX, strlen(PREFIX)) && strspn(s, "0123456789") == 8 &&
	       s[8] == 'T' && strspn(s + 9, "0123456789") == 6;
}

/* What a killed agent left half-written. */
static bool is_leftover(const char *name, const struct stat *st)
{
	size_t len = strlen(name);

	return len > TEMPORARY && name[len - TEMPORARY] == '.' &&
	       ends_ours(name, len - TEMPORARY) &&
	       st->st_mtime + STALE_S < (time_t)(clock_ns(CLOCK_REALTIME) / SECOND);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->name, ((const struct kept *)b)->name);
}

static void add(struct files *f, const char *name, uint64_t bytes)
{
	*table_add(f->rows, f->n, f->cap) = (struct kept){ mem_strdup(name), bytes };
	f->bytes += bytes;
}

/* Finds what earlier agents left. */
static void scan(struct files *f)
{
	DIR *dir = opendir(f->dir);
	struct dirent *d;
	struct stat st;

	while (dir && (d = readdir(dir))) {
		if (!is_ours(d->d_name) ||
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		if (ends_ours(d->d_name, strlen(d->d_name)))
			add(f, d->d_name, (uint64_t)st.st_size);
		else if (is_leftover(d->d_name, &st))
			unlinkat(dirfd(dir), d->d_name, 0);
	}
	if (dir)
		closedir(dir);
	table_sort(f->rows, f->n, by_name);
}

static char *path_of(const struct files *f, const char *name)
{
	char *ret;

	if (asprintf(&ret, "%s/%s", f->dir, name) < 0)
		abort();
	return ret;
}

/* Removes the oldest until one more has room. */
static void rotate(struct files *f, uint64_t bytes)
{
	const struct receiver_options *o = &f->receiver->o;
	uint32_t gone = 0;

	while (gone < f->n &&
	       (f->n - gone >= o->max_files || f->bytes + bytes > o->max_bytes)) {
		struct kept *k = &f->rows[gone++];
		char *path = path_of(f, k->name);

		unlink(path);
		f->bytes -= k->bytes;
		free(path);
		free(k->name);
	}
	if (!gone)
		return;
	f->n -= gone;
	memmove(f->rows, f->rows + gone, f->n * sizeof(*f->rows));
}

/* "gostrobe-20261130T142700.123456Z-web-812.pb.gz" */
static void name_add(struct buf *b, const struct item *it)
{
	time_t s = (time_t)(it->start_ns / SECOND);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y%m%dT%H%M%S", gmtime_r(&s, &tm));
	buf_printf(b, PREFIX "%s.%06" PRIu64 "Z-", text, it->start_ns % SECOND / 1000);
	plain_file_name(b, it->origin.service, SERVICE_BYTES);
	if (it->origin.pid)
		buf_printf(b, "-%" PRIu32, it->origin.pid);
	buf_str(b, endings[it->encoding]);
}

static int write_item(struct files *f, const struct item *it)
{
	struct outfile out;
	struct buf name = { 0 };
	char *path;
	int err;

	name_add(&name, it);
	path = path_of(f, buf_text(&name));
	rotate(f, it->len);
	err = outfile_open(&out, path);
	if (err == -ENOENT && !mkdir(f->dir, 0777))
		err = outfile_open(&out, path);
	if (!err && fwrite(it->bytes, 1, it->len, out.out) != it->len)
		err = -errno;
	if (!err)
		err = outfile_commit(&out);
	outfile_abort(&out);
	if (!err)
		add(f, buf_text(&name), it->len);
	free(path);
	buf_release(&name);
	return err;
}

static void store(struct files *f, struct breaker *b, struct entry *e)
{
	const struct item *it = e->item;
	enum fate fate = FATE_TOO_LARGE;
	int err = 0;

	if (it->len <= f->receiver->o.max_bytes) {
		err = write_item(f, it);
		fate = err ? FATE_LATER : FATE_SENT;
	}
	if (!err)
		f->receiver->counts.sent_bytes += it->len;
	receiver_settle(f->receiver, b, e, fate, 0, err ? strerror(-err) : NULL, 0);
}

static void files_run(struct receiver *r)
{
	struct files f = { .receiver = r, .dir = r->o.to + strlen("file://") };
	struct breaker b = { 0 };
	bool past;

	scan(&f);
	while (!receiver_done(r, &past)) {
		int wait_ms;
		struct entry *e = receiver_take(r, &b, 0, &wait_ms);

		if (e)
			store(&f, &b, e);
		else
			receiver_wait(r, wait_ms);
	}
	receiver_give_up(r);
	for (uint32_t i = 0; i < f.n; i++)
		free(f.rows[i].name);
	free(f.rows);
}

const struct receiver_kind files_kind = { .scheme = "file://",
					  .encoding = ENCODED_PPROF,
					  .run = files_run };
