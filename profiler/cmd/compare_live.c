/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that compare -p PID URL compares: it records while the program's own profiler
 * runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/fetch.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/cmd/compare.h"
#include "profiler/cmd/record.h"

#define DEFAULT_PATH "/debug/pprof/profile?seconds=10"

enum { MAX_BYTES = 64 << 20 };

struct live {
	char *url; /* owned */
	struct fetch *fetch;
	FILE *memory; /* what came */
	char *bytes;  /* owned, valid after fclose(memory) */
	size_t len;
	const char *why; /* why there is no fetch */
};

/* Sampling has begun when this is called first. */
static bool over(void *arg)
{
	struct live *l = arg;

	if (!l->fetch)
		l->fetch = fetch_begin(l->url, l->memory, MAX_BYTES, &l->why);
	return !l->fetch || !fetch_step(l->fetch);
}

/* The URL may name a server only. */
static char *full_url(const char *url)
{
	const char *host = strstr(url, "://");
	bool server = !strpbrk(host ? host + 3 : url, "/?");
	char *ret = NULL;

	if (asprintf(&ret, "%s%s", url, server ? DEFAULT_PATH : "") < 0)
		abort();
	return ret;
}

static int write_profile(const struct live *l, const char *path)
{
	struct outfile f;
	int err = outfile_open(&f, path);

	if (!err)
		fwrite(l->bytes, 1, l->len, f.out);
	if (!err)
		err = outfile_commit(&f);
	outfile_abort(&f);
	if (err)
		log_error("%s: %s", path, strerror(-err));
	else
		log_info("written: %s", path);
	return err ? STATUS_FAILED : STATUS_OK;
}

static int record_both(struct live *l, const char *pid, const char *freq, char *paths[2])
{
	struct record r = {
		.run = { .verb = "compare",
			 .pids = pid,
			 .freq = freq,
			 .over = over,
			 .over_arg = l,
			 .writes = true,
			 .network = true },
		.reported = true,
	};
	int status = record_check(&r);
	const char *why;

	if (status)
		return status;
	status = record_run(&r, &paths[0]);
	fclose(l->memory);
	l->memory = NULL;
	why = l->fetch ? fetch_error(l->fetch) : l->why;
	if (!why && !status && (!l->fetch || fetch_step(l->fetch)))
		why = "recording ended before the profile was there";
	if (why)
		log_error("%s: %s", l->url, why);
	if (why && paths[0])
		unlink(paths[0]);
	if (why || status)
		return STATUS_FAILED;
	paths[1] = path_beside(paths[0], ".pb.gz");
	return write_profile(l, paths[1]);
}

int compare_live(const char *pid, const char *freq, const char *url, char *paths[2])
{
	struct live l = { .url = full_url(url) };
	int status = STATUS_FAILED;

	l.memory = open_memstream(&l.bytes, &l.len);
	if (l.memory)
		status = record_both(&l, pid, freq, paths);
	else
		log_error("%s", strerror(errno));
	if (l.memory)
		fclose(l.memory);
	fetch_end(l.fetch);
	free(l.bytes);
	free(l.url);
	return status;
}
