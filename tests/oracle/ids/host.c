/* SPDX-License-Identifier: BSD-2-Clause */
/* host LIBRARY: calls Go's ids() in a shared library. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void (*ids)(void) = lib ? (void (*)(void))dlsym(lib, "ids") : NULL;

	if (!ids) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	ids();
	return 0;
}
