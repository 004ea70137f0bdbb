/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl's functions. The library is loaded when it is first asked for, so that those who
 * transfer nothing do not wait for it and its 30 others.
 */
#pragma once

#include <curl/curl.h>

#define CURL_FUNCTIONS(X) \
	X(curl_global_init) \
	X(curl_easy_init) \
	X(curl_easy_setopt) \
	X(curl_easy_getinfo) \
	X(curl_easy_strerror) \
	X(curl_easy_cleanup) \
	X(curl_slist_append) \
	X(curl_slist_free_all) \
	X(curl_multi_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_wakeup) \
	X(curl_multi_info_read) \
	X(curl_multi_remove_handle) \
	X(curl_multi_cleanup)

/* curl.h makes macros of some, which only check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct curl_lib {
#define CURL_MEMBER(name) __typeof__(name) *name;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/* NULL: *why, a static string, says what is wrong. The first call must not race with
 * others. */
const struct curl_lib *curl_load(const char **why);
/* A handle for one transfer of http or https, with what all of ours have in common, errors
 * to the CURL_ERROR_SIZE bytes at `error`. NULL as above. */
CURL *curl_begin(const struct curl_lib *lib, const char *url, char *error,
		 const char **why);
