/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/curl.h"

#include "profiler/base/library.h"

enum { CONNECT_SECONDS = 10 };

static struct curl_lib lib;

#define NAME(name) #name,
static const char *const names[] = { CURL_FUNCTIONS(NAME) };
_Static_assert(sizeof(names) == sizeof(lib), "a name for each function");

static bool load(void)
{
	return library_load("libcurl.so.4", names, sizeof(names) / sizeof(*names), &lib) &&
	       !lib.curl_global_init(CURL_GLOBAL_DEFAULT);
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
