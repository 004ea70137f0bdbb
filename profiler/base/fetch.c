/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"

enum { CONNECT_SECONDS = 10, ERROR_BYTES = 256 };

#define FUNCTIONS(X) \
	X(curl_global_init) \
	X(curl_easy_init) \
	X(curl_easy_setopt) \
	X(curl_easy_getinfo) \
	X(curl_easy_strerror) \
	X(curl_easy_cleanup) \
	X(curl_multi_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_perform) \
	X(curl_multi_info_read) \
	X(curl_multi_remove_handle) \
	X(curl_multi_cleanup)

/* curl.h makes macros of some, which only check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define MEMBER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(MEMBER)
} lib;

struct fetch {
	CURL *easy;
	CURLM *multi;
	FILE *out;
	size_t left; /* bytes that may still come */
	bool done;
	const char *error; /* NULL: none */
	char text[CURL_ERROR_SIZE > ERROR_BYTES ? CURL_ERROR_SIZE : ERROR_BYTES];
};

static bool load(void)
{
	void *so = lib.curl_global_init ? NULL : dlopen("libcurl.so.4", RTLD_NOW);

	if (lib.curl_global_init)
		return true;
	if (!so)
		return false;
#define LOOK_UP(name) \
	lib.name = (__typeof__(lib.name))dlsym(so, #name); \
	if (!lib.name) \
		return false;
	FUNCTIONS(LOOK_UP)
	return !lib.curl_global_init(CURL_GLOBAL_DEFAULT);
}

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
	struct fetch *f;

	*why = "libcurl.so.4 is not installed (Debian: libcurl4)";
	if (!load())
		return NULL;
	f = mem_zalloc(sizeof(*f));
	f->out = out;
	f->left = max;
	f->easy = lib.curl_easy_init();
	f->multi = lib.curl_multi_init();
	*why = "out of memory";
	if (!f->easy || !f->multi) {
		fetch_end(f);
		return NULL;
	}
	*why = "libcurl is older than 7.85";
	if (lib.curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https")) {
		fetch_end(f);
		return NULL;
	}
	lib.curl_easy_setopt(f->easy, CURLOPT_URL, url);
	lib.curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, put);
	lib.curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	lib.curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->text);
	lib.curl_easy_setopt(f->easy, CURLOPT_FAILONERROR, 1L);
	lib.curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
	lib.curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	lib.curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "gostrobe/" GOSTROBE_VERSION);
	lib.curl_multi_add_handle(f->multi, f->easy);
	return f;
}

bool fetch_step(struct fetch *f)
{
	int running = 0, n;
	CURLMsg *m;

	if (f->done)
		return false;
	lib.curl_multi_perform(f->multi, &running);
	while ((m = lib.curl_multi_info_read(f->multi, &n))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		f->done = true;
		if (m->data.result && !f->error)
			f->error = *f->text ? f->text
					    : lib.curl_easy_strerror(m->data.result);
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
		lib.curl_multi_remove_handle(f->multi, f->easy);
	if (f->easy)
		lib.curl_easy_cleanup(f->easy);
	if (f->multi)
		lib.curl_multi_cleanup(f->multi);
	free(f);
}
