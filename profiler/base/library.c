/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_load(const char *file, const char *const *names, size_t n, void *to)
{
	void *so = dlopen(file, RTLD_NOW);

	if (!so)
		return false;
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(so, names[i]);

		if (!function)
			return false;
		memcpy((char *)to + i * sizeof(function), &function, sizeof(function));
	}
	return true;
}
