/* SPDX-License-Identifier: BSD-2-Clause */
/* A pprof file, packed or not. What is read must make a tree. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profiler/profile/pprof_read.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view v = {
		.by = { .keys = { BY_START, BY_LABEL }, .n = 2, .labels = { NULL, "job" } }
	};
	int fd = memfd_create("pprof", 0);
	struct profile *p;
	const char *why;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* many events take long, and are all alike */
	if (write(fd, data, size) == (ssize_t)size && !pprof_read(&p, path, &why)) {
		if (p->n_events < 100000) {
			view_select(&v, p);
			view_tree(&v);
			view_release(&v);
		}
		profile_free(p);
	}
	close(fd);
	return 0;
}
