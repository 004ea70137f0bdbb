/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/curl.h"

struct fetch {
	const struct curl_lib *lib;
	CURL *easy;
	CURLM *multi;
	FILE *out;
	size_t left; /* bytes that may still come */
	bool done;
	const char *error; /* NULL: none */
	char text[CURL_ERROR_SIZE];
};

static size_t put(char *bytes, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;

	n *= size;
	if (n > f->left) {
		f->error = "the answer is too large";
		return 0;
	}
	f->left -= n;
	return fwrite(bytes, 1, n, f->out);
}

struct fetch *fetch_begin(const char *url, FILE *out, size_t max, const char **why)
{
	const struct curl_lib *lib = curl_load(why);
	struct fetch *f;

	if (!lib)
		return NULL;
	f = mem_zalloc(sizeof(*f));
	f->lib = lib;
	f->out = out;
	f->left = max;
	f->easy = curl_begin(lib, url, f->text, why);
	f->multi = f->easy ? lib->curl_multi_init() : NULL;
	if (!f->multi) {
		fetch_end(f);
		return NULL;
	}
	lib->curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, put);
	lib->curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	lib->curl_easy_setopt(f->easy, CURLOPT_FAILONERROR, 1L);
	lib->curl_multi_add_handle(f->multi, f->easy);
	return f;
}

bool fetch_step(struct fetch *f)
{
	int running = 0, n;
	CURLMsg *m;

	if (f->done)
		return false;
	f->lib->curl_multi_perform(f->multi, &running);
	while ((m = f->lib->curl_multi_info_read(f->multi, &n))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		f->done = true;
		if (m->data.result && !f->error)
			f->error = *f->text ? f->text
					    : f->lib->curl_easy_strerror(m->data.result);
	}
	return !f->done;
}

const char *fetch_error(const struct fetch *f)
{
	return f->error;
}

void fetch_end(struct fetch *f)
{
	if (!f)
		return;
	if (f->multi && f->easy)
		f->lib->curl_multi_remove_handle(f->multi, f->easy);
	if (f->easy)
		f->lib->curl_easy_cleanup(f->easy);
	if (f->multi)
		f->lib->curl_multi_cleanup(f->multi);
	free(f);
}
