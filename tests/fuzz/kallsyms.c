/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of /proc/kallsyms, and look-ups at its own addresses and near them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolizer/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find(const struct kallsyms *k, uint64_t addr)
{
	const char *name, *module;

	if (!kallsyms_find(k, addr, &name, &module))
		return;
	/* both must be strings, and modules differ from names by their bracket */
	if (!*name || *module != '[')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("kallsyms", MFD_CLOEXEC);
	struct kallsyms *k;
	const char *why;
	char path[32], *text, *line;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && !kallsyms_open(&k, path, &why)) {
		text = line = strndup((const char *)data, size);
		for (int i = 0; line && i < 64; i++) {
			uint64_t addr = strtoull(line, NULL, 16);

			find(k, addr);
			find(k, addr - 1);
			find(k, addr + 1);
			line = strchr(line, '\n');
			line = line ? line + 1 : NULL;
		}
		find(k, 0);
		find(k, UINT64_MAX);
		free(text);
		kallsyms_close(k);
	}
	close(fd);
	return 0;
}
