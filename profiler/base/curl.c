/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/curl.h"

#include <dlfcn.h>
#include <stdbool.h>

enum { CONNECT_SECONDS = 10 };

static struct curl_lib lib;

static bool load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW);

	if (!so)
		return false;
#define LOOK_UP(name) \
	lib.name = (__typeof__(lib.name))dlsym(so, #name); \
	if (!lib.name) \
		return false;
	CURL_FUNCTIONS(LOOK_UP)
	return !lib.curl_global_init(CURL_GLOBAL_DEFAULT);
}

const struct curl_lib *curl_load(const char **why)
{
	static bool loaded;

	loaded = loaded || load();
	*why = "libcurl.so.4 is not installed, or too old (Debian: libcurl4)";
	return loaded ? &lib : NULL;
}

CURL *curl_begin(const struct curl_lib *curl, const char *url, char *error,
		 const char **why)
{
	CURL *easy = curl->curl_easy_init();

	*why = "out of memory";
	if (!easy)
		return NULL;
	*why = "libcurl is older than 7.85";
	if (curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")) {
		curl->curl_easy_cleanup(easy);
		return NULL;
	}
	curl->curl_easy_setopt(easy, CURLOPT_URL, url);
	curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl->curl_easy_setopt(easy, CURLOPT_USERAGENT, "gostrobe/" GOSTROBE_VERSION);
	return easy;
}
