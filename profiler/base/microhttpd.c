/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/microhttpd.h"

#include <dlfcn.h>
#include <stdbool.h>

static struct microhttpd_lib lib;

static bool load(void)
{
	void *so = dlopen("libmicrohttpd.so.12", RTLD_NOW);

	if (!so)
		return false;
#define LOOK_UP(name) \
	lib.name = (__typeof__(lib.name))dlsym(so, #name); \
	if (!lib.name) \
		return false;
	MICROHTTPD_FUNCTIONS(LOOK_UP)
	return true;
}

const struct microhttpd_lib *microhttpd_load(const char **why)
{
	static bool loaded;

	loaded = loaded || load();
	*why = "libmicrohttpd.so.12 is not installed (Debian: libmicrohttpd12)";
	return loaded ? &lib : NULL;
}
