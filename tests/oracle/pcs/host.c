/* SPDX-License-Identifier: BSD-2-Clause */
/* host STRIDE [LIBRARY]: calls Go's pcs(STRIDE) in a shared library, or linked in
 * (ARCHIVE). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef ARCHIVE
void pcs(int stride);
#endif

int main(int argc, char **argv)
{
#ifndef ARCHIVE
	void *lib = argc > 2 ? dlopen(argv[2], RTLD_NOW) : NULL;
	void (*pcs)(int) = lib ? (void (*)(int))dlsym(lib, "pcs") : NULL;

	if (!pcs) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
#endif
	pcs(argc > 1 ? atoi(argv[1]) : 0);
	return 0;
}
