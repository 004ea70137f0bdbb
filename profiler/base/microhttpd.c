/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/microhttpd.h"

#include "profiler/base/library.h"

static struct microhttpd_lib lib;

#define NAME(name) #name,
static const char *const names[] = { MICROHTTPD_FUNCTIONS(NAME) };
_Static_assert(sizeof(names) == sizeof(lib), "a name for each function");

static bool load(void)
{
	return library_load("libmicrohttpd.so.12", names, sizeof(names) / sizeof(*names),
			    &lib);
}

const struct microhttpd_lib *microhttpd_load(const char **why)
{
	static bool loaded;

	loaded = loaded || load();
	*why = "libmicrohttpd.so.12 is not installed (Debian: libmicrohttpd12)";
	return loaded ? &lib : NULL;
}
